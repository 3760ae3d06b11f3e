import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { BucketSettings } from '../config.ts'
import type { BucketArchive } from './bucket-archive.ts'
import { type Copied, copyFiles, filesIn, isManifest, isOfOlderLayout, joined } from './files.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import {
  clearUnfinished,
  markUnfinished,
  readUnfinished,
  refuseUnfinished,
  type Unfinished,
} from './unfinished.ts'

/** Where the files of operations lie: in a folder, or in a bucket, with their names in the database of `url`. */
export type ArchivePlace =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'bucket'; readonly settings: BucketSettings; readonly url: string }

/** An archive that a command works on. Paths are relative to it, with `/`. */
export type Archive = FolderArchive | BucketArchive

/** Files of an archive that were put into another. */
export type MovedFiles = Copied & { readonly bytes: number }

/** An archive that is a folder. */
export class FolderArchive {
  readonly kind = 'folder'
  readonly folder: string
  /** As people know it. */
  readonly name: string
  /** What to do who needs an empty one. */
  readonly anew = 'choose an empty folder, or empty this one'

  constructor(folder: string) {
    this.folder = folder
    this.name = folder
  }

  /** @returns what has begun to fill it and did not end; null: nothing has */
  async unfinished(): Promise<Unfinished | null> {
    return readUnfinished(this.folder)
  }

  /** @throws {Error} that says how to go on, when it was filled only in part */
  async refuseUnfinished(): Promise<void> {
    refuseUnfinished(this.folder)
  }

  /** From now on no server starts on it, until `clear`. */
  mark(what: Unfinished): Promise<void> {
    return markUnfinished(this.folder, what)
  }

  clear(): Promise<void> {
    return clearUnfinished(this.folder)
  }

  /** Of its files, sorted. */
  paths(): Promise<string[]> {
    return filesIn(this.folder)
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) await rm(join(this.folder, path))
  }

  async close(): Promise<void> {}
}

export const isSameArchive = (one: ArchivePlace, other: ArchivePlace): boolean =>
  one.kind === 'folder' && other.kind === 'folder' && resolve(one.folder) === resolve(other.folder)

/** Works on an archive. What a bucket needs is loaded where one is named. @throws {Refusal} when it cannot be reached */
export async function withArchive<T>(
  place: ArchivePlace,
  work: (archive: Archive) => Promise<T>,
): Promise<T> {
  const archive = place.kind === 'folder' ? new FolderArchive(place.folder) : await openBucket(place)
  try {
    return await work(archive)
  } finally {
    await archive.close()
  }
}

async function openBucket(place: ArchivePlace & { readonly kind: 'bucket' }): Promise<BucketArchive> {
  const { BucketArchive } = await import('./bucket-archive.ts')
  return BucketArchive.open(place)
}

/**
 * Makes sure that an archive may be filled: it is empty, or the same command began to fill it. From then on, until it is
 * cleared of the mark, no server starts on it.
 */
export async function beginArchive(archive: Archive, what: Unfinished): Promise<void> {
  const begun = await archive.unfinished()
  if (begun !== null && (begun.command !== what.command || begun.from !== what.from))
    throw new Refusal(
      `In ${archive.name} the ${begun.command} from ${begun.from} did not finish.`,
      `Run that command again, or ${archive.anew}.`,
    )
  const [first] = begun === null ? await archive.paths() : []
  if (first !== undefined)
    throw new Refusal(`${archive.name} is not empty: it holds ${first}.`, `Instead ${archive.anew}.`)
  await archive.mark(what)
}

/** A node of a bucket does not upgrade what it has no copy of. @throws {Refusal} */
export async function refuseOlderLayout(from: Archive, to: Archive): Promise<void> {
  if (to.kind === 'folder') return
  const old = (await from.paths()).find(isOfOlderLayout)
  if (old === undefined) return
  throw new Refusal(
    `${from.name} holds bars in an older layout: ${old}.`,
    'Start this ktrdr once on a data folder with them and stop it again: a backup is restored into one first.',
  )
}

/**
 * Copies a whole archive whose server is stopped. What an interrupted run has copied stays, what the source does not
 * hold (any more) is removed. Manifests go last: what they name is there before them.
 */
export async function moveArchive(from: Archive, to: Archive, progress: Progress): Promise<MovedFiles> {
  const paths = await from.paths()
  const wanted = new Set(paths)
  await to.remove((await to.paths()).filter(path => !wanted.has(path)))
  const counting = countFiles(progress, paths.length)
  const others = paths.filter(path => !isManifest(path))
  const first = await copyBetween(from, to, others, counting)
  const last = await copyBetween(from, to, paths.filter(isManifest), counting)
  progress.end()
  return summed([first, last])
}

/** Copies files of one archive into another. @param onFile told of each that is done */
export async function copyBetween(
  from: Archive,
  to: Archive,
  paths: readonly string[],
  onFile: () => void,
): Promise<Copied> {
  if (to.kind === 'folder') {
    if (from.kind === 'bucket') return from.receive(paths, to.folder, onFile)
    return copyFiles(paths, { from: from.folder, to: to.folder }, onFile)
  }
  if (from.kind === 'folder') return to.send(paths, from.folder, onFile)
  return copyThroughDisk(from, to, paths, onFile)
}

/** Files that lie on the disk between two buckets. */
const onDisk = 16

async function copyThroughDisk(
  from: BucketArchive,
  to: BucketArchive,
  paths: readonly string[],
  onFile: () => void,
): Promise<Copied> {
  const copies: Copied[] = []
  for (let at = 0; at < paths.length; at += onDisk) {
    const folder = await mkdtemp(join(tmpdir(), 'ktrdr-transfer-'))
    try {
      const received = await from.receive(paths.slice(at, at + onDisk), folder, () => undefined)
      const names = received.files.map(({ path }) => path)
      copies.push({ files: [], kept: 0, damaged: received.damaged }, await to.send(names, folder, onFile))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return joined(copies)
}

export function summed(copies: readonly Copied[]): MovedFiles {
  const all = joined(copies)
  return { ...all, bytes: all.files.reduce((sum, { size_bytes }) => sum + size_bytes, 0) }
}

/** @param total null when it is not known */
export function countFiles(progress: Progress, total: number | null): () => void {
  let done = 0
  return () => {
    done += 1
    progress.count('files', done, total)
  }
}
