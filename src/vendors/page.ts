import { type BarGrid, gridOf } from '../market/bar-grid.ts'
import { findBarFault, formatTime } from '../market/bars.ts'
import { BarsBuilder } from '../market/bars-builder.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import { dayMs, timeframes } from '../market/timeframe.ts'
import type { BarsPage, BarsRequest } from './vendor.ts'

/** A bar as a vendor tells it, unchecked. Times are open times, epoch ms UTC; null is "none". */
export type VendorRow = {
  readonly time: number
  readonly open: number | null
  readonly high: number | null
  readonly low: number | null
  readonly close: number | null
  readonly volume: number | null
}

/** What a vendor knows about its rows besides the rows. */
type PageFacts = {
  /** The server's clock, epoch ms. */
  readonly now: number
  /** Up to which open time (exclusive, epoch ms) the vendor was asked. */
  readonly until: number
  readonly actions?: readonly CorporateAction[]
  /** When a bar with this open time is complete, epoch ms; by the calendar of the request where it is absent. */
  readonly closeTimeOf?: (openTimeMs: number) => number
  /** What else there is to say about the page. */
  readonly remarks?: readonly string[]
}

type PricedRow = VendorRow & {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
}

/**
 * Turns rows in any order into a page as `BarsPage` promises it. Of rows with the same open time the last sent
 * counts. Left out without a word: rows outside the request, rows that lack a price (a vendor's way to say "no
 * trade"), and bars that are not complete at `now`. Left out with one remark: rows that could not have happened.
 * The page ends before the first bar that is not complete, sent or not, so that it is asked for again. No volume
 * becomes 0.
 */
export function cleanPage(rows: readonly VendorRow[], request: BarsRequest, facts: PageFacts): BarsPage {
  const grid = gridOf(request.calendar, request.timeframe)
  const closeTimeOf = facts.closeTimeOf ?? grid.closeTimeOf
  const builder = new BarsBuilder(rows.length)
  const faults: string[] = []
  let until = Math.min(
    facts.until,
    request.end,
    facts.now,
    firstUnfinished(grid, request, facts.now, closeTimeOf),
  )
  for (const row of latestOfEach(rows.filter(hasPrices).filter(row => isInside(row.time, request)))) {
    const { time, open, high, low, close } = row
    const close_time = closeTimeOf(time)
    if (close_time > facts.now) {
      until = Math.min(until, time)
      break
    }
    const bar = { time, close_time, open, high, low, close, volume: row.volume ?? 0 }
    const fault = findBarFault(bar)
    if (fault === null) builder.append(bar)
    else faults.push(`${formatTime(time)}: ${fault.message}`)
  }
  const remarks = [...(facts.remarks ?? []), ...remarkOn(faults, rows.length)]
  return {
    bars: builder.build(),
    until,
    ...(facts.actions === undefined ? {} : { actions: facts.actions }),
    ...(remarks.length === 0 ? {} : { remarks }),
  }
}

/** Open time of the oldest bar that is still running; `now` when none is. */
function firstUnfinished(
  grid: BarGrid,
  { timeframe }: BarsRequest,
  now: number,
  closeTimeOf: BarGrid['closeTimeOf'],
): number {
  // A label is the start of a UTC day, and a session may end a day after it.
  const longestMs = timeframes[timeframe].durationMs ?? 31 * dayMs
  const from = now - longestMs - (longestMs < dayMs ? 0 : dayMs)
  for (const { time } of grid.slots(from, now)) if (closeTimeOf(time) > now) return time
  return now
}

function hasPrices(row: VendorRow): row is PricedRow {
  return row.open !== null && row.high !== null && row.low !== null && row.close !== null
}

function isInside(time: number, { start, end }: BarsRequest): boolean {
  return time < end && (start === null || time >= start)
}

/** Oldest first, each time once. Sorting is stable: of equal times the last sent stays last. */
function latestOfEach<Row extends VendorRow>(rows: readonly Row[]): Row[] {
  const sorted = rows.toSorted((a, b) => a.time - b.time)
  return sorted.filter((row, i) => row.time !== sorted[i + 1]?.time)
}

function remarkOn(faults: readonly string[], rows: number): string[] {
  const [first] = faults
  if (first === undefined) return []
  return [`${faults.length} of ${rows} rows could not have happened and were left out, such as ${first}`]
}
