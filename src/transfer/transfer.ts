import type { TableReader } from '../store/tables.ts'
import {
  beginArchive,
  finishArchive,
  isSameArchive,
  type MovedFiles,
  moveArchive,
  summed,
} from './archives.ts'
import { NamedFiles } from './named-files.ts'
import { describePlace, isSamePlace, openSource, openTarget, type Place, type Target } from './places.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import { comparePresent, copyRows, type RowCounts } from './rows.ts'
import { readUnfinished, refuseUnfinished } from './unfinished.ts'

/** What a command has done. */
export type Report = {
  readonly rows: RowCounts
  readonly files: MovedFiles
  /** What the operator should know: files that operations name but the source does not hold. */
  readonly warnings: readonly string[]
}

/**
 * Moves everything from a place into an empty one: files first, then all rows in one commit, so that operations are
 * seen when all is there. Neither may have a running server. Interrupted anywhere it may be run again.
 * @throws {Refusal} when a place is in use, the target holds other things, or both are the same
 */
export async function transfer(from: Place, to: Place, progress: Progress): Promise<Report> {
  if (isSamePlace(from, to))
    throw new Refusal(`Source and target are the same: ${describePlace(from)}.`, 'Name two places.')
  refuseUnfinished(from.archive)
  return moveAll(from, to, { command: 'transfer', wanted: 'stopped', check: () => undefined, progress })
}

export type Move = {
  readonly command: string
  /** Whether a server may run on the source. */
  readonly wanted: 'stopped' | 'any'
  /** Throws when the files are not those that should have been copied. */
  readonly check: (files: MovedFiles) => void
  readonly progress: Progress
}

/** The common part of `transfer` and `restore`. */
export async function moveAll(from: Place, to: Place, move: Move): Promise<Report> {
  const source = await openSource(from, move.wanted)
  try {
    const target = await openTarget(to)
    try {
      return await moveInto(target, { from, to, reader: source.reader }, move)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

type Ways = { readonly from: Place; readonly to: Place; readonly reader: TableReader }

async function moveInto(target: Target, { from, to, reader }: Ways, move: Move): Promise<Report> {
  const { progress, command } = move
  const present = target.present === null ? null : await comparePresent(reader, target.present, progress)
  const isShared = isSameArchive(from.archive, to.archive)
  const isUnfinished = !isShared && readUnfinished(to.archive) !== null
  // It was done before, to the end; a server may have worked with the files since.
  if (present !== null && !isUnfinished) return { rows: present, files: summed([], 0), warnings: [] }
  if (!isShared) await beginArchive(to.archive, { command, from: describePlace(from) })
  progress.say(isShared ? 'Files stay where they are' : `Copying files to ${to.archive}`)
  const files = isShared ? summed([], 0) : await moveArchive({ from: from.archive, to: to.archive }, progress)
  move.check(files)
  progress.say(`Copying rows to ${describePlace(to)}`)
  const named = new NamedFiles()
  const rows = present ?? (await copyRows(reader, target.begin, { progress, named }))
  if (!isShared) await finishArchive(to.archive)
  return { rows, files, warnings: isShared ? [] : warningsOf(named.missing(files.files)) }
}

const shown = 5

/** @param missing paths of files that operations name */
export function warningsOf(missing: readonly string[]): string[] {
  if (missing.length === 0) return []
  const more = missing.length > shown ? `, and ${missing.length - shown} more` : ''
  return [
    `${missing.length} files that operations name are not in the source: ${missing.slice(0, shown).join(', ')}${more}`,
  ]
}
