import { dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import type { EquityCurve } from './equity.ts'

/**
 * Simple returns of the equity, the first one from the initial capital. Bars of a day or longer give one
 * return each; intraday equity is first resampled to the last value of each UTC day.
 * @returns fractions, oldest first, or null when the equity was ever zero or below: there is no return from that
 */
export function equityReturns(
  curve: EquityCurve,
  initialCapital: number,
  timeframe: Timeframe,
): Float64Array | null {
  const { durationMs } = timeframes[timeframe]
  const isIntraday = durationMs !== null && durationMs < dayMs
  const returns: number[] = []
  let previous = initialCapital
  for (let i = 0; i < curve.length; i++) {
    const equity = curve.equity[i] as number
    if (equity <= 0) return null
    if (
      isIntraday &&
      i + 1 < curve.length &&
      dayOf(curve.time[i] as number) === dayOf(curve.time[i + 1] as number)
    )
      continue
    returns.push(equity / previous - 1)
    previous = equity
  }
  return Float64Array.from(returns)
}

/** Arithmetic mean of at least one value. */
export function mean(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length
}

/** Sample standard deviation (n − 1) of at least two values, in two passes. */
export function standardDeviation(values: Float64Array): number {
  const average = mean(values)
  const squares = values.reduce((total, value) => total + (value - average) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

/** A bar that closes at midnight belongs to the day that ends. */
function dayOf(closeTimeMs: number): number {
  return Math.floor((closeTimeMs - 1) / dayMs)
}
