import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { open, realpath, rm, stat, utimes } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isNativeError } from 'node:util/types'
import { systemClock } from '../clock.ts'
import type { components } from '../openapi.gen.ts'
import { type FieldError, Problem } from '../problems.ts'
import { parseStrategy } from '../strategy/parse.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { writeFileAtomically } from './atomic.ts'
import { isMissing, namesIn } from './folder.ts'
import { isName, snapshotPath, snapshotsFolder, strategiesFolder } from './layout.ts'

export type StrategySummary = components['schemas']['StrategyList']['items'][number]
export type StrategyFile = {
  readonly name: string
  readonly source: 'shipped' | 'stored'
  /** Of the text, UTF-8. */
  readonly sha256: string
  readonly yaml: string
}

/** What a strategy file says, right or wrong. */
export type StrategyReading = {
  /** Null when there are errors. */
  readonly strategy: Strategy | null
  readonly errors: readonly FieldError[]
  readonly warnings: readonly string[]
}

const maxBytes = 256 * 1024
const snapshotGraceMs = 3_600_000

/** Shipped examples and the user's own files, which shadow shipped ones of the same name. */
export class StrategyLibrary {
  private readonly home: string
  private readonly shippedFolder: string

  /** @param home the data folder  @param shippedFolder absolute path of the examples */
  constructor(home: string, shippedFolder: string) {
    this.home = home
    this.shippedFolder = shippedFolder
  }

  /**
   * Removes snapshots that no operation names any more; those of the last hour stay, for operations being accepted.
   * @param inUse sha256 of snapshots that operations name
   */
  async sweep(inUse: ReadonlySet<string>, now = systemClock.now()): Promise<void> {
    for (const name of await namesIn(snapshotsFolder(this.home))) {
      const path = join(snapshotsFolder(this.home), name)
      const isWanted = inUse.has(name.replace(/\.yaml$/, ''))
      if (!isWanted && now - (await stat(path)).mtimeMs > snapshotGraceMs) await rm(path, { force: true })
    }
  }

  /** All strategies by name, valid or not. Files that cannot be strategies are left out: see {@link get}. */
  async list(): Promise<StrategySummary[]> {
    const files = [...(await namesIn(this.shippedFolder)), ...(await namesIn(strategiesFolder(this.home)))]
    const names = files.filter(file => file.endsWith('.yaml')).map(file => file.slice(0, -'.yaml'.length))
    const summaries: StrategySummary[] = []
    for (const name of [...new Set(names)].filter(name => isName('strategy', name)).sort()) {
      const summary = await this.summary(name)
      if (summary !== null) summaries.push(summary)
    }
    return summaries
  }

  /**
   * A strategy's text; null when there is none of that name, or `name` is not a bare name.
   * @throws {Problem} 'strategy-invalid' when the file is too large, not UTF-8, not a file, or a link out of its folder
   */
  async get(name: string): Promise<StrategyFile | null> {
    if (!isName('strategy', name)) return null
    for (const [source, folder] of [
      ['stored', strategiesFolder(this.home)],
      ['shipped', this.shippedFolder],
    ] as const) {
      const bytes = await readInside(folder, `${name}.yaml`)
      if (bytes !== null)
        return { name, source, sha256: hash('sha256', bytes), yaml: decodeText(name, bytes) }
    }
    return null
  }

  /** Keeps a strategy as it is now, for an operation that will read it later. @returns its sha256 */
  async snapshot(yaml: string): Promise<string> {
    const bytes = Buffer.from(yaml)
    const sha256 = hash('sha256', bytes)
    const path = snapshotPath(this.home, sha256)
    const isStored = existsSync(path) && hash('sha256', readFileSync(path)) === sha256
    if (!isStored) await writeFileAtomically(path, bytes)
    else await utimes(path, systemClock.now() / 1000, systemClock.now() / 1000) // wanted again: see `sweep`
    return sha256
  }

  /** As the function {@link readSnapshot}. */
  readSnapshot(sha256: string): string {
    return readSnapshot(this.home, sha256)
  }

  private async summary(name: string): Promise<StrategySummary | null> {
    try {
      const file = await this.get(name)
      if (file === null) return null
      const { strategy } = readStrategy(file.yaml, name)
      const { source, sha256 } = file
      return { name, source, sha256, description: strategy?.description ?? null, valid: strategy !== null }
    } catch (error) {
      if (error instanceof Problem) return null
      throw error
    }
  }
}

/** The strategy that was kept by `snapshot`. Blocks: for workers. @throws {Error} when it is gone or was changed */
export function readSnapshot(home: string, sha256: string): string {
  const path = snapshotPath(home, sha256)
  const bytes = readFileSync(path)
  if (hash('sha256', bytes) !== sha256) throw new Error(`${path} is damaged: its checksum is wrong`)
  return bytes.toString()
}

/**
 * Reads a strategy without throwing at its faults.
 * @param fileName without extension; the strategy must have the same name. Null for a text without a file.
 */
export function readStrategy(yaml: string, fileName: string | null): StrategyReading {
  try {
    const { strategy, warnings } = parseStrategy(yaml)
    if (fileName === null || strategy.name === fileName) return { strategy, errors: [], warnings }
    const message = `the file is ${fileName}.yaml, but the strategy's name is '${strategy.name}'`
    return { strategy: null, errors: [{ pointer: '/name', code: 'name_mismatch', message }], warnings }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const errors =
      error.errors.length > 0 ? error.errors : [{ pointer: '', code: 'invalid', message: error.message }]
    return { strategy: null, errors, warnings: [] }
  }
}

/** The bytes of a file that really lies in `folder`; null when there is none. */
async function readInside(folder: string, file: string): Promise<Uint8Array | null> {
  let path: string
  try {
    path = await realpath(join(folder, file))
    if (!path.startsWith((await realpath(folder)) + sep))
      throw invalid(`${file} is a link that leaves its folder`)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  const handle = await open(path, 'r')
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw invalid(`${file} is not a file`)
    if (stats.size > maxBytes) throw invalid(`${file} has ${stats.size} bytes, more than ${maxBytes}`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

function decodeText(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (isNativeError(error) && error.name === 'TypeError') throw invalid(`${name}.yaml is not UTF-8`)
    throw error
  }
}

const invalid = (detail: string): Problem => new Problem('strategy-invalid', detail)
