import type { Bars } from './bars.ts'
import type { Calendar } from './calendar.ts'
import type { Gap } from './gap-list.ts'
import { findGaps } from './gaps.ts'
import { closeTimeMs, type Timeframe, timeframes } from './timeframe.ts'

/** What bars are measured by. Times are epoch ms UTC, half-open; null is unbounded. */
export type DataRange = {
  readonly timeframe: Timeframe
  readonly calendar: Calendar
  readonly start: number | null
  readonly end: number | null
}

/** Gaps that are listed at most: more say nothing more. */
const maxGaps = 10_000

/**
 * The bars that are missing inside a range, from the first stored bar on to the last, whoever lacks them: what a vendor
 * never had is as missing as what was not fetched. O(bars of the range).
 * @param bars all that are stored
 * @returns oldest first, at most 10,000
 */
export function gapsInside(bars: Bars, range: DataRange): readonly Gap[] {
  const { timeframe, calendar } = range
  const { length, time } = bars
  if (length === 0) return []
  const start = Math.max(range.start ?? Number.NEGATIVE_INFINITY, time[0] as number)
  const last = closeTimeMs(time[length - 1] as number, timeframe)
  const end = Math.min(range.end ?? Number.POSITIVE_INFINITY, last)
  if (start >= end || isUnbroken(bars, timeframe)) return []
  return findGaps(bars, {
    ...{ calendar, timeframe, start, end, limit: maxGaps },
    ...{ fetched: [], failed: [], includeExpected: false },
  }).gaps
}

/** Whether every bar opens where the one before closes: then none can be missing, whenever the market is open. */
function isUnbroken({ length, time }: Bars, timeframe: Timeframe): boolean {
  const { durationMs } = timeframes[timeframe]
  for (let i = 1; i < length; i++)
    if ((time[i] as number) - (time[i - 1] as number) !== durationMs) return false
  return true
}

/**
 * How many bars from index `from` on hold no bar of a shorter timeframe, by open times. O(bars + finer).
 * @param finer oldest first
 */
export function countUncovered(bars: Bars, finer: Bars, from: number): number {
  let uncovered = 0
  let at = 0
  for (let i = from; i < bars.length; i++) {
    while (at < finer.length && (finer.time[at] as number) < (bars.time[i] as number)) at++
    if (at === finer.length || (finer.time[at] as number) >= (bars.close_time[i] as number)) uncovered++
  }
  return uncovered
}
