import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder, writeFileAtomically } from '../archive/atomic.ts'
import { isMissing } from '../archive/folder.ts'

/** Lies in a folder from the first file that is copied into it until everything is there. */
const markerName = 'transfer.unfinished.json'

/** What was going on: the command and where it read from. */
export type Unfinished = { readonly command: string; readonly from: string }

export const unfinishedPath = (folder: string): string => join(folder, markerName)

/** @returns null when nothing is unfinished in the folder */
export function readUnfinished(folder: string): Unfinished | null {
  try {
    return JSON.parse(readFileSync(unfinishedPath(folder), 'utf8')) as Unfinished
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** @param folder made when missing */
export async function markUnfinished(folder: string, what: Unfinished): Promise<void> {
  await writeFileAtomically(unfinishedPath(folder), Buffer.from(`${JSON.stringify(what)}\n`))
}

export async function clearUnfinished(folder: string): Promise<void> {
  rmSync(unfinishedPath(folder), { force: true })
  await syncFolder(folder)
}

/**
 * For the start of a server: a folder that was filled only in part is not served.
 * @throws {Error} that says how to go on
 */
export function refuseUnfinished(folder: string): void {
  const found = readUnfinished(folder)
  if (found === null) return
  throw new Error(
    `${folder} was filled only in part: the ${found.command} from ${found.from} did not finish. ` +
      'Run the same command again, or empty the folder.',
  )
}
