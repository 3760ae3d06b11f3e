import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { type Bars, checkBars } from '../market/bars.ts'
import { isTimeframe } from '../market/timeframe.ts'
import { writeFileAtomically } from './atomic.ts'
import { barsTable } from './bars-table.ts'
import { isMissing, namesIn } from './folder.ts'
import { barsFolder, checkedName, datasetFolder, isName } from './layout.ts'
import { type Dataset, describeBars, type Manifest, manifestPath, parseManifest } from './manifest.ts'
import { readSegment, sweepSegments, touchSegment } from './segments.ts'
import { encodeTable } from './tables.ts'

export { barsTable } from './bars-table.ts'
export type { Dataset, Manifest } from './manifest.ts'

/** Where bars come from: a vendor, or `import`; `now` in epoch ms. */
export type Origin = { readonly source: string; readonly now: number }
/** `created`: there was no such dataset before. */
export type Published = { readonly manifest: Manifest; readonly created: boolean }

/**
 * Bars at rest. A dataset is a manifest that names one immutable segment; publishing replaces the manifest by
 * one rename, so readers and operations that pinned the segment before it never see a mixture.
 */
export class BarsArchive {
  private readonly home: string
  /** The last write to each dataset; the next one waits for it. */
  private readonly writes = new Map<string, Promise<unknown>>()

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
    const path = manifestPath(this.home, symbol, timeframe)
    try {
      return parseManifest(path, await readFile(path, 'utf8'))
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Where a segment is, or would be. */
  segmentPath(symbol: string, timeframe: string, sha256: string): string {
    return join(datasetFolder(this.home, symbol, timeframe), `${checkedName('sha256', sha256)}.arrow`)
  }

  /**
   * The bars of one segment. Blocks: for worker threads.
   * @param sha256 as a manifest named it, now or when an operation was accepted
   * @throws {Problem} 'bars-missing' when it is not stored, 'bars-invalid' when it is damaged
   */
  read(symbol: string, timeframe: string, sha256: string): Bars {
    return readSegment({
      path: this.segmentPath(symbol, timeframe, sha256),
      sha256,
      name: `${symbol} ${timeframe}`,
    })
  }

  /**
   * Makes `bars` the dataset, all or nothing. Writes to one dataset wait for each other.
   * @throws {Problem} 'bars-invalid' when the bars are not what `checkBars` allows, or there are none
   */
  publish(symbol: string, timeframe: string, bars: Bars, from: Origin): Promise<Published> {
    const write = () => this.write({ symbol, timeframe }, bars, from)
    return this.inTurn(datasetFolder(this.home, symbol, timeframe), write)
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

  private async write(
    dataset: { symbol: string; timeframe: string },
    bars: Bars,
    from: Origin,
  ): Promise<Published> {
    const { symbol, timeframe } = dataset
    const previous = await this.manifest(symbol, timeframe)
    if (previous !== null && (previous.symbol !== symbol || previous.timeframe !== timeframe)) {
      throw new Error(
        `the file system takes ${symbol} ${timeframe} for ${previous.symbol} ${previous.timeframe}`,
      )
    }
    checkBars(bars)
    const bytes = encodeTable(barsTable(bars))
    const manifest = describeBars(dataset, bars, {
      ...from,
      sha256: hash('sha256', bytes),
      size: bytes.length,
    })
    const path = this.segmentPath(symbol, timeframe, manifest.sha256)
    const isStored = existsSync(path) && hash('sha256', await readFile(path)) === manifest.sha256
    if (isStored) await touchSegment(path)
    else await writeFileAtomically(path, bytes)
    // Whoever pinned the bars replaced now has an hour to become an active operation.
    if (previous !== null) await touchSegment(this.segmentPath(symbol, timeframe, previous.sha256))
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    await writeFileAtomically(manifestPath(this.home, symbol, timeframe), Buffer.from(text))
    return { manifest, created: previous === null }
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
