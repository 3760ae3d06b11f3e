import type { TableReader } from '../store/tables.ts'
import {
  type Archive,
  beginArchive,
  isSameArchive,
  type MovedFiles,
  moveArchive,
  refuseOlderLayout,
  summed,
  withArchive,
} from './archives.ts'
import type { Copied } from './files.ts'
import { NamedFiles } from './named-files.ts'
import { describePlace, isSamePlace, openSource, openTarget, type Place, type Target } from './places.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import { comparePresent, copyRows, type RowCounts } from './rows.ts'

/** What a command has done. */
export type Report = {
  readonly rows: RowCounts
  readonly files: MovedFiles
  /** What the operator should know: files that operations name but the source does not hold, and damaged ones. */
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
  return moveAll(from, to, { command: 'transfer', wanted: 'stopped', check: () => undefined, progress })
}

export type Move = {
  readonly command: 'transfer' | 'restore'
  /** Whether a server may run on the source. */
  readonly wanted: 'stopped' | 'any'
  /** Throws when the files are not those that should have been copied. */
  readonly check: (files: MovedFiles) => void
  readonly progress: Progress
}

/** The common part of `transfer` and `restore`. */
export function moveAll(from: Place, to: Place, move: Move): Promise<Report> {
  return withArchive(from.archive, source =>
    withArchive(to.archive, async target => {
      // Of a backup its manifest says that it is whole.
      if (move.command === 'transfer') await source.refuseUnfinished()
      const { reader, close } = await openSource(from, move.wanted)
      try {
        const filled = await openTarget(to)
        try {
          return await moveInto(filled, { from, to, reader, source, target }, move)
        } finally {
          await filled.close()
        }
      } finally {
        await close()
      }
    }),
  )
}

type Ways = {
  readonly from: Place
  readonly to: Place
  readonly reader: TableReader
  readonly source: Archive
  readonly target: Archive
}

async function moveInto(filled: Target, ways: Ways, move: Move): Promise<Report> {
  const { from, to, reader, source, target } = ways
  const { progress, command } = move
  const present = filled.present === null ? null : await comparePresent(reader, filled.present, progress)
  const isShared = isSameArchive(from.archive, to.archive)
  const isUnfinished = !isShared && (await target.unfinished()) !== null
  // It was done before, to the end; a server may have worked with the files since.
  if (present !== null && !isUnfinished) return { rows: present, files: summed([]), warnings: [] }
  if (!isShared) {
    await refuseOlderLayout(source, target)
    await beginArchive(target, { command, from: describePlace(from) })
  }
  progress.say(isShared ? 'Files stay where they are' : `Copying files to ${target.name}`)
  const files = isShared ? summed([]) : await moveArchive(source, target, progress)
  move.check(files)
  progress.say(`Copying rows to ${describePlace(to)}`)
  const named = new NamedFiles()
  const rows = present ?? (await copyRows(reader, filled.begin, { progress, named }))
  if (!isShared) await target.clear()
  return { rows, files, warnings: isShared ? [] : warningsOf(named.missing(files.files), files.damaged) }
}

const shown = 5

/** Damaged files are each told, up to so many. */
const shownDamaged = 100

/** @param missing paths of files that operations name  @param damaged of files that were left out */
export function warningsOf(missing: readonly string[], damaged: Copied['damaged']): string[] {
  const faults = damaged.slice(0, shownDamaged).map(({ what }) => `left out: ${what}`)
  if (damaged.length > shownDamaged) faults.push(`${damaged.length - shownDamaged} more are damaged`)
  const names = new Set(damaged.map(({ path }) => path))
  const gone = missing.filter(path => !names.has(path))
  if (gone.length === 0) return faults
  const more = gone.length > shown ? `, and ${gone.length - shown} more` : ''
  return [
    ...faults,
    `${gone.length} files that operations name are not in the source: ${gone.slice(0, shown).join(', ')}${more}`,
  ]
}
