/** What a symbol may be; openapi.yaml's `Symbol` is the same. It becomes the name of a folder. */
export const symbolForm = /^[A-Za-z0-9^][A-Za-z0-9._=^-]{0,31}$/
