import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isNativeError } from 'node:util/types'
import type { Bars } from '../market/bars.ts'
import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { syncFolder, writeFileAtomically } from './atomic.ts'
import { barsOf } from './bars-table.ts'
import { datasetFolders } from './dataset-folders.ts'
import { isMissing, namesIn } from './folder.ts'
import { type DatasetName, isName, manifestPath } from './layout.ts'
import { describeDataset, type ManifestFacts, type StoredSegment } from './manifest.ts'
import { splitByPartition } from './partitions.ts'
import { checkStorable, nothingKnown } from './publish.ts'
import { storeSegment } from './segments.ts'
import { decodeTable } from './tables.ts'
import { storeAlias, storeVersion } from './version.ts'

/** What is known of a dataset whose calendar has to be chosen. */
type UpgradedDataset = {
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly source: string
}

/** What became of the datasets of the older layout. Those that failed are out of the catalogue; their files stay. */
type Upgrade = {
  readonly upgraded: number
  readonly failed: readonly { readonly path: string; readonly reason: string }[]
}

/**
 * Turns datasets of the layout of one `{sha256}.arrow` beside the manifest into versions and segments. The identities
 * they had go on to be found, for operations that pinned them. Safe to run at each start, and again after a crash
 * half-way: the files of the older layout go last.
 * @param home the data folder, with no other process writing in it
 * @param calendarOf the name of the calendar a dataset follows
 */
export async function upgradeLayout(
  home: string,
  calendarOf: (dataset: UpgradedDataset) => string = ({ source }) => (source === 'sample' ? 'XNYS' : '24-7'),
): Promise<Upgrade> {
  let upgraded = 0
  const failed: { path: string; reason: string }[] = []
  for (const dataset of await datasetFolders(home)) {
    try {
      if (await upgradeDataset(dataset, calendarOf)) upgraded++
    } catch (error) {
      if (!(error instanceof UnreadableDataset)) throw error
      failed.push({ path: manifestPath(dataset), reason: error.message })
      // Kept for whoever wants to repair it, under a name that nobody takes for a dataset.
      await rename(manifestPath(dataset), `${manifestPath(dataset)}.unreadable`)
    }
  }
  return { upgraded, failed }
}

/** Why a dataset of the older layout cannot be read. */
class UnreadableDataset extends Error {}

type OldManifest = UpgradedDataset & {
  readonly sha256: string
  readonly fetched_at: string
  /** Manifests of the present layout have one. */
  readonly calendar?: string
}

async function upgradeDataset(
  dataset: DatasetName,
  calendarOf: (dataset: UpgradedDataset) => string,
): Promise<boolean> {
  const folder = dirname(manifestPath(dataset))
  const old = (await namesIn(folder)).filter(name => oldFile.test(name))
  const manifest = await readOldManifest(dataset)
  if (manifest === null || (old.length === 0 && manifest.calendar !== undefined)) return false
  const calendar = manifest.calendar ?? calendarOf(manifest)
  for (const name of old.filter(name => name.endsWith('.arrow'))) {
    const isCurrent = manifest.calendar === undefined && name === `${manifest.sha256}.arrow`
    if (!isCurrent) await convertPinned(dataset, join(folder, name), { ...manifest, calendar })
  }
  if (manifest.calendar === undefined) await convertCurrent(dataset, { ...manifest, calendar })
  for (const name of old) await rm(join(folder, name), { force: true })
  await syncFolder(folder)
  return true
}

/** Bars, and their renditions, as they lay beside the manifest. */
const oldFile = /^[0-9a-f]{64}\.(arrow|json|csv|parquet)$/

type Converted = OldManifest & { readonly calendar: string }

/** Bars that an operation may have pinned before they were replaced; without them it says that they are gone. */
async function convertPinned(dataset: DatasetName, path: string, manifest: Converted): Promise<void> {
  try {
    await convertFile(dataset, path, manifest)
  } catch (error) {
    if (!(error instanceof UnreadableDataset)) throw error
  }
}

async function convertCurrent(dataset: DatasetName, manifest: Converted): Promise<void> {
  const path = join(dirname(manifestPath(dataset)), `${manifest.sha256}.arrow`)
  const segments = await convertFile(dataset, path, manifest)
  const { source, calendar, fetched_at } = manifest
  const facts: ManifestFacts = {
    source,
    calendar,
    now: Date.parse(fetched_at),
    resampledFrom: null,
    ...nothingKnown,
  }
  const upgraded = describeDataset(dataset, segments, facts)
  await writeFileAtomically(manifestPath(dataset), Buffer.from(`${JSON.stringify(upgraded, null, 2)}\n`))
}

/** Stores the bars of an old file as segments and a version, which its old identity leads to as well. */
async function convertFile(
  dataset: DatasetName,
  path: string,
  { timeframe, calendar }: Converted,
): Promise<StoredSegment[]> {
  const { bars, sha256 } = readOldBars(path)
  const segments: StoredSegment[] = []
  for (const { partition, bars: part } of splitByPartition(bars, timeframe))
    segments.push(await storeSegment(dataset, partition.name, part))
  const version = { timeframe, adjustment: 'none', calendar, segments, actions: [] } as const
  await storeAlias(dataset, sha256, await storeVersion(dataset, version))
  return segments
}

function readOldBars(path: string): { bars: Bars; sha256: string } {
  try {
    const bytes = readFileSync(path)
    const sha256 = hash('sha256', bytes)
    if (!path.endsWith(`${sha256}.arrow`)) throw new UnreadableDataset('the checksum of its bars is wrong')
    const bars = barsOf(decodeTable(bytes, { consume: true }))
    checkStorable(bars)
    return { bars, sha256 }
  } catch (error) {
    if (isMissing(error)) throw new UnreadableDataset('its bars are missing')
    if (error instanceof Problem) throw new UnreadableDataset(error.message)
    throw error
  }
}

async function readOldManifest(dataset: DatasetName): Promise<OldManifest | null> {
  let text: string
  try {
    text = await readFile(manifestPath(dataset), 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  const value = parseJson(text)
  if (isOldManifest(value)) return value
  throw new UnreadableDataset('its manifest is damaged')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (isNativeError(error)) return null
    throw error
  }
}

function isOldManifest(value: unknown): value is OldManifest {
  if (typeof value !== 'object' || value === null) return false
  const { symbol, timeframe, source, sha256, fetched_at, calendar } = value as Partial<
    Record<keyof OldManifest, unknown>
  >
  if (typeof symbol !== 'string' || !isName('symbol', symbol)) return false
  if (typeof timeframe !== 'string' || !isTimeframe(timeframe) || typeof source !== 'string') return false
  if (typeof sha256 !== 'string' || !isName('sha256', sha256)) return false
  const isTime = typeof fetched_at === 'string' && Number.isFinite(Date.parse(fetched_at))
  return isTime && (calendar === undefined || typeof calendar === 'string')
}
