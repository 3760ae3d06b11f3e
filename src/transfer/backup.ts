import { existsSync, readFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { writeFileAtomically } from '../archive/atomic.ts'
import { databasePath } from '../archive/layout.ts'
import { type Clock, toRfc3339 } from '../clock.ts'
import {
  type Archive,
  beginArchive,
  copyBetween,
  countFiles,
  FolderArchive,
  type MovedFiles,
  summed,
  withArchive,
} from './archives.ts'
import { type ArchiveFile, backupManifestName, hashFile, isCheckpoint, isManifest } from './files.ts'
import { NamedFiles } from './named-files.ts'
import { describePlace, FolderWriter, openSource, type Place } from './places.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import { copyRows, type RowCounts } from './rows.ts'
import { type Report, warningsOf } from './transfer.ts'

/** What a backup consists of: `backup.json`, written last, so that a backup with it is a whole one. */
export type BackupManifest = {
  readonly format: 'ktrdr-backup'
  readonly format_version: 1
  /** Of the program that made it. */
  readonly version: string
  readonly created_at: string
  /** What it was made of. */
  readonly source: string
  readonly rows: RowCounts
  /** Sorted by path; the database is one of them. */
  readonly files: readonly ArchiveFile[]
  readonly warnings: readonly string[]
}

/** How often files are looked for again when some that operations name were replaced while they were copied. */
const rounds = 5

type Tools = { readonly progress: Progress; readonly clock: Clock; readonly version: string }

/**
 * Copies a place into a folder that is a data folder with a manifest, whatever the place is. A server may run on it:
 * rows are those of one moment, and files that they name are copied after it, again if need be. Run again after an
 * interruption it goes on.
 * @throws {Refusal} when the folder holds anything else
 */
export function backup(from: Place, folder: string, tools: Tools): Promise<Report> {
  refuseInside(from, folder)
  if (existsSync(join(folder, backupManifestName)))
    throw new Refusal(`${folder} is a finished backup.`, 'Choose a new folder for each backup.')
  return withArchive(from.archive, async source => {
    await source.refuseUnfinished()
    return backupInto(new FolderArchive(folder), { from, source }, tools)
  })
}

type Ways = { readonly from: Place; readonly source: Archive }

async function backupInto(target: FolderArchive, ways: Ways, tools: Tools): Promise<Report> {
  const { folder } = target
  const made = describePlace(ways.from)
  await beginArchive(target, { command: 'backup', from: made })
  const { rows, files, missing } = await copyUntilWhole(ways, target, tools.progress)
  const database = await hashFile(databasePath(folder))
  if (database === null) throw new Error(`${databasePath(folder)} is gone`)
  const all = summed([{ ...files, files: [{ path: databasePath(''), ...database }, ...files.files] }])
  const manifest: BackupManifest = {
    format: 'ktrdr-backup',
    format_version: 1,
    version: tools.version,
    created_at: toRfc3339(tools.clock.now()),
    source: made,
    rows,
    files: all.files,
    warnings: warningsOf(missing, files.damaged),
  }
  await writeFileAtomically(
    join(folder, backupManifestName),
    Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
  )
  await target.clear()
  return { rows, files: all, warnings: manifest.warnings }
}

/** @throws {Refusal} when the folder holds no finished backup */
export function readBackup(folder: string): BackupManifest {
  const path = join(folder, backupManifestName)
  const hint =
    'Name the folder of a finished backup; one without backup.json was interrupted: run the backup again.'
  if (!existsSync(path)) throw new Refusal(`${folder} holds no backup: there is no ${path}.`, hint)
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (isBackupManifest(value)) return value
  throw new Refusal(
    `${path} is not the manifest of a backup that this ktrdr knows.`,
    'Use the ktrdr that made it.',
  )
}

function isBackupManifest(value: unknown): value is BackupManifest {
  if (typeof value !== 'object' || value === null) return false
  const { format, format_version, files } = value as Partial<Record<keyof BackupManifest, unknown>>
  return format === 'ktrdr-backup' && format_version === 1 && Array.isArray(files)
}

function refuseInside(from: Place, folder: string): void {
  const homes = [
    ...(from.kind === 'folder' ? [from.home] : []),
    ...(from.archive.kind === 'folder' ? [from.archive.folder] : []),
  ]
  const isInside = homes.some(home => `${resolve(folder)}${sep}`.startsWith(`${resolve(home)}${sep}`))
  if (isInside)
    throw new Refusal(
      `${folder} lies in the data folder itself.`,
      'Choose a folder outside of it, best on another disk.',
    )
}

type Whole = {
  readonly rows: RowCounts
  readonly files: MovedFiles
  readonly missing: readonly string[]
}

/**
 * Rows of one moment, then the files. What a running server removes in between (a checkpoint that a newer one has
 * replaced) is named by newer rows under another name: the next round finds it.
 */
async function copyUntilWhole(
  { from, source }: Ways,
  target: FolderArchive,
  progress: Progress,
): Promise<Whole> {
  for (let round = 1; ; round += 1) {
    progress.say(
      round === 1 ? `Copying rows from ${describePlace(from)}` : 'Files were replaced meanwhile: once more',
    )
    const named = new NamedFiles()
    const rows = await copyDatabase(from, databasePath(target.folder), { progress, named })
    progress.say(`Copying files from ${source.name}`)
    const files = await copyArchive(source, target, progress)
    const missing = named.missing(files.files)
    const isDamaged = new Set(files.damaged.map(({ path }) => path))
    if (missing.every(path => isDamaged.has(path)) || round === rounds) return { rows, files, missing }
  }
}

/**
 * Checkpoints go first: they are replaced soonest. Then manifests: what they name stays for an hour after they are
 * replaced.
 */
async function copyArchive(from: Archive, to: FolderArchive, progress: Progress): Promise<MovedFiles> {
  const counting = countFiles(progress, null)
  const copy = (paths: readonly string[]) => copyBetween(from, to, paths, counting)
  const early = await from.paths()
  const first = [await copy(early.filter(isCheckpoint)), await copy(early.filter(isManifest))]
  const others = (await from.paths()).filter(path => !isManifest(path) && !isCheckpoint(path))
  const rest = await copy(others)
  progress.end()
  const copied = summed([...first, rest])
  const wanted = new Set(copied.files.map(({ path }) => path))
  await to.remove((await to.paths()).filter(path => !wanted.has(path)))
  return copied
}

async function copyDatabase(
  from: Place,
  file: string,
  aids: { readonly progress: Progress; readonly named: NamedFiles },
): Promise<RowCounts> {
  const source = await openSource(from, 'any')
  try {
    return await copyRows(source.reader, async () => new FolderWriter(file), aids)
  } finally {
    await source.close()
  }
}
