import { type Bars, checkBars } from '../market/bars.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { type DatasetName, symbolFault } from './layout.ts'
import {
  describeDataset,
  type Manifest,
  type ManifestFacts,
  type Replacement,
  type ResampledFrom,
  readManifest,
  replaceManifest,
  type StoredSegment,
} from './manifest.ts'
import { checkTimes, splitByPartition } from './partitions.ts'
import { storeSegment } from './segments.ts'
import { storeVersion } from './version.ts'

/** Where bars come from. */
export type Origin = {
  /** A vendor, `import`, or what else made the bars. */
  readonly source: string
  /** Epoch ms. */
  readonly now: number
  /** The name of the market's calendar; it becomes the dataset's. */
  readonly calendar: string
  /** JSON pointer to the object in the request that names symbol and timeframe, e.g. `/path`. */
  readonly pointer?: string
  readonly resampledFrom?: ResampledFrom
  /** Splits and dividends of bars made of others, which know them. */
  readonly actions?: readonly CorporateAction[]
}

/** `created`: there was no such dataset before. */
export type Published = { readonly manifest: Manifest; readonly created: boolean }

/** Bars about to become a dataset. */
export type Publication = { readonly dataset: DatasetName; readonly bars: Bars; readonly origin: Origin }

/**
 * Stores the segments, then the version, then the manifest that names it.
 * @throws {Problem} 'params-invalid' for a name that not every file system can keep, 'bars-invalid'
 */
export async function publishBars({ dataset, bars, origin }: Publication): Promise<Published> {
  const timeframe = await checkNames(dataset, origin)
  checkStorable(bars)
  const parts = splitByPartition(bars, timeframe)
  for (;;) {
    const segments: StoredSegment[] = []
    for (const part of parts) segments.push(await storeSegment(dataset, part.partition.name, part.bars))
    const published = await publishSegments(dataset, segments, origin)
    if (published !== null) return published
  }
}

/** @throws {Problem} 'bars-invalid' unless the archive can keep these bars */
export function checkStorable(bars: Bars): void {
  checkBars(bars)
  checkTimes(bars)
}

/** Makes stored segments the dataset, whatever it was before. @returns null when a sweep was faster: store them again */
export async function publishSegments(
  dataset: DatasetName,
  segments: readonly StoredSegment[],
  origin: Origin,
): Promise<Published | null> {
  const facts = { ...factsOf(origin), ...nothingKnown, actions: origin.actions ?? [] }
  let created = false
  const isExpected = (present: Manifest | null) => {
    created = present === null
    return true
  }
  const { manifest, outcome } = await putManifest(dataset, segments, { facts, isExpected, stored: segments })
  return outcome === 'replaced' ? { manifest, created } : null
}

/** What a dataset knows that nobody has asked a vendor about. */
export const nothingKnown = {
  fetched: [],
  failed: [],
  actions: [] as readonly CorporateAction[],
} satisfies Pick<ManifestFacts, 'fetched' | 'failed' | 'actions'>

/** What an origin says about a dataset. */
export function factsOf(origin: Origin): Omit<ManifestFacts, keyof typeof nothingKnown> {
  const { source, now, calendar, resampledFrom } = origin
  return { source, now, calendar, resampledFrom: resampledFrom ?? null }
}

/** Stores the version of these segments and puts the manifest in its place. */
export async function putManifest(
  dataset: DatasetName,
  segments: readonly StoredSegment[],
  how: {
    readonly facts: ManifestFacts
    readonly isExpected: (present: Manifest | null) => boolean
    /** Those of the segments that were stored just now. */
    readonly stored: readonly StoredSegment[]
  },
): Promise<{ manifest: Manifest; outcome: Replacement }> {
  const manifest = describeDataset(dataset, segments, how.facts)
  const { timeframe, adjustment, calendar, partitions, actions } = manifest
  await storeVersion(dataset, { timeframe, adjustment, calendar, segments: partitions, actions })
  const stored = how.stored.map(({ sha256 }) => sha256)
  const outcome = await replaceManifest(dataset, manifest, { isExpected: how.isExpected, stored })
  return { manifest, outcome }
}

type Names = Pick<DatasetName, 'symbol' | 'timeframe'>

/** @throws {Problem} 'params-invalid' for a name that not every file system can keep */
export async function checkNames(dataset: DatasetName, { pointer = '' }: Origin): Promise<Timeframe> {
  const found: Names | null = await readManifest(dataset)
  const refuse = (name: keyof Names, message: string) => {
    const errors = [{ pointer: `${pointer}/${name}`, code: 'name', message }]
    return new Problem('params-invalid', message, { errors })
  }
  const fault = symbolFault(dataset.symbol)
  if (fault !== null) throw refuse('symbol', fault)
  for (const name of ['symbol', 'timeframe'] as const) {
    if (found === null || found[name] === dataset[name]) continue
    const stored = `${found.symbol} ${found.timeframe}`
    const asked = `${dataset.symbol} ${dataset.timeframe}`
    throw refuse(name, `the file system cannot tell ${asked} from ${stored}, which is stored`)
  }
  if (!isTimeframe(dataset.timeframe)) throw new Error(`${dataset.timeframe} is not a timeframe`)
  return dataset.timeframe
}
