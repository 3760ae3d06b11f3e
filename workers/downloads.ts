import { BarsArchive, type Manifest } from '../src/archive/bars.ts'
import { Calendars } from '../src/market/calendars.ts'
import { earliestMs, type StoredSpan } from '../src/market/download-plan.ts'
import type { Timeframe } from '../src/market/timeframe.ts'
import type { DataDownloadParams, DataDownloadResult } from '../src/operations/data-download.ts'
import { Problem } from '../src/problems.ts'
import { type DownloadJob, type DownloadState, downloadRanges } from '../src/vendors/download.ts'
import { vendors } from '../src/vendors/registry.ts'
import type { Vendor, VendorContext } from '../src/vendors/vendor.ts'
import type { WorkerContext } from './harness.ts'

type Stored = DataDownloadResult['datasets'][number]
export type DatasetName = { readonly symbol: string; readonly timeframe: Timeframe }
/** Which dataset of how many is in the works: `done` are complete. */
type Place = { readonly done: number; readonly total: number }
type Asked = Pick<DataDownloadParams, 'vendor' | 'exchange' | 'calendar'>

/** What a manifest says about what need not be fetched again. */
export const storedSpan = (manifest: Manifest | null): StoredSpan | null =>
  manifest === null
    ? null
    : {
        firstMs: Date.parse(manifest.first_time),
        lastMs: Date.parse(manifest.last_time),
        fetched: manifest.fetched,
      }

/** Downloads of one operation: what they share, and what they report. */
export class Downloads {
  readonly archive: BarsArchive
  readonly calendars: Calendars
  readonly #ctx: WorkerContext
  readonly #asked: Asked
  readonly #vendor: Vendor
  /** One for all datasets: vendors keep on it what they need not ask twice. */
  readonly #context: VendorContext

  constructor(ctx: WorkerContext, asked: Asked) {
    this.#ctx = ctx
    this.#asked = asked
    this.#vendor = vendors[asked.vendor]
    this.#context = vendorContext(ctx)
    this.calendars = new Calendars(ctx.server.calendars)
    this.archive = new BarsArchive(ctx.server.home, this.calendars)
  }

  /**
   * Fetches what is left of one dataset. Progress counts datasets, the one in the works by the time it has covered.
   * @param save told after each page, with the state to go on from
   * @throws {Problem} as the vendor does; 'bars-missing' when nothing is stored in the end
   */
  async fetch(
    dataset: DatasetName,
    start: DownloadState,
    place: Place,
    save: (state: DownloadState, label: string) => void,
  ): Promise<Stored> {
    const { symbol, timeframe } = dataset
    const report = new PageReport(this.#ctx, dataset, start, place)
    const end = await downloadRanges(await this.#job(dataset), start, state => {
      report.page(state)
      save(state, `${symbol} ${timeframe}: page ${state.counts.pages}`)
      this.#ctx.checkCancelled()
    })
    for (const remark of end.remarks) this.#ctx.warn(`${symbol} ${timeframe}: ${remark.replace(/\.$/, '')}.`)
    const manifest = await this.archive.manifest(symbol, timeframe)
    if (manifest === null)
      throw new Problem(
        'bars-missing',
        `${this.#vendor.name} has no bars of ${symbol} ${timeframe} in that range`,
      )
    const { bars, first_time, last_time, sha256 } = manifest
    this.#ctx.log(
      'info',
      `stored ${bars} bars of ${symbol} ${timeframe}, ${end.counts.added_bars} of them new`,
    )
    return { symbol, timeframe, bars, first_time, last_time, sha256, ...end.counts }
  }

  async #job({ symbol, timeframe }: DatasetName): Promise<DownloadJob> {
    const stored = await this.archive.manifest(symbol, timeframe)
    const calendar = stored?.calendar ?? this.#asked.calendar ?? this.#vendor.calendarOf(symbol)
    if (calendar === null) throw new Problem('params-invalid', `${symbol} ${timeframe} needs a calendar`)
    const { exchange = this.#vendor.exchanges ? this.#ctx.server.vendors.ccxt.exchange : undefined } =
      this.#asked
    return {
      symbol,
      timeframe,
      calendar: this.calendars.get(calendar),
      vendor: this.#vendor,
      exchange: exchange ?? null,
      context: this.#context,
      archive: this.archive,
      pointer: '/body/params',
    }
  }
}

function vendorContext(ctx: WorkerContext): VendorContext {
  return {
    settings: ctx.server.vendors,
    signal: ctx.signal,
    now: () => ctx.now(),
    pacing: ctx.server.pacing,
    onWait: reason => {
      ctx.alive()
      ctx.log('debug', reason)
    },
  }
}

/** What a person and a chart see of the pages of one dataset. */
class PageReport {
  readonly #ctx: WorkerContext
  readonly #dataset: DatasetName
  readonly #place: Place
  readonly #startedAt: number
  readonly #startBars: number
  #spanMs: number | null = null

  constructor(ctx: WorkerContext, dataset: DatasetName, start: DownloadState, place: Place) {
    this.#ctx = ctx
    this.#dataset = dataset
    this.#place = place
    this.#startedAt = ctx.now()
    this.#startBars = start.counts.fetched_bars
    this.#say(start, 0, 'asking')
  }

  page(state: DownloadState): void {
    const { pages, fetched_bars } = state.counts
    const seconds = Math.max(1, this.#ctx.now() - this.#startedAt) / 1000
    const rate = (fetched_bars - this.#startBars) / seconds
    this.#ctx.metric('pages', { page: pages, bars: fetched_bars, bars_per_second: rate })
    this.#say(state, rate, `page ${pages}, ${fetched_bars} bars`)
  }

  #say(state: DownloadState, rate: number, what: string): void {
    const left = state.ranges.filter(({ start }) => start !== earliestMs)
    const leftMs = left.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
    // Where the vendor's first bar lies is known after the first page.
    if (left.length === state.ranges.length) this.#spanMs ??= leftMs
    const covered = this.#spanMs === null || this.#spanMs === 0 ? 0 : 1 - leftMs / this.#spanMs
    const { symbol, timeframe } = this.#dataset
    const speed = rate === 0 ? '' : `, ${Math.round(rate)} bars/s`
    const done = this.#place.done + Math.min(1, Math.max(0, covered))
    this.#ctx.progress(done, this.#place.total, `${symbol} ${timeframe}: ${what}${speed}`, 'dataset')
  }
}
