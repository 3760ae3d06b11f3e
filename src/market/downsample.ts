import type { Bars } from './bars.ts'
import { emptyColumns } from './bars-builder.ts'

/**
 * Fewer bars with the same outline, for charts: consecutive bars are joined into `maxPoints` groups of
 * (nearly) equal numbers of bars. Open of the first, highest high, lowest low, close of the last, volumes
 * summed; `time` of the first and `close_time` of the last, so the result no longer lies on a timeframe.
 * At most `maxPoints` bars are returned as they are, the same object.
 * @param bars oldest first, length n
 * @param maxPoints integer ≥ 1
 * @returns min(n, maxPoints) bars; the first and the last bar of `bars` are in its first and last group
 * @throws {RangeError} when maxPoints is not an integer ≥ 1
 */
export function downsampleBars(bars: Bars, maxPoints: number): Bars {
  if (!Number.isInteger(maxPoints) || maxPoints < 1)
    throw new RangeError(`maxPoints is ${maxPoints}, but must be an integer of at least 1`)
  if (bars.length <= maxPoints) return bars
  const joined = { length: maxPoints, ...emptyColumns(maxPoints) }
  for (let group = 0; group < maxPoints; group++) {
    const from = Math.floor((group * bars.length) / maxPoints)
    const to = Math.floor(((group + 1) * bars.length) / maxPoints)
    joinBars(bars, { from, to }, joined, group)
  }
  return joined
}

function joinBars(bars: Bars, { from, to }: { from: number; to: number }, joined: Bars, group: number): void {
  let high = Number.NEGATIVE_INFINITY
  let low = Number.POSITIVE_INFINITY
  let volume = 0
  for (let i = from; i < to; i++) {
    high = Math.max(high, bars.high[i] as number)
    low = Math.min(low, bars.low[i] as number)
    volume += bars.volume[i] as number
  }
  joined.time[group] = bars.time[from] as number
  joined.close_time[group] = bars.close_time[to - 1] as number
  joined.open[group] = bars.open[from] as number
  joined.high[group] = high
  joined.low[group] = low
  joined.close[group] = bars.close[to - 1] as number
  joined.volume[group] = volume
}
