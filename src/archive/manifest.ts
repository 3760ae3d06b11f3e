import { hash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemClock, toRfc3339 } from '../clock.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import type { FailedInterval, Interval } from '../market/intervals.ts'
import { isTimeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { makeFolder, syncFolder, temporaryPath, writeFileAtomically } from './atomic.ts'
import { isCopy, refresh, replaceFile } from './exchange.ts'
import { isMissing } from './folder.ts'
import { type DatasetName, isName, manifestPath, segmentPath, versionPath } from './layout.ts'
import { withLock } from './lock.ts'
import { identityOf, type SegmentFacts, sortActions } from './version.ts'

/** A dataset as the API shows it. */
export type Dataset = Readonly<components['schemas']['Dataset']>

/** The dataset that bars were made of by resampling. */
export type ResampledFrom = NonNullable<Dataset['resampled_from']>

/** A segment of the dataset as it is now. */
export type StoredSegment = SegmentFacts & { readonly size_bytes: number }

/** What `manifest.json` holds: everything a `Dataset` shows, so that listing opens no bars, and what only the server needs. */
export type Manifest = Dataset & {
  /** Oldest first. */
  readonly partitions: readonly StoredSegment[]
  /** Times the vendor has answered for, whether it had bars there or not; oldest first, at most 1,000. */
  readonly fetched: readonly Interval[]
  /** Times a vendor did not deliver, in the order they were noted; at most 1,000. */
  readonly failed: readonly FailedInterval[]
  readonly actions: readonly CorporateAction[]
}

/** What the API shows of a manifest. */
export function datasetOf(manifest: Manifest): Dataset {
  const {
    partitions: _partitions,
    fetched: _fetched,
    failed: _failed,
    actions: _actions,
    ...shown
  } = manifest
  return shown
}

/** What a manifest is made of beside the bars. */
export type ManifestFacts = {
  readonly source: string
  /** Epoch ms. */
  readonly now: number
  readonly calendar: string
  readonly resampledFrom: ResampledFrom | null
} & Pick<Manifest, 'fetched' | 'failed' | 'actions'>

/** The manifest of segments about to be published, oldest first. @throws {Problem} 'bars-invalid' when there are none */
export function describeDataset(
  { symbol, timeframe }: DatasetName,
  partitions: readonly StoredSegment[],
  facts: ManifestFacts,
): Manifest {
  if (!isTimeframe(timeframe)) throw new Error(`${timeframe} is not a timeframe`)
  const [first, last] = [partitions[0], partitions[partitions.length - 1]]
  if (first === undefined || last === undefined)
    throw new Problem('bars-invalid', `there are no bars of ${symbol} ${timeframe}`)
  const { source, calendar, fetched, failed } = facts
  const actions = sortActions(facts.actions)
  const total = (count: (segment: StoredSegment) => number) =>
    partitions.reduce((sum, segment) => sum + count(segment), 0)
  const kinds = (kind: CorporateAction['kind']) => actions.filter(action => action.kind === kind).length
  return {
    symbol,
    timeframe,
    source,
    calendar,
    bars: total(segment => segment.bars),
    first_time: toRfc3339(first.first_ms),
    last_time: toRfc3339(last.last_ms),
    sha256: identityOf({ timeframe, adjustment: 'none', calendar, segments: partitions, actions }),
    fetched_at: toRfc3339(facts.now),
    adjustment: 'none',
    splits: kinds('split'),
    dividends: kinds('dividend'),
    resampled_from: facts.resampledFrom,
    segments: partitions.length,
    size_bytes: total(segment => segment.size_bytes),
    partitions,
    fetched,
    failed,
    actions,
  }
}

/**
 * The manifest in the folder of a dataset, or null. A file system that ignores case may hand out the one of another:
 * whoever asked must compare.
 * @throws {Error} when it is damaged
 */
export async function readManifest(dataset: DatasetName): Promise<Manifest | null> {
  const path = manifestPath(dataset)
  try {
    return parseManifest(path, await readFile(path, 'utf8'))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/**
 * Does `change` while nobody else can: one lock for all threads, held for the microseconds it takes.
 * @param change gets the present manifest, must not wait for anything
 */
export function withManifest<T>(
  dataset: DatasetName,
  change: (present: Manifest | null, path: string) => T,
): Promise<T> {
  const path = manifestPath(dataset)
  return withLock(`${path}.lock`, () =>
    change(existsSync(path) ? parseManifest(path, readFileSync(path, 'utf8')) : null, path),
  )
}

/** `replaced`: it is the dataset's now. `refused`: the present one was not as expected. `swept`: a file it needs is gone. */
export type Replacement = 'replaced' | 'refused' | 'swept'

/**
 * Makes `manifest` the dataset's, if the present one is as expected. Look and replacement are one step for all
 * threads. The version that is replaced stays for an hour: whoever pinned it has that long to become an active operation.
 * @param stored sha256 of the segments that were just stored for it
 */
export async function replaceManifest(
  dataset: DatasetName,
  manifest: Manifest,
  { isExpected, stored }: { isExpected: (present: Manifest | null) => boolean; stored: readonly string[] },
): Promise<Replacement> {
  const path = manifestPath(dataset)
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  const needed = [
    ...stored.map(sha256 => segmentPath(dataset, sha256)),
    versionPath(dataset, manifest.sha256),
  ]
  if (isCopy(dataset.home)) return exchangeManifest(dataset, { text, needs: needed, isExpected })
  const fresh = temporaryPath(path)
  await writeFileAtomically(fresh, Buffer.from(text))
  const outcome = await withManifest(dataset, (present): Replacement => {
    const isComplete = needed.every(file => existsSync(file))
    if (!isComplete || !isExpected(present)) {
      rmSync(fresh)
      return isComplete ? 'refused' : 'swept'
    }
    if (present !== null) startGrace(dataset, present.sha256)
    renameSync(fresh, path)
    return 'replaced'
  })
  await syncFolder(dirname(path))
  return outcome
}

/**
 * Changes the manifest for all nodes, each of which has a copy of it. What is expected is asked of the copy, and the
 * change is made only where the copy was right: else it is looked at again.
 */
async function exchangeManifest(
  dataset: DatasetName,
  change: {
    readonly text: string | null
    readonly needs: readonly string[]
    readonly isExpected: (present: Manifest | null) => boolean
  },
): Promise<Replacement> {
  const { home } = dataset
  const path = manifestPath(dataset)
  const { text, needs } = change
  await refresh(home)
  for (;;) {
    const found = existsSync(path) ? readFileSync(path, 'utf8') : null
    const present = found === null ? null : parseManifest(path, found)
    if (!change.isExpected(present)) return 'refused'
    const touched = present === null ? [] : [versionPath(dataset, present.sha256)]
    const expected = found === null ? null : hash('sha256', found)
    const outcome = await replaceFile(home, { path, expected, text, needs, touched })
    if (outcome !== 'changed') return outcome
  }
}

/** Takes the manifest away, in one step. @returns false when there is none of this very name */
export async function removeManifest(dataset: DatasetName): Promise<boolean> {
  if (isCopy(dataset.home)) {
    const { symbol, timeframe } = dataset
    const isExpected = (present: Manifest | null) =>
      present?.symbol === symbol && present.timeframe === timeframe
    return (await exchangeManifest(dataset, { text: null, needs: [], isExpected })) === 'replaced'
  }
  await makeFolder(dirname(manifestPath(dataset)))
  const removed = await withManifest(dataset, (present, path) => {
    if (present?.symbol !== dataset.symbol || present.timeframe !== dataset.timeframe) return false
    startGrace(dataset, present.sha256)
    renameSync(path, temporaryPath(path))
    return true
  })
  await syncFolder(dirname(manifestPath(dataset)))
  return removed
}

function startGrace(dataset: DatasetName, sha256: string): void {
  const now = systemClock.now() / 1000
  const path = versionPath(dataset, sha256)
  if (existsSync(path)) utimesSync(path, now, now)
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
  const found = value as Partial<Record<keyof Manifest, unknown>>
  const { symbol, timeframe, sha256, bars, first_time, last_time, calendar } = found
  if (typeof symbol !== 'string' || !isName('symbol', symbol)) return false
  if (typeof timeframe !== 'string' || !isTimeframe(timeframe)) return false
  if (typeof sha256 !== 'string' || !isName('sha256', sha256) || typeof calendar !== 'string') return false
  const lists = [found.partitions, found.fetched, found.failed, found.actions]
  return Number.isInteger(bars) && isTime(first_time) && isTime(last_time) && lists.every(Array.isArray)
}

const isTime = (value: unknown): boolean => typeof value === 'string' && Number.isFinite(Date.parse(value))
