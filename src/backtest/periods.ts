import { dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import type { EquityCurve } from './equity.ts'

/**
 * The points of a curve at which the periods of its returns end: every point for bars of a day or longer, otherwise the
 * last of each UTC day. A point at midnight belongs to the day that ends.
 * @returns indexes, ascending; the last is that of the last point
 */
export function periodEnds({ time, length }: EquityCurve, timeframe: Timeframe): Int32Array {
  const { durationMs } = timeframes[timeframe]
  const isIntraday = durationMs !== null && durationMs < dayMs
  if (!isIntraday) return Int32Array.from({ length }, (_, i) => i)
  const ends: number[] = []
  for (let next = 0; next < length; ) {
    const end = lastAtOrBefore(time, endOfDay(time[next] as number), next, length)
    ends.push(end)
    next = end + 1
  }
  return Int32Array.from(ends)
}

/**
 * Index of the last time ≤ `timeMs` in `from` ≤ i < `to`, which must start with one that is. In steps that double, so
 * that going through a column period by period reads only a few times of each.
 */
export function lastAtOrBefore(time: Float64Array, timeMs: number, from: number, to: number): number {
  let low = from
  let step = 1
  while (low + step < to && (time[low + step] as number) <= timeMs) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, to)
  while (low + 1 < high) {
    const middle = (low + high) >>> 1
    if ((time[middle] as number) <= timeMs) low = middle
    else high = middle
  }
  return low
}

function endOfDay(closeTimeMs: number): number {
  return Math.ceil(closeTimeMs / dayMs) * dayMs
}
