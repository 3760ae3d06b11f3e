import { stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { syncFolder } from '../archive/atomic.ts'
import { forEachAFewAtOnce } from '../bucket/a-few-at-once.ts'
import { type Bucket, describeBucket } from '../bucket/bucket.ts'
import { download, isDamaged } from '../bucket/download.ts'
import { reachBucket } from '../bucket/reach.ts'
import { inlineFile, isMisnamed, Uploads } from '../bucket/uploads.ts'
import { ConfigError } from '../config.ts'
import type { Log } from '../log.ts'
import { type ArchiveFile, ArchiveFiles, type NewArchiveFile } from '../store/postgres/archive-files.ts'
import { Reader } from '../store/postgres/connection.ts'
import { PostgresTables, refuseRunningNodes } from '../store/postgres/tables.ts'
import type { ArchivePlace } from './archives.ts'
import { type Copied, hashFile } from './files.ts'
import { Refusal } from './refusal.ts'
import {
  findUnfinished,
  markerName,
  refuseUnfinishedNames,
  type Unfinished,
  unfinishedContent,
} from './unfinished.ts'

/** Files whose names are asked for, or given, at once. */
const batch = 64
const connections = 2

/** What cannot be done is told by the end of the command. */
const noLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** An archive in a bucket, as `FolderArchive` is one in a folder. Nodes may run on it while it is read. */
export class BucketArchive {
  readonly kind = 'bucket'
  readonly name: string
  readonly anew = 'name a new database (the names of the files are in it)'
  readonly #url: string
  readonly #bucket: Bucket
  readonly #reader: Reader
  readonly #files: ArchiveFiles

  /** Does not ask the database for anything. @throws {Refusal} when the bucket cannot be used */
  static async open({ settings, url }: ArchivePlace & { readonly kind: 'bucket' }): Promise<BucketArchive> {
    try {
      const bucket = await reachBucket(settings, tmpdir(), noLog)
      return new BucketArchive(describeBucket(settings), url, bucket)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const faults = error.faults.join('; ').replace(/\.?$/, '.')
      throw new Refusal(faults, 'Correct the environment, then run the command again.')
    }
  }

  private constructor(name: string, url: string, bucket: Bucket) {
    this.name = name
    this.#url = url
    this.#bucket = bucket
    this.#reader = new Reader(url, noLog, connections)
    this.#files = new ArchiveFiles(this.#reader)
  }

  unfinished(): Promise<Unfinished | null> {
    return findUnfinished(this.#files)
  }

  /** @throws {Error} also when the database has no tables of ktrdr */
  async refuseUnfinished(): Promise<void> {
    await (await PostgresTables.open(this.#url)).close()
    await refuseUnfinishedNames(this.name, this.#files)
  }

  /** @throws {Refusal} when a node was faster: each looks for the mark when it has said that it runs */
  async mark(what: Unfinished): Promise<void> {
    const isNew = (await this.unfinished()) === null
    await this.#store([inlineFile(markerName, unfinishedContent(what))])
    try {
      await refuseRunningNodes(this.#url)
    } catch (error) {
      if (isNew) await this.clear()
      throw new Refusal(
        `${this.name}: ${error instanceof Error ? error.message : String(error)}.`,
        'Then run the command again.',
      )
    }
  }

  clear(): Promise<void> {
    return this.#files.remove([markerName])
  }

  async paths(): Promise<string[]> {
    return (await this.#files.paths()).filter(path => path !== markerName)
  }

  /** Their objects are deleted by the next node that starts. */
  remove(paths: readonly string[]): Promise<void> {
    return this.#files.remove(paths)
  }

  /**
   * Writes files into a folder, whole and with the bytes that were stored, or not at all. One that is there with these
   * bytes stays; one that is gone from the bucket is left out, one whose object is damaged is left out and told.
   */
  async receive(paths: readonly string[], folder: string, onFile: () => void): Promise<Copied> {
    const copied = newCopied()
    for (const some of batchesOf(paths))
      await forEachAFewAtOnce(await this.#files.find(some), async file => {
        const target = join(folder, file.path)
        const isThere = (await hashFile(target))?.sha256 === file.sha256
        const received = isThere ? file : await this.#download(file, target, copied)
        if (received === null) return
        const { path, size_bytes, sha256, stored_at } = received
        await utimes(target, stored_at / 1000, stored_at / 1000)
        copied.files.push({ path, size_bytes, sha256 })
        if (isThere) copied.kept += 1
        onFile()
      })
    for (const one of new Set(copied.files.map(({ path }) => dirname(join(folder, path)))))
      await syncFolder(one)
    return copied
  }

  async #download(file: ArchiveFile, target: string, { damaged }: Copying): Promise<ArchiveFile | null> {
    const parts = { bucket: this.#bucket, files: this.#files, log: noLog }
    try {
      return await download(parts, file, target)
    } catch (error) {
      if (!isDamaged(error)) throw error
      damaged.push({ path: file.path, what: error.message })
      return null
    }
  }

  /**
   * Uploads files of a folder, then names them; they keep their age. One that is named with the same bytes stays; a segment
   * whose name is not its checksum is left out and told.
   */
  async send(paths: readonly string[], folder: string, onFile: () => void): Promise<Copied> {
    const copied = newCopied()
    const uploads = new Uploads({ home: folder, bucket: this.#bucket, files: this.#files })
    for (const some of batchesOf(paths)) {
      const named = new Map((await this.#files.find(some)).map(({ path, sha256 }) => [path, sha256]))
      const ages = new Map<string, number>()
      const wanted: string[] = []
      await forEachAFewAtOnce(some, async path => {
        const digest = await hashFile(join(folder, path))
        if (digest === null) return
        if (isMisnamed(path, digest.sha256)) {
          copied.damaged.push({ path, what: `${path} is damaged: its name is not its checksum.` })
          return
        }
        ages.set(path, Math.round((await stat(join(folder, path))).mtimeMs))
        if (named.get(path) === digest.sha256) {
          copied.kept += 1
          copied.files.push({ path, ...digest })
        } else wanted.push(path)
      })
      // Those that have a row have it for other bytes.
      for (const path of wanted) uploads.foundDamaged(path)
      const { fresh } = await uploads.upload(wanted)
      await this.#store(fresh)
      uploads.named(wanted)
      for (const { path, size_bytes, sha256 } of fresh) copied.files.push({ path, size_bytes, sha256 })
      await this.#files.date(ages)
      for (const _ of ages) onFile()
    }
    return copied
  }

  async #store(files: readonly NewArchiveFile[]): Promise<void> {
    const outcome = await this.#files.store({ files, needs: [], replace: null, touched: [] })
    if (outcome !== 'stored')
      throw new Error(`what was uploaded to ${this.name} was swept before it was named`)
  }

  async close(): Promise<void> {
    this.#bucket.close()
    await this.#reader.close()
  }
}

/** As `Copied`, while it grows. */
type Copying = {
  readonly files: Copied['files'][number][]
  readonly damaged: Copied['damaged'][number][]
  kept: number
}

const newCopied = (): Copying => ({ files: [], damaged: [], kept: 0 })

function* batchesOf(paths: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < paths.length; at += batch) yield paths.slice(at, at + batch)
}
