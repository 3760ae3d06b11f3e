import { readdir } from 'node:fs/promises'
import { isNativeError } from 'node:util/types'

/** The names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Whether an error of `node:fs` says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'ENOENT'
}
