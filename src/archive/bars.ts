import { isMainThread } from 'node:worker_threads'
import { systemClock } from '../clock.ts'
import { adjustBars } from '../market/adjust.ts'
import { type Bars, barFields, sliceBars } from '../market/bars.ts'
import { Calendars } from '../market/calendars.ts'
import type { Adjustment } from '../market/corporate-action.ts'
import { isTimeframe } from '../market/timeframe.ts'
import type { Problem } from '../problems.ts'
import { type Committed, commitPage, type Page } from './commit.ts'
import { datasetFolders } from './dataset-folders.ts'
import { datasetNotFound } from './dataset-not-found.ts'
import { DatasetWriter } from './dataset-writer.ts'
import { fetchVersions, storeFiles, sweepStored } from './exchange.ts'
import { type DatasetName, datasetFolder, versionPath } from './layout.ts'
import { type Dataset, datasetOf, type Manifest, readManifest, removeManifest } from './manifest.ts'
import { partitionOf } from './partitions.ts'
import { type Origin, type Publication, type Published, publishBars } from './publish.ts'
import { readSegments } from './segment-reader.ts'
import { sweepDataset } from './sweep.ts'
import { maxInlineRows, Threads } from './threads.ts'
import { findVersion, readVersion, storeVersion, type Version } from './version.ts'

export { barsTable } from './bars-table.ts'
export type { Committed, Page } from './commit.ts'
export { DatasetWriter } from './dataset-writer.ts'
export type { Dataset, Manifest, ResampledFrom } from './manifest.ts'
export { datasetOf } from './manifest.ts'
export type { Origin, Published } from './publish.ts'
export type { SegmentFacts, Version } from './version.ts'

/** Open times in [start, end), epoch ms; null is unbounded. */
export type BarsRange = { readonly start: number | null; readonly end: number | null }

/** A dataset of more segments is written by a thread, however few its bars are. */
const maxInlineSegments = 4

/**
 * Bars at rest. A dataset is a manifest that names immutable segments; every write replaces the manifest by one rename,
 * so readers and operations that pinned a version before it never see a mixture.
 */
export class BarsArchive {
  private readonly home: string
  private readonly calendars: Calendars
  /** The last write to each dataset; the next one waits for it. */
  private readonly writes = new Map<string, Promise<unknown>>()
  private readonly threads = new Threads()

  /**
   * @param home absolute path of the data folder, made by `createLayout`
   * @param calendars those that datasets name
   */
  constructor(home: string, calendars: Calendars = new Calendars()) {
    this.home = home
    this.calendars = calendars
  }

  /** All datasets by symbol, then timeframe. */
  async list(): Promise<Dataset[]> {
    const datasets: Dataset[] = []
    for (const { symbol, timeframe } of await datasetFolders(this.home)) {
      const manifest = await this.manifest(symbol, timeframe)
      if (manifest !== null) datasets.push(datasetOf(manifest))
    }
    return datasets
  }

  /** The dataset as it is now, or null. @throws {Error} when its manifest is damaged */
  async manifest(symbol: string, timeframe: string): Promise<Manifest | null> {
    const found = await readManifest({ home: this.home, symbol, timeframe })
    // A file system that ignores case answers `aapl` with what was stored as `AAPL`.
    return found?.symbol === symbol && found.timeframe === timeframe ? found : null
  }

  /** What is answered where {@link manifest} and {@link pin} give null: 'dataset-not-found', with what may be meant. */
  notFound(symbol: string, timeframe: string): Promise<Problem> {
    return datasetNotFound({ home: this.home, symbol, timeframe })
  }

  /**
   * Keeps the dataset as it is now for at least an hour, and as long as an active operation names it.
   * @returns the sha256 that `read` takes: the dataset's own, or the one of its adjusted prices; null without a dataset
   */
  async pin(
    symbol: string,
    timeframe: string,
    adjustment: Adjustment,
  ): Promise<{ manifest: Manifest; sha256: string } | null> {
    const manifest = await this.manifest(symbol, timeframe)
    if (manifest === null) return null
    const { calendar, partitions: segments, actions } = manifest
    const version: Version = { timeframe: manifest.timeframe, adjustment, calendar, segments, actions }
    const dataset = { home: this.home, symbol, timeframe }
    const sha256 = await storeVersion(dataset, version)
    await storeFiles(this.home, [versionPath(dataset, sha256)])
    return { manifest, sha256 }
  }

  /**
   * Brings the bars of a version to this node, which may have no more than their names; `read` finds them then.
   * @throws {Problem} 'archive-unavailable', 'archive-damaged'
   */
  async fetch(symbol: string, timeframe: string, sha256: string): Promise<void> {
    await fetchVersions(this.home, [sha256], datasetFolder(this.home, symbol, timeframe))
  }

  /** What a version consists of, or null when it is not kept. Blocks. @throws {Problem} 'bars-invalid' when damaged */
  version(symbol: string, timeframe: string, sha256: string): Version | null {
    return findVersion({ home: this.home, symbol, timeframe }, sha256)
  }

