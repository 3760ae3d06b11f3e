import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { writeFileAtomically } from '../archive/atomic.ts'
import { databasePath } from '../archive/layout.ts'
import { type Clock, toRfc3339 } from '../clock.ts'
import { beginArchive, countFiles, finishArchive, summed } from './archives.ts'
import { type ArchiveFile, backupManifestName, copyFiles, filesIn, hashFile, isManifest } from './files.ts'
import { NamedFiles } from './named-files.ts'
import { describePlace, FolderWriter, openSource, type Place } from './places.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import { copyRows, type RowCounts } from './rows.ts'
import { type Report, warningsOf } from './transfer.ts'
import { refuseUnfinished } from './unfinished.ts'

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
export async function backup(from: Place, folder: string, tools: Tools): Promise<Report> {
  refuseUnfinished(from.archive)
  refuseInside(from, folder)
  if (existsSync(join(folder, backupManifestName)))
    throw new Refusal(`${folder} is a finished backup.`, 'Choose a new folder for each backup.')
  const source = describePlace(from)
  await beginArchive(folder, { command: 'backup', from: source })
  const { rows, files, kept, missing } = await copyUntilWhole(from, folder, tools.progress)
  const database = await hashFile(databasePath(folder))
  if (database === null) throw new Error(`${databasePath(folder)} is gone`)
  const all = [{ path: databasePath(''), ...database }, ...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  const manifest: BackupManifest = {
    format: 'ktrdr-backup',
    format_version: 1,
    version: tools.version,
    created_at: toRfc3339(tools.clock.now()),
    source,
    rows,
    files: all,
    warnings: warningsOf(missing),
  }
  await writeFileAtomically(
    join(folder, backupManifestName),
    Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
  )
  await finishArchive(folder)
  return { rows, files: summed(all, kept), warnings: manifest.warnings }
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
  const homes = from.kind === 'folder' ? [from.home, from.archive] : [from.archive]
  const isInside = homes.some(home => `${resolve(folder)}${sep}`.startsWith(`${resolve(home)}${sep}`))
  if (isInside)
    throw new Refusal(
      `${folder} lies in the data folder itself.`,
      'Choose a folder outside of it, best on another disk.',
    )
}

type Whole = {
  readonly rows: RowCounts
  readonly files: readonly ArchiveFile[]
  readonly kept: number
  readonly missing: readonly string[]
}

/**
 * Rows of one moment, then the files. What a running server removes in between (a checkpoint that a newer one has
 * replaced) is named by newer rows under another name: the next round finds it.
 */
async function copyUntilWhole(from: Place, folder: string, progress: Progress): Promise<Whole> {
  for (let round = 1; ; round += 1) {
    progress.say(
      round === 1 ? `Copying rows from ${describePlace(from)}` : 'Files were replaced meanwhile: once more',
    )
    const named = new NamedFiles()
    const rows = await copyDatabase(from, databasePath(folder), { progress, named })
    progress.say(`Copying files from ${from.archive}`)
    const { files, kept } = await copyArchive(from.archive, folder, progress)
    const missing = named.missing(files)
    if (missing.length === 0 || round === rounds) return { rows, files, kept, missing }
  }
}

/** Manifests go first: what they name stays for an hour after they are replaced. */
async function copyArchive(
  from: string,
  to: string,
  progress: Progress,
): Promise<{ files: readonly ArchiveFile[]; kept: number }> {
  const counting = countFiles(progress, null)
  const manifests = await copyFiles((await filesIn(from)).filter(isManifest), { from, to }, counting)
  const others = (await filesIn(from)).filter(path => !isManifest(path))
  const rest = await copyFiles(others, { from, to }, counting)
  progress.end()
  const files = [...manifests.files, ...rest.files]
  const wanted = new Set(files.map(({ path }) => path))
  for (const path of await filesIn(to)) if (!wanted.has(path)) await rm(join(to, path))
  return { files, kept: manifests.kept + rest.kept }
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
