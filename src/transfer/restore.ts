import { databasePath } from '../archive/layout.ts'
import { countFiles, type MovedFiles } from './archives.ts'
import { type BackupManifest, readBackup } from './backup.ts'
import { filesIn, hashFiles } from './files.ts'
import type { Place } from './places.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import { moveAll, type Report } from './transfer.ts'

/**
 * Fills an empty place with a backup, after every byte of it was compared with its manifest.
 * @throws {Refusal} when the backup is damaged, or the place holds other things or has a running server
 */
export async function restore(folder: string, to: Place, progress: Progress): Promise<Report> {
  const manifest = readBackup(folder)
  const from: Place = { kind: 'folder', home: folder, archive: { kind: 'folder', folder } }
  progress.say(`Checking the files of the backup of ${manifest.created_at}`)
  const paths = [databasePath(''), ...(await filesIn(folder))]
  const present = await hashFiles(paths, folder, countFiles(progress, paths.length))
  progress.end()
  compare(folder, manifest, present)
  const found = new Set(present.map(({ path }) => path))
  const gone = manifest.files.find(({ path }) => !found.has(path))
  if (gone !== undefined) throw damaged(folder, `${gone.path} is missing`)
  const check = ({ files }: MovedFiles) => compare(folder, manifest, files)
  const report = await moveAll(from, to, { command: 'restore', wanted: 'any', check, progress })
  return { ...report, warnings: [...new Set([...manifest.warnings, ...report.warnings])] }
}

function compare(folder: string, manifest: BackupManifest, files: MovedFiles['files']): void {
  const expected = new Map(manifest.files.map(file => [file.path, file.sha256]))
  for (const { path, sha256 } of files)
    if (expected.get(path) !== sha256)
      throw damaged(folder, `${path} is not as it was when the backup was made`)
}

const damaged = (folder: string, what: string) =>
  new Refusal(`The backup in ${folder} is damaged: ${what}.`, 'Use another copy of it, or another backup.')
