import { type Bars, sliceBars } from '../market/bars.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'

/** What one segment spans: it depends on the open times alone, never on the way the bars arrived. */
const spans = {
  '1m': 'month',
  '3m': 'month',
  '5m': 'month',
  '15m': 'year',
  '30m': 'year',
  '1h': 'year',
  '2h': 'year',
  '4h': 'year',
  '6h': 'year',
  '12h': 'year',
  '1d': 'all',
  '1w': 'all',
  '1M': 'all',
} as const satisfies Record<Timeframe, 'month' | 'year' | 'all'>

/** A part of time whose bars are one segment: open times in [start, end), epoch ms UTC. */
export type Partition = {
  /** `2024-01`, `2024` or `all`. */
  readonly name: string
  readonly start: number
  readonly end: number
}

/** A dataset of more is a mistake in its times; it would be as many files. */
export const maxPartitions = 6_000

/** The partition of a bar. @param openMs within the range of dates */
export function partitionOf(openMs: number, timeframe: Timeframe): Partition {
  const span = spans[timeframe]
  if (span === 'all') return { name: 'all', start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }
  const open = new Date(openMs)
  const [year, month] = [open.getUTCFullYear(), open.getUTCMonth()]
  if (span === 'year') return { name: String(year), start: monthStart(year, 0), end: monthStart(year + 1, 0) }
  const name = `${year}-${String(month + 1).padStart(2, '0')}`
  return { name, start: monthStart(year, month), end: monthStart(year, month + 1) }
}

/**
 * Bars cut at the borders of partitions, oldest first; the columns are views.
 * @throws {Problem} 'bars-invalid' when there are more than `maxPartitions`
 */
export function splitByPartition(
  bars: Bars,
  timeframe: Timeframe,
): { readonly partition: Partition; readonly bars: Bars }[] {
  const parts: { partition: Partition; bars: Bars }[] = []
  for (let at = 0; at < bars.length; ) {
    const partition = partitionOf(bars.time[at] as number, timeframe)
    const part = sliceBars(bars, bars.time[at] as number, partition.end)
    parts.push({ partition, bars: part })
    checkPartitions(parts.length, timeframe)
    at += part.length
  }
  return parts
}

/** @throws {Problem} 'bars-invalid' when a dataset would have more than `maxPartitions` segments */
export function checkPartitions(count: number, timeframe: Timeframe): void {
  if (count <= maxPartitions) return
  throw new Problem(
    'bars-invalid',
    `the bars of ${timeframe} lie in more than ${maxPartitions} different ${spans[timeframe]}s`,
    { hint: 'Check the times: seconds read as milliseconds, or the reverse, look like this.' },
  )
}

/** Dates end at ±8.64e15 ms; the partition of the last ones would end behind that. */
const maxTimeMs = 8.6e15

/**
 * Refuses times that no segment can hold. @param bars as `checkBars` allows them
 * @throws {Problem} 'bars-invalid' with pointers `/bars/<row>/<field>`
 */
export function checkTimes(bars: Bars): void {
  for (const field of ['time', 'close_time'] as const) {
    const row = bars[field].findIndex(time => !(Number.isInteger(time) && Math.abs(time) <= maxTimeMs))
    if (row === -1) continue
    const message = `row ${row}: ${field} ${bars[field][row]} is not a whole number of milliseconds within the range of dates`
    throw new Problem('bars-invalid', message, {
      errors: [{ pointer: `/bars/${row}/${field}`, code: 'range', message }],
    })
  }
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999. */
function monthStart(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1)
}
