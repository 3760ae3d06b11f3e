import { join } from 'node:path'
import { attemptFolder, checkpointsFolder, isName } from '../archive/layout.ts'
import { toRecord } from '../store/rows.ts'
import type { CopiedRow } from '../store/tables.ts'
import type { ArchiveFile } from './files.ts'

type Named = { readonly size_bytes: number; readonly sha256: string | null }

/** The files that operations name: artifacts and checkpoints. */
export class NamedFiles {
  readonly #files = new Map<string, Named>()

  /** @param rows of `operations` */
  add(columns: readonly string[], rows: readonly CopiedRow[]): void {
    for (const row of rows) {
      const record = toRecord(
        Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
      )
      const { operation_id: id, attempt } = record
      if (!isName('operation', id)) continue
      for (const { file, size_bytes, sha256 } of record.artifacts)
        this.#files.set(join(attemptFolder('', id, attempt), file), { size_bytes, sha256 })
      // The hash of a checkpoint is that of what is in it.
      for (const { file, size_bytes } of record.checkpoints)
        this.#files.set(join(checkpointsFolder('', id), file), { size_bytes, sha256: null })
    }
  }

  /** @returns the paths of those that are not among `files`, or not with their size and hash */
  missing(files: readonly ArchiveFile[]): string[] {
    const present = new Map(files.map(file => [file.path, file]))
    const isThere = (path: string, { size_bytes, sha256 }: Named) => {
      const found = present.get(path.replaceAll('\\', '/'))
      return found?.size_bytes === size_bytes && (sha256 === null || found.sha256 === sha256)
    }
    return [...this.#files].flatMap(([path, named]) => (isThere(path, named) ? [] : [path]))
  }
}
