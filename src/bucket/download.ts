import { rename, rm } from 'node:fs/promises'
import { temporaryPath, writeFileAtomically } from '../archive/atomic.ts'
import type { Log } from '../log.ts'
import { Problem } from '../problems.ts'
import type { ArchiveFile, ArchiveFiles } from '../store/postgres/archive-files.ts'
import type { Bucket } from './bucket.ts'

/** Of what is damaged in a bucket, when it is fetched once more it may be whole. */
const maxTries = 2

type Parts = {
  readonly bucket: Pick<Bucket, 'get'>
  readonly files: Pick<ArchiveFiles, 'find'>
  readonly log: Log
}

/**
 * Writes a file of the archive to a path of this disk, whole and compared by length and SHA-256, or not at all.
 * @returns what was written, which is newer than `file` if that was replaced meanwhile; null when it was removed
 * @throws {Problem} 'archive-damaged'
 */
export async function download(
  { bucket, files, log }: Parts,
  file: ArchiveFile,
  target: string,
): Promise<ArchiveFile | null> {
  let wanted: ArchiveFile | undefined = file
  let fault = ''
  for (let n = 0; n < maxTries && wanted !== undefined; n++) {
    if (wanted.content !== null) {
      await writeFileAtomically(target, wanted.content)
      return wanted
    }
    const { object_key: key, sha256, size_bytes }: ArchiveFile = wanted
    const temporary = temporaryPath(target)
    const received = await bucket.get(key, temporary, size_bytes)
    if (received?.sha256 === sha256 && received.size_bytes === size_bytes) {
      await rename(temporary, target)
      return wanted
    }
    await rm(temporary, { force: true })
    const why = received === null ? 'its object is gone' : faultOf(wanted, received.size_bytes)
    fault = `${why} (object ${key})`
    log.warn('bucket.damaged', { path: file.path, key, fault: why })
    // Stored anew or removed meanwhile; or damaged on its way.
    wanted = (await files.find([file.path]))[0]
  }
  if (wanted === undefined) return null
  throw new Problem('archive-damaged', `${file.path} in the bucket of the archive is damaged: ${fault}.`, {
    hint: 'Bring its object back from a copy of the bucket, or make it again: bars by a download, results by a new operation.',
  })
}

const faultOf = ({ size_bytes }: ArchiveFile, received: number): string =>
  received === size_bytes ? 'its checksum is wrong' : `it has ${received} bytes instead of ${size_bytes}`

export const isDamaged = (error: unknown): error is Problem =>
  error instanceof Problem && error.code === 'archive-damaged'
