import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { datasetFolders } from '../archive/dataset-folders.ts'
import { namesIn } from '../archive/folder.ts'
import { createLayout, isName, modelsFolder, strategiesFolder } from '../archive/layout.ts'
import type { ArchiveFile, ArchiveFiles } from '../store/postgres/archive-files.ts'
import { isKeptEverywhere } from './kinds.ts'

type Parts = { readonly home: string; readonly files: ArchiveFiles }
type Known = Pick<ArchiveFile, 'path' | 'sha256' | 'stored_at'>

/** Says that a copy is complete as far as this process knows; whoever removes the copy removes it too. */
const marker = '.copied'
/** How often it is looked whether everything still lies there. */
const lookMs = 30_000
/** Contents asked for at once. */
const batch = 100

/**
 * The files that every node keeps, in the folder of this one. Their rows are the truth: what has none is removed here,
 * what differs is written again, by a rename each.
 */
export class KeptEverywhere {
  readonly #parts: Parts
  /** By path, what was written here last. */
  readonly #written = new Map<string, string>()
  #seen = -1
  #lookedAt = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Resolves when everything is here that was stored before this was called. */
  refresh(): Promise<void> {
    // The one that runs may have looked before that was stored.
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#running = this.#next
        this.#next = null
        return this.#refresh()
      })
    return this.#next
  }

  /** What lies here under these paths is not known to be right. */
  forget(paths: readonly string[]): void {
    for (const path of paths) this.#written.set(path, '')
    this.#seen = -1
  }

  async #refresh(): Promise<void> {
    const { home, files } = this.#parts
    if (!existsSync(join(home, marker))) await this.#begin()
    const seen = await files.change()
    const isDue = performance.now() - this.#lookedAt > lookMs
    if (seen === this.#seen && !isDue) return
    const rows = await files.everywhere()
    const isRight = (row: Known) =>
      this.#written.get(row.path) === stateOf(row) && !(isDue && !existsSync(join(home, row.path)))
    await this.#write(rows.filter(row => !isRight(row)))
    const present = new Set(rows.map(({ path }) => path))
    for (const path of [...this.#written.keys()]) if (!present.has(path)) await this.#remove(path)
    if (isDue) this.#lookedAt = performance.now()
    this.#seen = seen
  }

  /** A new process, or a copy that was removed: what lies here may be of any age. */
  async #begin(): Promise<void> {
    const { home } = this.#parts
    createLayout(home)
    this.#seen = -1
    this.#written.clear()
    for (const path of await keptIn(home)) this.#written.set(path, '')
    await writeFile(join(home, marker), '')
  }

  /** Called once at the start of a process. */
  async start(): Promise<void> {
    await rm(join(this.#parts.home, marker), { force: true })
    await this.refresh()
  }

  async #write(rows: readonly Known[]): Promise<void> {
    const states = new Map(rows.map(row => [row.path, row]))
    for (let at = 0; at < rows.length; at += batch) {
      const paths = rows.slice(at, at + batch).map(({ path }) => path)
      const found = (await this.#parts.files.find(paths)).filter(({ content }) => content !== null)
      // The manifest last: what lists models looks for it.
      found.sort((a, b) => (a.path < b.path ? 1 : -1))
      for (const file of found) await this.#put(file)
      for (const file of found) if (states.has(file.path)) this.#written.set(file.path, stateOf(file))
    }
  }

  async #put({ path, content, stored_at }: ArchiveFile): Promise<void> {
    const target = join(this.#parts.home, path)
    const temporary = join(dirname(target), `.${randomUUID()}.tmp`)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await writeFile(temporary, content ?? '', { mode: 0o600 })
    if (path.startsWith('strategy-versions/')) await utimes(temporary, stored_at / 1000, stored_at / 1000)
    await rename(temporary, target)
  }

  async #remove(path: string): Promise<void> {
    const target = join(this.#parts.home, path)
    // Of a model that is gone nothing may be found any more.
    if (path.startsWith('models/')) {
      const folder = dirname(target)
      const gone = join(dirname(folder), `.${randomUUID()}.tmp`)
      if (existsSync(folder)) await rename(folder, gone)
      await rm(gone, { recursive: true, force: true })
    } else await rm(target, { force: true })
    this.#written.delete(path)
  }
}

const stateOf = ({ sha256, stored_at }: Known): string => `${sha256} ${stored_at}`

/** Paths of the files in a copy that every node keeps. */
async function keptIn(home: string): Promise<string[]> {
  const found = (await datasetFolders(home)).map(
    ({ symbol, timeframe }) => `bars/${symbol}/${timeframe}/manifest.json`,
  )
  for (const name of await namesIn(strategiesFolder(home))) found.push(`strategies/${name}`)
  for (const name of await namesIn(join(home, 'strategy-versions')))
    for (const file of await namesIn(join(home, 'strategy-versions', name)))
      found.push(`strategy-versions/${name}/${file}`)
  for (const id of (await namesIn(modelsFolder(home))).filter(name => isName('model', name)))
    found.push(`models/${id}/manifest.json`, `models/${id}/published.json`)
  return found.filter(isKeptEverywhere)
}
