import { gridOf } from '../market/bar-grid.ts'
import { formatTime } from '../market/bars.ts'
import { weekdayOf } from '../market/calendar.ts'
import { dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import type { VendorRow } from './page.ts'
import type { BarsRequest } from './vendor.ts'
import type { Chart } from './yahoo-chart.ts'

/** Rows as our bars are keyed, and what was left out. */
export type LabelledRows = { readonly rows: readonly VendorRow[]; readonly remarks: readonly string[] }

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
    time: labelOf(chart.localDateMs(row.time), request.timeframe),
  }))
  if (request.timeframe === '1d') return { rows: labelled, remarks: [] }
  const distinct = labelled.filter((_, i) => rows[i]?.time !== rows[i + 1]?.time)
  return { rows: joinParts(distinct), remarks: [] }
}

export function isIntraday(timeframe: Timeframe): boolean {
  const { durationMs } = timeframes[timeframe]
  return durationMs !== null && durationMs < dayMs
}

/** Label of the bar a date (00:00 UTC) belongs to: the date, its Monday, or the first of its month. */
export function labelOf(dateMs: number, timeframe: Timeframe): number {
  if (timeframe === '1w') return dateMs - (weekdayOf(dateMs) - 1) * dayMs
  const date = new Date(dateMs)
  return timeframe === '1M' ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) : dateMs
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
    ` and were left out, such as ${formatTime(stray.time)}: is it the calendar of this symbol?`
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
