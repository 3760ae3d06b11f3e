import { createHash } from 'node:crypto'
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isTemporary, makeFolder, syncFolder, temporaryPath } from '../archive/atomic.ts'
import { isMissing, namesIn } from '../archive/folder.ts'
import { databasePath, temporaryFolder } from '../archive/layout.ts'
import { unfinishedPath } from './unfinished.ts'

/** A file of an archive. */
export type ArchiveFile = {
  /** Relative to the archive, with `/`. */
  readonly path: string
  readonly size_bytes: number
  readonly sha256: string
}

export const backupManifestName = 'backup.json'

/** Files that are worked on at the same time: flushing one to disk mostly waits. */
const atOnce = 8
const chunkBytes = 1 << 20

/**
 * What an archive consists of, as sorted paths with `/`. Left out: the database, what is unfinished or a lock, and
 * renditions of datasets, which are made on demand.
 */
export async function filesIn(archive: string): Promise<string[]> {
  const own = [databasePath(''), temporaryFolder(''), unfinishedPath(''), backupManifestName, 'lost+found']
  const isOwn = (name: string) => own.includes(name) || name.startsWith(`${databasePath('')}.`)
  const isData = (name: string) => !isTemporary(name) && !name.endsWith('.lock') && !/-(wal|shm)$/.test(name)
  const found: string[] = []
  const walk = async (folder: string) => {
    for (const name of await namesIn(join(archive, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`
      if ((folder === '' && isOwn(name)) || !isData(name) || isRenditions(path)) continue
      const kind = await kindOf(join(archive, path))
      if (kind === 'folder') await walk(path)
      if (kind === 'file') found.push(path)
    }
  }
  await walk('')
  return found.sort()
}

const isRenditions = (path: string): boolean => /^bars\/[^/]+\/[^/]+\/renditions$/.test(path)

/** What makes new bars be found; everything it names lies beside it and never changes. */
export const isManifest = (path: string): boolean => basename(path) === 'manifest.json'

export const isCheckpoint = (path: string): boolean => path.startsWith('checkpoints/')

/** Bars of a layout that a server turns into the present one when it starts on their folder. */
export const isOfOlderLayout = (path: string): boolean =>
  /^bars\/[^/]+\/[^/]+\/[0-9a-f]{64}\.(arrow|json|csv|parquet)$/.test(path)

/** What was copied, or found to be there already. */
export type Copied = {
  readonly files: readonly ArchiveFile[]
  /** Of these, how many lay there already. */
  readonly kept: number
  /** Left out, because they are not what was once stored, with what is wrong with them. */
  readonly damaged: readonly { readonly path: string; readonly what: string }[]
}

/** Several as one, sorted by path. */
export const joined = (copies: readonly Copied[]): Copied => ({
  files: copies.flatMap(({ files }) => files).sort((a, b) => (a.path < b.path ? -1 : 1)),
  kept: copies.reduce((sum, { kept }) => sum + kept, 0),
  damaged: copies.flatMap(({ damaged }) => damaged),
})

/**
 * Copies files of one archive into another, each as a whole or not at all, and hashes what it reads. A file that is
 * there with the same bytes stays; one that is gone from the source meanwhile is left out. Files that are one file
 * under several names stay so.
 * @param onFile told of each file that is done, with its size in bytes
 */
export async function copyFiles(
  paths: readonly string[],
  { from, to }: { readonly from: string; readonly to: string },
  onFile: (sizeBytes: number) => void,
): Promise<Copied> {
  const linked = new Map<string, Promise<ArchiveFile | null>>()
  const files: ArchiveFile[] = []
  let kept = 0
  const copy = async (path: string) => {
    const twin = await sameFile(join(from, path))
    const first = twin === null ? undefined : linked.get(twin)
    const copying = copyOne(path, { from, to, first: await first })
    if (twin !== null && first === undefined)
      linked.set(
        twin,
        copying.then(copied => copied?.file ?? null),
      )
    const copied = await copying
    if (copied === null) return
    files.push(copied.file)
    if (!copied.wasCopied) kept += 1
    onFile(copied.file.size_bytes)
  }
  await forEachAtOnce(paths, copy)
  for (const folder of new Set(files.map(({ path }) => dirname(join(to, path))))) await syncFolder(folder)
  return { files, kept, damaged: [] }
}

/** Hashes files of an archive; those that are not there are left out. */
export async function hashFiles(
  paths: readonly string[],
  folder: string,
  onFile: () => void,
): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = []
  await forEachAtOnce(paths, async path => {
    const found = await hashFile(join(folder, path))
    if (found !== null) files.push({ path, ...found })
    onFile()
  })
  return files
}

async function forEachAtOnce(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  const waiting = paths.values()
  const lane = async () => {
    for (const path of waiting) await work(path)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

type One = { readonly file: ArchiveFile; readonly wasCopied: boolean }
type Ways = { readonly from: string; readonly to: string; readonly first: ArchiveFile | null | undefined }

async function copyOne(path: string, { from, to, first }: Ways): Promise<One | null> {
  const target = join(to, path)
  try {
    const there = await hashFile(target)
    if (there !== null) {
      const here = await hashFile(join(from, path))
      if (here === null) return null
      if (here.sha256 === there.sha256) return { file: { path, ...here }, wasCopied: false }
    }
    await makeFolder(dirname(target))
    if (first !== null && first !== undefined && (await linkTo(join(to, first.path), target)))
      return { file: { ...first, path }, wasCopied: true }
    return { file: { path, ...(await copyBytes(join(from, path), target)) }, wasCopied: true }
  } catch (error) {
    if (isMissing(error) && (await kindOf(join(from, path))) === 'gone') return null
    throw error
  }
}

async function copyBytes(from: string, to: string): Promise<Omit<ArchiveFile, 'path'>> {
  const source = await open(from, 'r')
  const temporary = temporaryPath(to)
  try {
    const { atime, mtime } = await source.stat()
    const target = await open(temporary, 'wx', 0o600)
    try {
      const facts = await readThrough(source, chunk => target.writeFile(chunk))
      await target.utimes(atime, mtime)
      await target.sync()
      await rename(temporary, to)
      return facts
    } finally {
      await target.close()
    }
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await source.close()
  }
}

/** @returns null when there is no such file */
export async function hashFile(path: string): Promise<Omit<ArchiveFile, 'path'> | null> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  try {
    return await readThrough(file, async () => undefined)
  } finally {
    await file.close()
  }
}

async function readThrough(
  file: FileHandle,
  use: (chunk: Uint8Array) => Promise<void>,
): Promise<Omit<ArchiveFile, 'path'>> {
  const hash = createHash('sha256')
  const { size } = await file.stat()
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size + 1))
  let size_bytes = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) return { size_bytes, sha256: hash.digest('hex') }
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    await use(chunk)
    size_bytes += bytesRead
  }
}

/** @returns false where the file system has no such links */
async function linkTo(existing: string, target: string): Promise<boolean> {
  const temporary = temporaryPath(target)
  try {
    await link(existing, temporary)
    await rename(temporary, target)
    return true
  } catch {
    // A copy serves as well; it will say what is wrong if something is.
    await rm(temporary, { force: true })
    return false
  }
}

/** What names that are one file share; null for a file of one name. */
async function sameFile(path: string): Promise<string | null> {
  try {
    const { dev, ino, nlink } = await stat(path, { bigint: true })
    return nlink > 1n ? `${dev}:${ino}` : null
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'gone' | 'other'> {
  try {
    const found = await stat(path)
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (isMissing(error)) return 'gone'
    throw error
  }
}
