/** Bytes of a JSON or YAML body. */
export const bodyBytes = 2 * 1024 * 1024
/** Bytes of an import, which is never held in memory as a whole. */
export const importBytes = 512 * 1024 * 1024
