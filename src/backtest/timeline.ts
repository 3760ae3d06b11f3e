import type { MarketInput } from './backtest-run.ts'

/** The moments of a run: one for every time at which a bar of some market opens. Epoch ms UTC, increasing. */
export type Timeline = {
  readonly length: number
  readonly open: Float64Array
  /** When every bar that opened at this moment, or before, is complete. */
  readonly close: Float64Array
}

/** Merges the ranges of the markets by the open times of their bars. One market's are views of its bars. */
export function mergeTimes(markets: readonly MarketInput[]): Timeline {
  const [first] = markets
  if (first !== undefined && markets.length === 1) {
    const open = first.bars.time.subarray(first.from)
    return { length: open.length, open, close: first.bars.close_time.subarray(first.from) }
  }
  const bars = markets.reduce((total, market) => total + market.bars.length - market.from, 0)
  const open = new Float64Array(bars)
  const close = new Float64Array(bars)
  const next = markets.map(({ from }) => from)
  let length = 0
  for (;;) {
    const timeMs = earliest(markets, next)
    if (timeMs === Number.POSITIVE_INFINITY) break
    open[length] = timeMs
    close[length] = length === 0 ? Number.NEGATIVE_INFINITY : (close[length - 1] as number)
    markets.forEach(({ bars: { time, close_time } }, k) => {
      const i = next[k] as number
      if (time[i] !== timeMs) return
      close[length] = Math.max(close[length] as number, close_time[i] as number)
      next[k] = i + 1
    })
    length++
  }
  return { length, open: open.subarray(0, length), close: close.subarray(0, length) }
}

function earliest(markets: readonly MarketInput[], next: readonly number[]): number {
  let timeMs = Number.POSITIVE_INFINITY
  for (let k = 0; k < markets.length; k++)
    timeMs = Math.min(timeMs, markets[k]?.bars.time[next[k] as number] ?? Number.POSITIVE_INFINITY)
  return timeMs
}
