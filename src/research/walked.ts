import { annualiseSharpe, sharpePerPeriod } from '../statistics/sharpe.ts'

/** The equity of one test window, at the ends of its periods of return. */
export type WindowCurve = {
  /** Close times, epoch ms, ascending. */
  readonly time: Float64Array
  readonly return_fraction: Float64Array
}

/** The windows one after the other: what was earned on bars that no search had seen. */
export type Walked = {
  /** As the windows' curves, joined. */
  readonly time: Float64Array
  /** From `initialCapital` on, every window beginning with what the one before left. */
  readonly equity: Float64Array
  readonly return_fraction: number
  /** Per year; null where the returns do not vary or are too few. */
  readonly sharpe: number | null
  readonly max_drawdown_fraction: number
}

/**
 * Joins windows that do not overlap, oldest first. Between them nothing is held.
 * @param periodsPerYear to annualise; null where it is not known
 */
export function joinWindows(
  windows: readonly WindowCurve[],
  initialCapital: number,
  periodsPerYear: number | null,
): Walked {
  const length = windows.reduce((sum, { time }) => sum + time.length, 0)
  const time = new Float64Array(length)
  const returns = new Float64Array(length)
  let at = 0
  for (const window of windows) {
    time.set(window.time, at)
    returns.set(window.return_fraction, at)
    at += window.time.length
  }
  const equity = new Float64Array(length)
  let [value, peak, drawdown] = [initialCapital, initialCapital, 0]
  for (let i = 0; i < length; i++) {
    value *= 1 + (returns[i] as number)
    equity[i] = value
    peak = Math.max(peak, value)
    drawdown = Math.max(drawdown, (peak - value) / peak)
  }
  const sharpe = sharpePerPeriod(returns)
  return {
    time,
    equity,
    return_fraction: value / initialCapital - 1,
    sharpe: sharpe === null || periodsPerYear === null ? null : annualiseSharpe(sharpe, periodsPerYear),
    max_drawdown_fraction: drawdown,
  }
}
