import { hash, randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArchiveFiles, NewArchiveFile } from '../store/postgres/archive-files.ts'
import { forEachAFewAtOnce } from './a-few-at-once.ts'
import { type Bucket, type Digest, digestOf } from './bucket.ts'
import { isInline, isKeptEverywhere } from './kinds.ts'

/** Entries of what was uploaded, and of what was found damaged. */
const maxKnown = 10_000

type Parts = {
  /** The folder of this node's copy. */
  readonly home: string
  readonly bucket: Pick<Bucket, 'keyOf' | 'put' | 'putBytes'>
  readonly files: Pick<ArchiveFiles, 'find' | 'beginUploads'>
}

/** An object that no row names yet. */
type Uploaded = Digest & { readonly object_key: string }

/**
 * Brings files of this node into the bucket, each under a key of its own. What was uploaded when something else failed
 * is not uploaded once more by the next try.
 */
export class Uploads {
  readonly #parts: Parts
  /** By path, what was uploaded and not named. */
  readonly #unnamed = new Map<string, Uploaded>()
  /** Paths whose object was found damaged: they are uploaded though they have a row. */
  readonly #damaged = new Set<string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Uploads those of the files that have no row yet. @returns them, and those that have one */
  async upload(paths: readonly string[]): Promise<{ fresh: NewArchiveFile[]; present: string[] }> {
    const { files, home, bucket } = this.#parts
    const known = new Map((await files.find(paths)).map(file => [file.path, file]))
    const present: string[] = []
    const absent: string[] = []
    for (const path of new Set(paths)) {
      const { size } = await stat(join(home, path))
      // Only a journal grows under its name.
      const isPresent = known.get(path)?.size_bytes === size && !this.#damaged.has(path)
      ;(isPresent ? present : absent).push(path)
    }
    const keys = new Map(
      absent.filter(path => !isInline(path)).map(path => [path, bucket.keyOf(keyFor(path))]),
    )
    await files.beginUploads([...keys.values()])
    const fresh: NewArchiveFile[] = []
    await forEachAFewAtOnce(absent, async path => {
      const key = keys.get(path)
      if (key === undefined) fresh.push(inlineFile(path, await readFile(join(home, path))))
      else if (path.endsWith('.journal')) fresh.push(await this.#uploadJournal(path, key))
      else fresh.push(await this.#uploadFile(path, key))
    })
    return { fresh, present }
  }

  /** Their rows are written; or a sweep was faster, and what was uploaded may be gone. */
  forget(paths: readonly string[]): void {
    for (const path of paths) this.#unnamed.delete(path)
  }

  /** These have rows with whole objects. */
  named(paths: readonly string[]): void {
    this.forget(paths)
    for (const path of paths) this.#damaged.delete(path)
  }

  /** The object of this path is gone or not what was stored: who has the file stores it anew. */
  foundDamaged(path: string): void {
    if (this.#damaged.size >= maxKnown) this.#damaged.clear()
    this.#damaged.add(path)
  }

  /** Whether the object of one of them was found damaged. */
  areDamaged(paths: readonly string[]): boolean {
    return this.#damaged.size > 0 && paths.some(path => this.#damaged.has(path))
  }

  async #uploadFile(path: string, key: string): Promise<NewArchiveFile> {
    const { home, bucket } = this.#parts
    const digest = await digestOf(join(home, path))
    if (isMisnamed(path, digest.sha256))
      throw new Error(`${path} is damaged on this node: its name is not its checksum`)
    const before = this.#unnamed.get(path)
    const isThere = before?.sha256 === digest.sha256
    if (!isThere) await bucket.put(key, join(home, path), digest)
    const uploaded = isThere ? before : { ...digest, object_key: key }
    if (this.#unnamed.size >= maxKnown) this.#unnamed.clear()
    this.#unnamed.set(path, uploaded)
    return { path, ...uploaded, content: null, everywhere: false }
  }

  /** It grows meanwhile: what it is now is read at once. */
  async #uploadJournal(path: string, key: string): Promise<NewArchiveFile> {
    const { home, bucket } = this.#parts
    const bytes = await readFile(join(home, path))
    const digest = await bucket.putBytes(key, bytes)
    return { path, ...digest, object_key: key, content: null, everywhere: false }
  }
}

/** Whether a file is a segment of bars whose name is not its checksum: one of the two is wrong. */
export const isMisnamed = (path: string, sha256: string): boolean =>
  path.endsWith('.arrow') && path.startsWith('bars/') && !path.includes(sha256)

/** A small file, as it lies in its row. */
export function inlineFile(path: string, content: Uint8Array): NewArchiveFile {
  const sha256 = hash('sha256', content)
  return {
    path,
    sha256,
    size_bytes: content.length,
    object_key: null,
    content,
    everywhere: isKeptEverywhere(path),
  }
}

/** A name that was never used, for people to recognise. */
const keyFor = (path: string): string => `${path.replace(/[^A-Za-z0-9._/-]/g, '_')}~${randomUUID()}`
