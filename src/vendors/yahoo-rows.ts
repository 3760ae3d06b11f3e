import { gridOf, isIntraday } from '../market/bar-grid.ts'
import { formatTime } from '../market/bars.ts'
import { weekdayOf } from '../market/calendar.ts'
import { dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import type { VendorRow } from './page.ts'
import type { BarsRequest } from './vendor.ts'
import type { Chart } from './yahoo-chart.ts'

/** Rows as our bars are keyed, and what was left out. */
type LabelledRows = { readonly rows: readonly VendorRow[]; readonly remarks: readonly string[] }

/**
 * Gives Yahoo's rows the open times of our bars.
 *
 * Yahoo stamps a daily row with the open of its session, and appends a live row stamped with the last trade: it is of
 * the same day as the row before it, which it replaces, or in a weekly and monthly chart a part of the same week or
 * month, to which it is added. Intraday, the live row and the print at the close open with no bar of the calendar
 * and are left out.
 */
export function labelRows(chart: Chart, request: BarsRequest): LabelledRows {
  const rows = chart.rows.toSorted((a, b) => a.time - b.time)
  if (isIntraday(request.timeframe)) return onSlots(rows, request)
  const labelled = rows.map(row => ({
    ...row,
    time: labelOf(chart.clock.localDateMs(row.time), request.timeframe),
  }))
  if (request.timeframe === '1d') return { rows: labelled, remarks: [] }
  const distinct = labelled.filter((_, i) => rows[i]?.time !== rows[i + 1]?.time)
  return { rows: joinParts(distinct), remarks: [] }
}

/** Label of the bar a date (00:00 UTC) belongs to: the date, its Monday, or the first of its month. */
export function labelOf(dateMs: number, timeframe: Timeframe): number {
  if (timeframe === '1w') return dateMs - (weekdayOf(dateMs) - 1) * dayMs
  const date = new Date(dateMs)
  return timeframe === '1M' ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) : dateMs
}

/**
 * When a bar of Yahoo with one of our open times is complete, epoch ms. Where the chart's clock is not the calendar's,
 * Yahoo's days, weeks and months run to a midnight of the chart's: prices of the hours between the calendar's close and
 * that midnight are in the bar, as in forex those from 17:00 in New York to 24:00 in London.
 */
export function closeTimesOf(
  { clock }: Chart,
  { calendar, timeframe }: BarsRequest,
): (openTimeMs: number) => number {
  const grid = gridOf(calendar, timeframe)
  if (isIntraday(timeframe) || clock.zone === calendar.timezone) return grid.closeTimeOf
  return openTimeMs =>
    Math.max(grid.closeTimeOf(openTimeMs), clock.midnightMs(nextLabel(openTimeMs, timeframe)))
}

/** Label of the bar after the one with a label. */
export function nextLabel(labelMs: number, timeframe: Timeframe): number {
  return labelOf(labelMs + (timeframes[timeframe].durationMs ?? 31 * dayMs), timeframe)
}

/** The rows that open with a bar of the calendar. The last row, and prints at a close, go without a word. */
function onSlots(rows: readonly VendorRow[], { calendar, timeframe }: BarsRequest): LabelledRows {
  const grid = gridOf(calendar, timeframe)
  const onSlot = rows.map(({ time }) => grid.slotAt(time)?.time === time)
  const isExpected = (time: number) => grid.slotAt(time - 1)?.closeTime === time
  const strays = rows.filter((row, i) => onSlot[i] === false && i < rows.length - 1 && !isExpected(row.time))
  const [first] = strays
  const remark = (stray: VendorRow) =>
    `${strays.length} of ${rows.length} rows do not open with a ${timeframe} bar of the calendar ${calendar.name}` +
    ` and were left out, such as ${formatTime(stray.time)}: it may not be the calendar of this symbol`
  return {
    rows: rows.filter((_, i) => onSlot[i]),
    remarks: first === undefined ? [] : [remark(first)],
  }
}

/** Rows of one label, oldest part first, become one row: first open, highest, lowest, last close, all volume. */
function joinParts(parts: readonly VendorRow[]): VendorRow[] {
  const whole = new Map<number, VendorRow>()
  for (const part of parts) {
    const { time, open, high, low, close } = part
    if (open === null || high === null || low === null || close === null) continue
    const before = whole.get(time)
    if (before === undefined) whole.set(time, part)
    else {
      whole.set(time, {
        time,
        open: before.open,
        high: Math.max(before.high ?? high, high),
        low: Math.min(before.low ?? low, low),
        close,
        volume: (before.volume ?? 0) + (part.volume ?? 0),
      })
    }
  }
  return [...whole.values()]
}
