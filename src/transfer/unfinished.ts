import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder, writeFileAtomically } from '../archive/atomic.ts'
import { isMissing } from '../archive/folder.ts'
import type { ArchiveFiles } from '../store/postgres/archive-files.ts'

/** Lies in an archive from the first file that is copied into it until everything is there. */
export const markerName = 'transfer.unfinished.json'

/** What was going on: the command and where it read from. */
export type Unfinished = { readonly command: string; readonly from: string }

export const unfinishedPath = (folder: string): string => join(folder, markerName)

/** What the file holds that says so. */
export const unfinishedContent = (what: Unfinished): Buffer => Buffer.from(`${JSON.stringify(what)}\n`)

const parsed = (content: Uint8Array): Unfinished => JSON.parse(Buffer.from(content).toString()) as Unfinished

/** @returns null when nothing is unfinished in the folder */
export function readUnfinished(folder: string): Unfinished | null {
  try {
    return parsed(readFileSync(unfinishedPath(folder)))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** As {@link readUnfinished}, of an archive in a bucket, by its names. */
export async function findUnfinished(files: Pick<ArchiveFiles, 'find'>): Promise<Unfinished | null> {
  const [marker] = await files.find([markerName])
  return marker?.content ? parsed(marker.content) : null
}

/** @param folder made when missing */
export async function markUnfinished(folder: string, what: Unfinished): Promise<void> {
  await writeFileAtomically(unfinishedPath(folder), unfinishedContent(what))
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
  refuseIfUnfinished(folder, readUnfinished(folder), 'empty the folder')
}

/** As {@link refuseUnfinished}, for an archive in a bucket. @param name for people */
export async function refuseUnfinishedNames(name: string, files: Pick<ArchiveFiles, 'find'>): Promise<void> {
  refuseIfUnfinished(name, await findUnfinished(files), 'begin with a new database')
}

/** @param otherwise what to do where the command is not wanted any more */
function refuseIfUnfinished(name: string, found: Unfinished | null, otherwise: string): void {
  if (found === null) return
  throw new Error(
    `${name} was filled only in part: the ${found.command} from ${found.from} did not finish. ` +
      `Run the same command again, or ${otherwise}.`,
  )
}
