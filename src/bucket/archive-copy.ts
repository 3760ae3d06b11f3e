import { existsSync } from 'node:fs'
import { stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExchangeShapes, Replacing } from '../archive/exchange.ts'
import { isMissing, namesIn } from '../archive/folder.ts'
import { systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { ArchiveFile, ArchiveFiles } from '../store/postgres/archive-files.ts'
import { forEachAFewAtOnce } from './a-few-at-once.ts'
import type { Bucket } from './bucket.ts'
import { download, isDamaged } from './download.ts'
import { KeptEverywhere } from './kept-everywhere.ts'
import { isKeptEverywhere } from './kinds.ts'
import { inlineFile, Uploads } from './uploads.ts'

/** A copy of a file so old may be about to be cleared away: it is made young before somebody reads it. */
const youngMs = 600_000
/** What was said to be wanted is not said again for so long; the sweep leaves it for an hour. */
const wantedMs = 600_000
/** Entries of what was said. */
const maxWanted = 10_000
/** Tries to store what a sweep was faster with. */
const maxTries = 5

type Parts = {
  /** The folder of this node's copy. */
  readonly home: string
  readonly bucket: Bucket
  readonly files: ArchiveFiles
  readonly log: Log
}

/**
 * This node's copy of an archive in a bucket. Names are in the database, one row per file: what has a row exists for all
 * nodes, its bytes were uploaded before, under a key that is used once. A file that never changes is brought here when
 * somebody needs it, checked by length and SHA-256; what can change is small, lies in the row, and is kept by every node.
 */
export class ArchiveCopy {
  readonly #parts: Parts
  readonly #kept: KeptEverywhere
  readonly #uploads: Uploads
  /** By path: whoever needs a file that is on its way waits for it. */
  readonly #coming = new Map<string, Promise<void>>()
  /** By path, the last change that is under way. */
  readonly #replacing = new Map<string, Promise<void>>()
  /** When a file was last said to be wanted. */
  readonly #wanted = new Map<string, number>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#kept = new KeptEverywhere(parts)
    this.#uploads = new Uploads(parts)
  }

  /** To be called once, before anything else. */
  start(): Promise<void> {
    return this.#kept.start()
  }

  /** See `ExchangeShapes`, also for the others. */
  refresh(): Promise<void> {
    return this.#kept.refresh()
  }

  async fetch({ paths, folders }: ExchangeShapes['fetch']['data']): Promise<void> {
    const { files } = this.#parts
    const absent: string[] = []
    for (const path of paths) if (!(await this.#isHere(path))) absent.push(path)
    const found = await files.find(absent)
    for (const folder of folders)
      for (const file of await files.below(folder))
        if (!(await this.#isHere(file.path, file.size_bytes))) found.push(file)
    // One that is damaged keeps none of the others: of checkpoints an older one serves.
    await forEachAFewAtOnce(found, file => this.#bring(file), isDamaged)
  }

  async fetchVersions({ sha256, folder }: ExchangeShapes['fetch-versions']['data']): Promise<void> {
    const { files } = this.#parts
    const names = sha256.map(one => `${one}.json`)
    const isAsked = ({ path }: ArchiveFile) =>
      path.startsWith(folder === null ? 'bars/' : `${folder}/versions/`) && path.includes('/versions/')
    for (const version of (await files.named(names)).filter(isAsked)) {
      if (!(await this.#isHere(version.path))) await this.#bring(version)
      await this.fetch({ paths: segmentsOf(version), folders: [] })
    }
  }

  async store({ paths, folders }: ExchangeShapes['store']['data']): Promise<void> {
    const all = [...paths]
    for (const folder of folders) all.push(...(await this.#filesIn(folder)))
    if (all.every(path => this.#isKnownAsWanted(path)) && !this.#uploads.areDamaged(all)) return
    for (let n = 0; n < maxTries; n++) {
      const { fresh, present } = await this.#uploads.upload(all)
      const change = { files: fresh, needs: present, replace: null, touched: [] }
      if ((await this.#parts.files.store(change)) === 'stored') {
        for (const path of all) this.#wanted.set(path, performance.now())
        this.#uploads.named(all)
        return this.#settle(all)
      }
      this.#uploads.forget(all)
    }
    throw new Error(`${all[0]} and its neighbours were swept ${maxTries} times`)
  }

  /** Changes of one file wait for each other: most of those that come too late hear so before they upload anything. */
  async replace(replacing: Replacing): Promise<ExchangeShapes['replace']['answer']> {
    const { path } = replacing
    const before = this.#replacing.get(path) ?? Promise.resolve()
    const replaced = before.then(() => this.#replace(replacing))
    const over = replaced.then(
      () => undefined,
      () => undefined,
    )
    this.#replacing.set(path, over)
    try {
      return await replaced
    } finally {
      if (this.#replacing.get(path) === over) this.#replacing.delete(path)
    }
  }

  async #replace(replacing: Replacing): Promise<ExchangeShapes['replace']['answer']> {
    const { path, expected, text, touched } = replacing
    const { files, home } = this.#parts
    const [present] = await files.find([path])
    if ((present?.sha256 ?? null) !== expected) {
      await this.refresh()
      return 'changed'
    }
    if (replacing.needs.some(need => !existsSync(join(home, need)))) return 'swept'
    const { fresh, present: needs } = await this.#uploads.upload(replacing.needs)
    const replacement = text === null ? [] : [inlineFile(path, Buffer.from(text))]
    const outcome = await files.store({
      files: [...fresh, ...replacement],
      needs,
      replace: { path, expected, gone: text === null },
      touched,
    })
    if (outcome === 'swept') {
      this.#uploads.forget(replacing.needs)
      return 'swept'
    }
    if (outcome === 'stored') this.#uploads.named(replacing.needs)
    await this.refresh()
    return outcome === 'changed' ? 'changed' : 'replaced'
  }

  async remove({ paths, folder, spared }: ExchangeShapes['remove']['data']): Promise<void> {
    await this.#parts.files.remove(paths, folder, spared)
    if ([...paths, folder ?? ''].some(path => isKeptEverywhere(path) || path.startsWith('models/')))
      await this.refresh()
  }

  async names({ folder }: ExchangeShapes['names']['data']): Promise<string[]> {
    return (await this.#parts.files.below(folder)).map(({ path }) => path)
  }

  /** What another node was faster to store under the same name is what all have. */
  async #settle(paths: readonly string[]): Promise<void> {
    const kept = paths.filter(isKeptEverywhere)
    if (kept.length === 0) return
    this.#kept.forget(kept)
    await this.refresh()
  }

  #isKnownAsWanted(path: string): boolean {
    if (this.#wanted.size > maxWanted) this.#wanted.clear()
    if (!/^(bars\/.*\/versions|snapshots)\//.test(path)) return false
    return performance.now() - (this.#wanted.get(path) ?? Number.NEGATIVE_INFINITY) < wantedMs
  }

  /** @param bytes it must have, if it may have grown */
  async #isHere(path: string, bytes: number | null = null): Promise<boolean> {
    const at = join(this.#parts.home, path)
    try {
      const { size, mtimeMs } = await stat(at)
      if (bytes !== null && size !== bytes) return false
      // By the clock of the disk, as whoever clears away does.
      const now = systemClock.now()
      if (!isKeptEverywhere(path) && now - mtimeMs > youngMs) await utimes(at, now / 1000, now / 1000)
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  #bring(file: ArchiveFile): Promise<void> {
    const coming = this.#coming.get(file.path)
    if (coming !== undefined) return coming
    const bringing = this.#receive(file).finally(() => this.#coming.delete(file.path))
    this.#coming.set(file.path, bringing)
    return bringing
  }

  async #receive(file: ArchiveFile): Promise<void> {
    try {
      await download(this.#parts, file, join(this.#parts.home, file.path))
    } catch (error) {
      if (isDamaged(error)) this.#uploads.foundDamaged(file.path)
      throw error
    }
  }

  async #filesIn(folder: string): Promise<string[]> {
    const names = await namesIn(join(this.#parts.home, folder))
    const paths = names.filter(name => !name.startsWith('.')).map(name => `${folder}/${name}`)
    if (paths.length === 0) throw new Error(`there is nothing in ${folder} to store`)
    return paths
  }
}

function segmentsOf({ path, content }: ArchiveFile): string[] {
  const version: unknown = content === null ? null : JSON.parse(Buffer.from(content).toString())
  if (typeof version !== 'object' || version === null || !('segments' in version)) return []
  if (!Array.isArray(version.segments)) return []
  const folder = path.replace(/versions\/[^/]*$/, 'segments')
  return version.segments.map(({ sha256 }: { sha256: string }) => `${folder}/${sha256}.arrow`)
}
