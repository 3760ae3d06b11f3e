import type { BarsArchive } from '../archive/bars.ts'
import { toRfc3339 } from '../clock.ts'
import { BarsBuilder } from '../market/bars-builder.ts'
import type { Calendar } from '../market/calendar.ts'
import { earliestMs } from '../market/download-plan.ts'
import { addInterval, type Interval } from '../market/intervals.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { BarsPage, Vendor, VendorContext } from './vendor.ts'

/** One dataset on its way from a vendor. */
export type DownloadJob = {
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly calendar: Calendar
  readonly vendor: Vendor
  readonly exchange: string | null
  readonly context: VendorContext
  readonly archive: BarsArchive
  /** JSON pointer to the object of the request that names symbol and timeframe. */
  readonly pointer: string
}

/** What was done so far, over all attempts. */
export type DownloadCounts = {
  readonly pages: number
  readonly fetched_bars: number
  readonly added_bars: number
  readonly changed_bars: number
}

/** Where a download stands: plain data, what a checkpoint holds. */
export type DownloadState = {
  /** What is still to be asked for, oldest first. */
  readonly ranges: readonly Interval[]
  /** What the vendor has answered for and the dataset was told, oldest first. */
  readonly answered: readonly Interval[]
  readonly counts: DownloadCounts
  /** The vendor's remarks, each once. */
  readonly remarks: readonly string[]
}

/** A download of these spans that has not begun. */
export const startOf = (ranges: readonly Interval[]): DownloadState => ({
  ranges,
  answered: [],
  counts: { pages: 0, fetched_bars: 0, added_bars: 0, changed_bars: 0 },
  remarks: [],
})

/** What the dataset is recorded to come from: `yahoo`, `ccxt:binance`. */
export const sourceOf = (vendor: Vendor, exchange: string | null): string =>
  exchange === null ? vendor.name : `${vendor.name}:${exchange}`

/**
 * Fetches what is left of `state` and stores every page at once: bars already stored with the same open time are
 * replaced, nothing else is touched. Stopped at any instant and called again with the last state it told, it goes on
 * where it was; a page that was stored but not yet told is fetched again and changes nothing.
 * @param onPage told after each page is stored, with the state to go on from; it may throw to stop
 * @returns the last state
 * @throws {Problem} as the vendor does; what it did not deliver is noted with the dataset
 */
export async function downloadRanges(
  job: DownloadJob,
  state: DownloadState,
  onPage: (state: DownloadState) => void,
): Promise<DownloadState> {
  let current = state
  for (let [range] = current.ranges; range !== undefined; [range] = current.ranges) {
    try {
      for await (const page of job.vendor.fetchBars(requestOf(job, range), job.context)) {
        const [left = range] = current.ranges
        current = await storePage(job, current, left, page)
        onPage(current)
      }
    } catch (error) {
      const [left = range] = current.ranges
      if (error instanceof Problem) await noteFailure(job, left, error)
      throw error
    }
    current = { ...current, ranges: current.ranges.slice(1) }
  }
  return current
}

const requestOf = ({ symbol, timeframe, calendar, exchange }: DownloadJob, { start, end }: Interval) => ({
  symbol,
  timeframe,
  calendar,
  exchange,
  start: start === earliestMs ? null : start,
  end,
})

async function storePage(
  job: DownloadJob,
  state: DownloadState,
  left: Interval,
  page: BarsPage,
): Promise<DownloadState> {
  const until = Math.min(Math.max(left.start, page.until), left.end)
  const fetched = { start: left.start, end: until }
  const stored = await job.archive.commit(
    job.symbol,
    job.timeframe,
    { bars: page.bars, fetched, ...(page.actions === undefined ? {} : { actions: page.actions }) },
    originOf(job),
  )
  const { pages, fetched_bars, added_bars, changed_bars } = state.counts
  return {
    ranges: [{ start: until, end: left.end }, ...state.ranges.slice(1)],
    answered: addInterval(state.answered, fetched),
    counts: {
      pages: pages + 1,
      fetched_bars: fetched_bars + page.bars.length,
      added_bars: added_bars + (stored?.added ?? 0),
      changed_bars: changed_bars + (stored?.changed ?? 0),
    },
    remarks: [...new Set([...state.remarks, ...(page.remarks ?? [])])],
  }
}

/** Gap reports tell "nobody asked" from "asked, and it failed". */
async function noteFailure(job: DownloadJob, left: Interval, problem: Problem): Promise<void> {
  if (problem.code !== 'vendor-unavailable' || left.start >= left.end) return
  const reason = `${toRfc3339(job.context.now())} ${problem.message}`.slice(0, 300)
  await job.archive.commit(
    job.symbol,
    job.timeframe,
    { bars: new BarsBuilder(0).build(), failed: { ...left, reason } },
    originOf(job),
  )
}

const originOf = (job: DownloadJob) => ({
  source: sourceOf(job.vendor, job.exchange),
  now: job.context.now(),
  calendar: job.calendar.name,
  pointer: job.pointer,
})
