import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock, toRfc3339 } from '../clock.ts'
import type { Bars } from '../market/bars.ts'
import { isTimeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { syncFolder, temporaryPath, writeFileAtomically } from './atomic.ts'
import { isMissing } from './folder.ts'
import { datasetFolder, isName } from './layout.ts'

/** A dataset as the API shows it. */
export type Dataset = components['schemas']['Dataset']
/** What `manifest.json` holds: everything a `Dataset` shows, so that listing opens no bars. */
export type Manifest = Dataset

export const manifestPath = (home: string, symbol: string, timeframe: string): string =>
  join(datasetFolder(home, symbol, timeframe), 'manifest.json')

/** The manifest of bars about to be published. @throws {Problem} 'bars-invalid' when there are none */
export function describeBars(
  dataset: { readonly symbol: string; readonly timeframe: string },
  bars: Bars,
  facts: { readonly source: string; readonly now: number; readonly sha256: string; readonly size: number },
): Manifest {
  const { symbol, timeframe } = dataset
  if (!isTimeframe(timeframe)) throw new Error(`${timeframe} is not a timeframe`)
  const first = bars.time[0]
  const last = bars.time[bars.length - 1]
  if (first === undefined || last === undefined)
    throw new Problem('bars-invalid', `there are no bars of ${symbol} ${timeframe}`)
  return {
    symbol,
    timeframe,
    source: facts.source,
    bars: bars.length,
    first_time: toRfc3339(first),
    last_time: toRfc3339(last),
    sha256: facts.sha256,
    fetched_at: toRfc3339(facts.now),
    adjustment: 'none',
    size_bytes: facts.size,
  }
}

/**
 * The manifest in the folder of a dataset, or null. A file system that ignores case may hand out the one of another:
 * whoever asked must compare.
 * @throws {Error} when it is damaged
 */
export async function readManifest(
  home: string,
  symbol: string,
  timeframe: string,
): Promise<Manifest | null> {
  const path = manifestPath(home, symbol, timeframe)
  try {
    return parseManifest(path, await readFile(path, 'utf8'))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** A lock that is older was left behind by a thread that was killed while it held it. */
const abandonedMs = 5_000
const lockPauseMs = 5

/**
 * Makes `manifest` the dataset's, if the present one is as expected. Look and replacement are one step for all
 * threads: a lock file is held for the microseconds they take.
 * @returns false when it is not, and nothing was changed
 */
export async function replaceManifest(
  home: string,
  manifest: Manifest,
  isExpected: (present: Manifest | null) => boolean,
): Promise<boolean> {
  const path = manifestPath(home, manifest.symbol, manifest.timeframe)
  const fresh = temporaryPath(path)
  await writeFileAtomically(fresh, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  const lock = `${path}.lock`
  while (!takeLock(lock)) await new Promise(resolve => setTimeout(resolve, lockPauseMs))
  try {
    const present = existsSync(path) ? parseManifest(path, readFileSync(path, 'utf8')) : null
    const expected = isExpected(present)
    if (expected) renameSync(fresh, path)
    else rmSync(fresh)
    return expected
  } finally {
    rmSync(lock, { force: true })
    await syncFolder(dirname(path))
  }
}

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'))
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    const takenAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
    if (takenAt !== undefined && systemClock.now() - takenAt > abandonedMs) rmSync(lock, { force: true })
    return false
  }
}

/** @throws {Error} when someone else has written into the file */
function parseManifest(path: string, text: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is damaged`, { cause: error })
  }
  if (!isManifest(value)) throw new Error(`${path} is damaged`)
  return value
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false
  const { symbol, timeframe, sha256, bars, first_time, last_time } = value as Partial<
    Record<keyof Manifest, unknown>
  >
  if (typeof symbol !== 'string' || !isName('symbol', symbol)) return false
  if (typeof timeframe !== 'string' || !isTimeframe(timeframe)) return false
  if (typeof sha256 !== 'string' || !isName('sha256', sha256)) return false
  return Number.isInteger(bars) && isTime(first_time) && isTime(last_time)
}

const isTime = (value: unknown): boolean => typeof value === 'string' && Number.isFinite(Date.parse(value))