  /**
   * The bars of one version, adjusted as it says. Blocks: for worker threads. Opens only the segments the range touches,
   * all of them where prices are adjusted.
   * @param sha256 as a manifest named it or `pin` answered it, now or when an operation was accepted
   * @param allocate memory for what is read from the disk, e.g. such as threads share; adjusted prices lie elsewhere
   * @throws {Problem} 'bars-missing' when it is not stored, 'bars-invalid' when it is damaged
   */
  read(
    symbol: string,
    timeframe: string,
    sha256: string,
    { start, end }: BarsRange = { start: null, end: null },
    allocate?: (bytes: number) => ArrayBufferLike,
  ): Bars {
    const dataset = { home: this.home, symbol, timeframe }
    const version = readVersion(dataset, sha256)
    if (version.adjustment !== 'none' && version.actions.length > 0) {
      const { timeframe, adjustment, actions } = version
      const calendar = this.calendars.get(version.calendar)
      const bars = readSegments(dataset, version.segments)
      return sliceBars(adjustBars(bars, { timeframe, calendar, actions, adjustment }), start, end)
    }
    const touched = version.segments.filter(
      ({ first_ms, last_ms }) => (end === null || first_ms < end) && (start === null || last_ms >= start),
    )
    return sliceBars(readSegments(dataset, touched, { allocate }), start, end)
  }

  /**
   * Makes `bars` the dataset, all or nothing; what was known of the one before is forgotten. Writes to one dataset
   * wait for each other.
   * @param bars given away: in the main thread, the memory of many moves to the thread that stores them
   * @throws {Problem} 'bars-invalid' when the bars are not what `checkBars` allows, or there are none;
   *   'params-invalid' when the file system cannot keep the dataset apart from another
   */
  publish(symbol: string, timeframe: string, bars: Bars, origin: Origin): Promise<Published> {
    const publication = { dataset: { home: this.home, symbol, timeframe }, bars, origin }
    const inThread = isMainThread && (bars.length > maxInlineRows || isSpread(publication))
    return this.inTurn(publication.dataset, () =>
      inThread ? this.publishInThread(publication) : publishBars(publication),
    )
  }

  /**
   * Puts a page over the dataset: stored bars of the same open time are replaced, all others stay, even those that
   * another thread stores meanwhile. Blocks: for worker threads.
   * @returns null when there is no such dataset and the page has no bars
   * @throws {Problem} as `publish`; 'bars-missing', 'bars-invalid' when stored bars concerned cannot be read
   */
  commit(symbol: string, timeframe: string, page: Page, origin: Origin): Promise<Committed | null> {
    const dataset = { home: this.home, symbol, timeframe }
    return this.inTurn(dataset, () => commitPage(dataset, page, origin))
  }

  /** For a dataset that arrives in chunks. Blocks: for worker threads. */
  writer(symbol: string, timeframe: string): DatasetWriter {
    return new DatasetWriter({ home: this.home, symbol, timeframe })
  }

  /**
   * Removes the dataset at once; what it consisted of stays readable for an hour, and for active operations.
   * @returns false when there is none
   */
  async remove(symbol: string, timeframe: string): Promise<boolean> {
    const dataset = { home: this.home, symbol, timeframe }
    return this.inTurn(dataset, async () => {
      if ((await this.manifest(symbol, timeframe)) === null) return false
      return removeManifest(dataset)
    })
  }

  /**
   * Removes what no manifest and no active operation needs and was last named an hour ago.
   * @param inUse sha256 of the versions active operations have pinned
   * @returns how many segments were removed
   */
  async sweep(inUse: ReadonlySet<string>, now = systemClock.now()): Promise<number> {
    let removed = (await sweepStored(this.home, 'bars', inUse)) ?? 0
    for (const dataset of await datasetFolders(this.home))
      removed += await this.inTurn(dataset, () => sweepDataset({ dataset, inUse, now }))
    return removed
  }

  private publishInThread(publication: Publication): Promise<Published> {
    const memory = new Set(barFields.map(name => publication.bars[name].buffer as ArrayBuffer))
    return this.threads.run<Published>({
      file: new URL('./publish-thread.ts', import.meta.url),
      data: publication,
      transfer: [...memory],
    })
  }

  private inTurn<T>(dataset: DatasetName, write: () => Promise<T>): Promise<T> {
    const folder = datasetFolder(dataset.home, dataset.symbol, dataset.timeframe)
    const turn = (this.writes.get(folder) ?? Promise.resolve()).then(write, write)
    this.writes.set(folder, turn)
    const forget = () => {
      if (this.writes.get(folder) === turn) this.writes.delete(folder)
    }
    turn.then(forget, forget)
    return turn
  }
}

/** Whether bars are so far apart that they are many files. Faulty times are left to those who check them. */
function isSpread({ dataset, bars }: Publication): boolean {
  if (!isTimeframe(dataset.timeframe)) return false
  const partitions = new Set<string>()
  for (let i = 0; i < bars.length && partitions.size <= maxInlineSegments; i++)
    partitions.add(partitionOf(bars.time[i] as number, dataset.timeframe).name)
  return partitions.size > maxInlineSegments
}
