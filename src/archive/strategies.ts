import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { open, realpath, rm, stat, utimes } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isNativeError } from 'node:util/types'
import { systemClock } from '../clock.ts'
import type { components } from '../openapi.gen.ts'
import { type FieldError, Problem } from '../problems.ts'
import { nearest } from '../strategy/nearest.ts'
import { parseStrategy } from '../strategy/parse.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { writeFileAtomically } from './atomic.ts'
import { isCopy, refresh, replaceFile, storeFiles, sweepStored } from './exchange.ts'
import { isMissing, namesIn } from './folder.ts'
import {
  isName,
  snapshotPath,
  snapshotsFolder,
  strategiesFolder,
  strategyNameFault,
  strategyPath,
  strategyVersionPath,
} from './layout.ts'
import { checkWrite, type Precondition } from './precondition.ts'
import { keepVersion, listVersions, readStrategyVersion, type StrategyVersion } from './strategy-versions.ts'

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

export const maxStrategyBytes = 256 * 1024
const snapshotGraceMs = 3_600_000

/** Shipped examples and the user's own files, which shadow shipped ones of the same name. */
export class StrategyLibrary {
  private readonly home: string
  private readonly shippedFolder: string
  /** The last write; the next one waits for it, so that a condition holds until what it allowed is done. */
  private writing: Promise<unknown> = Promise.resolve()

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
    await sweepStored(this.home, 'snapshots', inUse)
    for (const name of await namesIn(snapshotsFolder(this.home))) {
      const path = join(snapshotsFolder(this.home), name)
      const isWanted = inUse.has(name.replace(/\.yaml$/, ''))
      if (!isWanted && now - (await stat(path)).mtimeMs > snapshotGraceMs) await rm(path, { force: true })
    }
  }

  /** All strategies by name, valid or not. Files that cannot be strategies are left out: see {@link get}. */
  async list(): Promise<StrategySummary[]> {
    const summaries: StrategySummary[] = []
    for (const name of [...(await this.names())].sort()) {
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

  /**
   * What is answered where {@link get} gives null: 'strategy-not-found', with the name that may be meant.
   * @param errors where in the request the name stands
   */
  async notFound(name: string, errors: readonly FieldError[] = []): Promise<Problem> {
    const guess = nearest(name, [...(await this.names())].sort())
    const meant = guess === null ? '' : `Did you mean '${guess}'? `
    return new Problem('strategy-not-found', `There is no strategy '${name}'.`, {
      hint: `${meant}GET /api/v1/strategies lists the names.`,
      errors,
    })
  }

  /**
   * Stores a strategy under its name, in front of a shipped one. The text it replaces is kept as a version. What is there
   * already is left alone, whatever the condition.
   * @throws {Problem} 'strategy-invalid' with all faults, for a name that not every file system can hold too;
   * 'precondition-failed', 'precondition-required'
   */
  put(
    name: string,
    yaml: string,
    precondition: Precondition,
  ): Promise<{ file: StrategyFile; created: boolean }> {
    const fault = strategyNameFault(name)
    const errors = fault === null ? readStrategy(yaml, name).errors : [faultOfName(fault)]
    if (errors.length > 0) return Promise.reject(refused(name, errors))
    return this.inTurn(async () => {
      for (;;) {
        const current = await this.latest(name)
        await this.checkCase(name)
        const sha256 = hash('sha256', Buffer.from(yaml))
        if (current?.sha256 === sha256 && precondition.ifNoneMatch === undefined)
          return { file: current, created: false }
        checkWrite(name, current?.sha256 ?? null, precondition)
        if (current?.source === 'stored') await keepVersion(this.home, name, { ...current, stored: 'before' })
        const wasKept = await keepVersion(this.home, name, { sha256, yaml, stored: 'now' })
        if (await this.replace(name, current, { sha256, yaml }))
          return { file: { name, source: 'stored', sha256, yaml }, created: current === null }
        // Another node was faster: this text was never stored.
        if (!wasKept) await rm(strategyVersionPath(this.home, name, sha256), { force: true })
      }
    })
  }

  /**
   * Removes a stored strategy; its versions stay, and a shipped one of that name is back.
   * @throws {Problem} 'strategy-not-found', 'strategy-shipped', 'precondition-failed'
   */
  remove(name: string, precondition: Pick<Precondition, 'ifMatch'>): Promise<void> {
    return this.inTurn(async () => {
      for (;;) {
        const current = await this.latest(name)
        if (current === null) throw await this.notFound(name)
        if (current.source === 'shipped')
          throw new Problem('strategy-shipped', `'${name}' came with the server and cannot be deleted.`)
        if (precondition.ifMatch !== undefined) checkWrite(name, current.sha256, precondition)
        await keepVersion(this.home, name, { ...current, stored: 'before' })
        if (await this.replace(name, current, null)) return
      }
    })
  }

  /** Every text that was stored under a name, newest first; none for a name that was never stored. */
  async versions(name: string): Promise<readonly StrategyVersion[]> {
    if (!isName('strategy', name)) return []
    const current = await this.get(name)
    return listVersions(this.home, name, current)
  }

  /** A version by its sha256, what is there now included; null when it is not kept. */
  async version(name: string, sha256: string): Promise<StrategyFile | null> {
    const current = await this.get(name)
    if (current === null || current.sha256 !== sha256) return readStrategyVersion(this.home, name, sha256)
    return current
  }

  /** Keeps a strategy as it is now, for an operation that will read it later. @returns its sha256 */
  async snapshot(yaml: string): Promise<string> {
    const bytes = Buffer.from(yaml)
    const sha256 = hash('sha256', bytes)
    const path = snapshotPath(this.home, sha256)
    const isStored = existsSync(path) && hash('sha256', readFileSync(path)) === sha256
    if (!isStored) await writeFileAtomically(path, bytes)
    else await utimes(path, systemClock.now() / 1000, systemClock.now() / 1000) // wanted again: see `sweep`
    await storeFiles(this.home, [path])
    return sha256
  }

  /** As the function {@link readSnapshot}. */
  readSnapshot(sha256: string): string {
    return readSnapshot(this.home, sha256)
  }

  private async latest(name: string): Promise<StrategyFile | null> {
    await refresh(this.home)
    return this.get(name)
  }

  /**
   * Writes or removes a stored text. Where other nodes have copies, they are asked whether it is still what this one saw.
   * @param next null: it goes  @returns false when it is not: look again
   */
  private async replace(
    name: string,
    current: StrategyFile | null,
    next: Pick<StrategyFile, 'sha256' | 'yaml'> | null,
  ): Promise<boolean> {
    const path = strategyPath(this.home, name)
    if (!isCopy(this.home)) {
      if (next === null) await rm(path, { force: true })
      else await writeFileAtomically(path, Buffer.from(next.yaml))
      return true
    }
    const outcome = await replaceFile(this.home, {
      path,
      expected: current?.source === 'stored' ? current.sha256 : null,
      text: next?.yaml ?? null,
      needs: next === null ? [] : [strategyVersionPath(this.home, name, next.sha256)],
      touched: [],
    })
    return outcome === 'replaced'
  }

  private inTurn<T>(write: () => Promise<T>): Promise<T> {
    const turn = this.writing.then(write, write)
    this.writing = turn.catch(() => undefined)
    return turn
  }

  /** Of all files, stored and shipped. */
  private async names(): Promise<ReadonlySet<string>> {
    const files = [...(await namesIn(this.shippedFolder)), ...(await namesIn(strategiesFolder(this.home)))]
    const names = files.filter(file => file.endsWith('.yaml')).map(file => file.slice(0, -'.yaml'.length))
    return new Set(names.filter(name => isName('strategy', name)))
  }

  /** Where a file system knows no case, the one would take the other's file. @throws {Problem} 'strategy-invalid' */
  private async checkCase(name: string): Promise<void> {
    const names = await this.names()
    if (names.has(name)) return
    const same = [...names].find(other => other.toLowerCase() === name.toLowerCase())
    if (same === undefined) return
    throw refused(name, [faultOfName(`the strategy '${same}' is there already and differs only in case`)])
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
    if (stats.size > maxStrategyBytes)
      throw invalid(`${file} has ${stats.size} bytes, more than ${maxStrategyBytes}`)
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

const faultOfName = (message: string): FieldError => ({ pointer: '/name', code: 'name', message })

function refused(name: string, errors: readonly FieldError[]): Problem {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const at = first?.line === undefined ? '' : `line ${first.line}: `
  return new Problem('strategy-invalid', `'${name}' was not stored: ${at}${first?.message}${more}`, {
    errors,
  })
}

const invalid = (detail: string): Problem => new Problem('strategy-invalid', detail)
