import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isMissing } from './folder.ts'

/**
 * Writes a file so that a reader sees all of it or none, at any moment and after a power cut: temporary
 * name in the same folder → fsync → rename → fsync of the folder. Missing folders are made.
 * A writer killed half-way leaves only a temporary file, see {@link isTemporary}.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryPath(path)
  try {
    const file = await create(temporary)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** As {@link writeFileAtomically}, for worker threads, which may block. */
export function writeFileAtomicallySync(path: string, bytes: Uint8Array): void {
  const temporary = temporaryPath(path)
  try {
    writeNewFileSync(temporary, bytes)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolderSync(dirname(path))
}

/** Whether a bare file name is that of a write which has not finished, or never will. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}

/** Writes a file that is on disk when this returns, under a name that nothing has yet. Missing folders are made. */
export function writeNewFileSync(path: string, bytes: Uint8Array): void {
  const file = createSync(path)
  try {
    writeFileSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const fileMode = 0o600
const folderMode = 0o700

/** A name beside `path` that {@link isTemporary} knows. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
}

async function create(path: string): Promise<FileHandle> {
  await makeFolder(dirname(path))
  try {
    return await open(path, 'wx', fileMode)
  } catch (error) {
    if (!isMissing(error)) throw error
    // A sweep has found the folder empty and removed it.
    await makeFolder(dirname(path))
    return open(path, 'wx', fileMode)
  }
}

/** Opens a file that nothing is at yet, readable by its owner alone. Missing folders are made. @param flags as `open` takes them */
export function createSync(path: string, flags: string | number = 'wx'): number {
  makeFolderSync(dirname(path))
  try {
    return openSync(path, flags, fileMode)
  } catch (error) {
    if (!isMissing(error)) throw error
    makeFolderSync(dirname(path))
    return openSync(path, flags, fileMode)
  }
}

/** Makes a folder, readable by its owner alone, that survives a power cut. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: folderMode })
  if (first === undefined) return
  for (const parent of parentsUpTo(folder, first)) await syncFolder(parent)
}

function makeFolderSync(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: folderMode })
  if (first === undefined) return
  for (const parent of parentsUpTo(folder, first)) syncFolderSync(parent)
}

/** The folders that gained an entry when `first` and everything below it down to `folder` were made. */
function parentsUpTo(folder: string, first: string): readonly string[] {
  const parents = [dirname(folder)]
  for (let at = folder; at !== first && dirname(at) !== at; at = dirname(at))
    parents.push(dirname(dirname(at)))
  return parents
}

/** Windows cannot open a folder, and keeps its entries by its own journal. */
const canSyncFolders = process.platform !== 'win32'

/** Makes what was renamed in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  if (!canSyncFolders) return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** As {@link syncFolder}, for worker threads. */
export function syncFolderSync(folder: string): void {
  if (!canSyncFolders) return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
