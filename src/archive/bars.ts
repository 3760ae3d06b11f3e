import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { systemClock } from '../clock.ts'
import { type Bars, barFields } from '../market/bars.ts'
import { mergeBars } from '../market/merge-bars.ts'
import { isTimeframe } from '../market/timeframe.ts'
import { namesIn } from './folder.ts'
import { barsFolder, datasetFolder, isName, segmentPath } from './layout.ts'
import { type Dataset, type Manifest, readManifest } from './manifest.ts'
import { type Origin, type Publication, type Published, publishBars } from './publish.ts'
import { readSegment, type Segment, sweepSegments } from './segments.ts'
import { maxInlineRows, Threads } from './threads.ts'

export { barsTable } from './bars-table.ts'
export type { Dataset, Manifest } from './manifest.ts'
export type { Origin, Published } from './publish.ts'

/**
 * Bars at rest. A dataset is a manifest that names one immutable segment; publishing replaces the manifest by
 * one rename, so readers and operations that pinned the segment before it never see a mixture.
 */
export class BarsArchive {
  private readonly home: string
  /** The last write to each dataset; the next one waits for it. */
  private readonly writes = new Map<string, Promise<unknown>>()
  private readonly threads = new Threads()

  /** @param home absolute path of the data folder, made by `createLayout` */
  constructor(home: string) {
    this.home = home
  }

  /** All datasets by symbol, then timeframe. */
  async list(): Promise<Dataset[]> {
    const datasets: Dataset[] = []
    for (const { symbol, timeframe } of await this.folders()) {
      const manifest = await this.manifest(symbol, timeframe)
      if (manifest !== null) datasets.push(manifest)
    }
    return datasets
  }

  /** The dataset as it is now, or null. @throws {Error} when its manifest is damaged */
  async manifest(symbol: string, timeframe: string): Promise<Manifest | null> {
    const found = await readManifest(this.home, symbol, timeframe)
    // A file system that ignores case answers `aapl` with what was stored as `AAPL`.
    return found?.symbol === symbol && found.timeframe === timeframe ? found : null
  }

  /** Where a segment is, or would be. */
  segmentPath(symbol: string, timeframe: string, sha256: string): string {
    return segmentPath(this.home, symbol, timeframe, sha256)
  }

  /** What `read` reads, for whoever reads it in another thread. @param sha256 as a manifest of this dataset named it */
  segment(symbol: string, timeframe: string, sha256: string): Segment {
    return { path: this.segmentPath(symbol, timeframe, sha256), sha256, name: `${symbol} ${timeframe}` }
  }

  /**
   * The bars of one segment. Blocks: for worker threads.
   * @param sha256 as a manifest named it, now or when an operation was accepted
   * @throws {Problem} 'bars-missing' when it is not stored, 'bars-invalid' when it is damaged
   */
  read(symbol: string, timeframe: string, sha256: string): Bars {
    return readSegment(this.segment(symbol, timeframe, sha256))
  }

  /**
   * Makes `bars` the dataset, all or nothing. Writes to one dataset wait for each other.
   * @param bars given away: in the main thread, the memory of many moves to the thread that stores them
   * @throws {Problem} 'bars-invalid' when the bars are not what `checkBars` allows, or there are none;
   *   'params-invalid' when the file system cannot keep the dataset apart from another
   */
  publish(symbol: string, timeframe: string, bars: Bars, from: Origin): Promise<Published> {
    const publication = { home: this.home, symbol, timeframe, bars, from }
    const inThread = isMainThread && bars.length > maxInlineRows
    const write = async () => {
      const published = await (inThread ? this.publishInThread(publication) : publishBars(publication))
      if (published === null) throw new Error('a publication without a base cannot be refused')
      return published
    }
    return this.inTurn(datasetFolder(this.home, symbol, timeframe), write)
  }

  /**
   * Adds `fetched` to the dataset: bars stored outside its span stay, even those that another thread stores meanwhile.
   * Blocks: for worker threads.
   * @throws {Problem} as `publish`
   */
  async merge(symbol: string, timeframe: string, fetched: Bars, from: Origin): Promise<Published> {
    for (;;) {
      const base = (await this.manifest(symbol, timeframe))?.sha256 ?? null
      const bars = base === null ? fetched : mergeBars(this.read(symbol, timeframe, base), fetched)
      const published = await publishBars({ home: this.home, symbol, timeframe, bars, from, base })
      if (published !== null) return published
    }
  }

  /**
   * Removes segments that no manifest and no active operation names and that were last named an hour ago.
   * @param inUse sha256 of the segments active operations have pinned
   * @returns how many were removed
   */
  async sweep(inUse: ReadonlySet<string>, now = systemClock.now()): Promise<number> {
    let removed = 0
    for (const { symbol, timeframe } of await this.folders()) {
      const folder = datasetFolder(this.home, symbol, timeframe)
      removed += await this.inTurn(folder, async () => {
        const named = (await this.manifest(symbol, timeframe))?.sha256
        return sweepSegments(folder, sha256 => sha256 === named || inUse.has(sha256), now)
      })
    }
    return removed
  }

  private publishInThread(publication: Publication): Promise<Published | null> {
    const memory = new Set(barFields.map(name => publication.bars[name].buffer as ArrayBuffer))
    return this.threads.run<Published | null>({
      file: new URL('./publish-thread.ts', import.meta.url),
      data: publication,
      transfer: [...memory],
    })
  }

  private inTurn<T>(folder: string, write: () => Promise<T>): Promise<T> {
    const turn = (this.writes.get(folder) ?? Promise.resolve()).then(write, write)
    this.writes.set(folder, turn)
    const forget = () => {
      if (this.writes.get(folder) === turn) this.writes.delete(folder)
    }
    turn.then(forget, forget)
    return turn
  }

  private async folders(): Promise<{ symbol: string; timeframe: string }[]> {
    const root = barsFolder(this.home)
    const found: { symbol: string; timeframe: string }[] = []
    for (const symbol of (await namesIn(root)).filter(name => isName('symbol', name)).sort()) {
      for (const timeframe of (await namesIn(join(root, symbol))).filter(isTimeframe).sort())
        found.push({ symbol, timeframe })
    }
    return found
  }
}
