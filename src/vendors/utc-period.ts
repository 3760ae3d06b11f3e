import { dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'

/**
 * When the period of a timeframe that holds an instant began, for bars that are counted in UTC: at a multiple of the
 * duration, on Monday, on the first of the month. All times are epoch ms UTC.
 */
export function periodStartMs(timeMs: number, timeframe: Timeframe): number {
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null) {
    const date = new Date(timeMs)
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
  }
  // 1 January 1970 was a Thursday: the Monday before is 3 days earlier.
  const originMs = timeframe === '1w' ? -3 * dayMs : 0
  return originMs + Math.floor((timeMs - originMs) / durationMs) * durationMs
}
