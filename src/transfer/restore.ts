import { join } from 'node:path'
import { databasePath } from '../archive/layout.ts'
import type { MovedFiles } from './archives.ts'
import { type BackupManifest, readBackup } from './backup.ts'
import { hashFile } from './files.ts'
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
  progress.say(`Checking the database of the backup of ${manifest.created_at}`)
  const database = await hashFile(join(folder, databasePath('')))
  compare(folder, manifest, [{ path: databasePath(''), ...(database ?? { size_bytes: 0, sha256: '' }) }])
  const from: Place = { kind: 'folder', home: folder, archive: folder }
  const check = ({ files }: MovedFiles) => {
    compare(folder, manifest, files)
    const found = new Set(files.map(({ path }) => path))
    const gone = manifest.files.filter(({ path }) => path !== databasePath('') && !found.has(path))
    if (gone.length > 0) throw damaged(folder, `${gone[0]?.path} is missing`)
  }
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
