import { readdir, utimes } from 'node:fs/promises'
import { isNativeError } from 'node:util/types'
import { systemClock } from '../clock.ts'

/** The names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Makes a file as young as one written now. @returns false when there is no such file */
export async function touchFile(path: string): Promise<boolean> {
  const now = new Date(systemClock.now())
  try {
    await utimes(path, now, now)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Whether an error of `node:fs` says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'ENOENT'
}
