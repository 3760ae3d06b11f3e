import type { Bars } from '../market/bars.ts'
import type { BacktestConfig } from './backtest-config.ts'
import type { Direction } from './trades.ts'

/** An entry that waits. NaN is a price it does not have. */
export type Entry = {
  readonly direction: Direction
  /** Bar at whose close it was decided. */
  readonly decidedOn: number
  readonly limit: number
  /** Until it is triggered. */
  stop: number
  readonly stopLoss: number
  readonly target: number
}

/**
 * Price of a limit, stop or stop-limit entry on bar i; NaN where it goes on waiting. A stop that is triggered is gone:
 * what is left is a limit.
 */
export function triggeredPrice(entry: Entry, bars: Bars, i: number): number {
  const { direction, limit, stop } = entry
  const open = bars.open[i] as number
  const best = (direction > 0 ? bars.low[i] : bars.high[i]) as number
  const worst = (direction > 0 ? bars.high[i] : bars.low[i]) as number
  const hasStop = !Number.isNaN(stop)
  if (hasStop && direction * (worst - stop) < 0) return Number.NaN
  entry.stop = Number.NaN
  if (Number.isNaN(limit)) return direction > 0 ? Math.max(open, stop) : Math.min(open, stop)
  if (direction * (limit - best) < 0) return Number.NaN
  // The bar may have been at the limit before it was at the stop.
  if (hasStop && direction * (limit - stop) <= 0) return Number.NaN
  const from = hasStop ? stop : open
  return direction > 0 ? Math.min(from, limit) : Math.max(from, limit)
}

/** Whether a stop entry reaches its target on the way it was going, on a bar that does not reach its stop. */
export function isTargetCertain(
  { direction, target, stopLoss }: Entry,
  { high, low }: Bars,
  i: number,
): boolean {
  const favourable = (direction > 0 ? high[i] : low[i]) as number
  const adverse = (direction > 0 ? low[i] : high[i]) as number
  return direction * (favourable - target) >= 0 && !(direction * (stopLoss - adverse) >= 0)
}

/** The greatest fraction below 1 of an order: 1 and more are numbers of units there. */
const wholeEquity = 1 - Number.EPSILON

/** Size of an order as the library is given it: a fraction below 1, or whole units. */
export function askedSize(sizing: BacktestConfig['sizing']): number {
  if (sizing.mode === 'units') return Math.floor(sizing.units)
  return sizing.mode === 'fraction' ? Math.min(sizing.fraction, wholeEquity) : wholeEquity
}

/** ⌊a / b⌋ of the exact quotient, as Python's `//`: rounding the quotient may not make it a whole number too early. */
export function floorDivide(a: number, b: number): number {
  return Math.round((a - (a % b)) / b)
}
