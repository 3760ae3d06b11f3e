import type { Bars } from '../market/bars.ts'
import type { EquityCurve } from './equity.ts'
import { lastAtOrBefore } from './periods.ts'

/** A market of a run, as much of it as a measurement takes. */
export type MeasuredMarket = {
  readonly symbol: string
  readonly bars: Bars
  /** Index of the first bar of the requested range. */
  readonly from: number
  /** Index of the first bar a decision could be made on, from the signals; bars before `from` do not count. */
  readonly firstUsableBar: number
}

/**
 * What one unit of money is worth in a portfolio that puts equal amounts into every symbol at the close of its first
 * usable bar and holds: 1 until then, without costs. Symbols without a usable bar get nothing.
 * @param at points of the curve to value it at, ascending; all of them when left out
 * @returns one value per point, or null when no symbol has a usable bar
 */
export function valueBuyAndHold(
  markets: readonly MeasuredMarket[],
  curve: EquityCurve,
  at: Int32Array | null = null,
): Float64Array | null {
  const held = markets.filter(market => firstHeld(market) < market.bars.length)
  if (held.length === 0) return null
  const values = new Float64Array(at === null ? curve.length : at.length)
  for (const market of held) addMarket(market, { curve, at, share: 1 / held.length }, values)
  return values
}

type Points = { readonly curve: EquityCurve; readonly at: Int32Array | null; readonly share: number }

function addMarket(market: MeasuredMarket, { curve, at, share }: Points, values: Float64Array): void {
  const { close, close_time, length } = market.bars
  const first = firstHeld(market)
  const bought = share / (close[first] as number)
  const boughtMs = close_time[first] as number
  if (at === null) {
    addEveryPoint(market, { time: curve.time, share }, values)
    return
  }
  let bar = first
  for (let k = 0; k < values.length; k++) {
    const timeMs = curve.time[at[k] as number] as number
    if (timeMs >= boughtMs) bar = lastAtOrBefore(close_time, timeMs, bar, length)
    values[k] = (values[k] as number) + (timeMs >= boughtMs ? bought * (close[bar] as number) : share)
  }
}

/** From point to point it is a bar or so, from period to period many: here no bar is searched for. */
function addEveryPoint(
  market: MeasuredMarket,
  { time, share }: { readonly time: Float64Array; readonly share: number },
  values: Float64Array,
): void {
  const { close, close_time, length } = market.bars
  let bar = firstHeld(market)
  const bought = share / (close[bar] as number)
  const boughtMs = close_time[bar] as number
  let k = 0
  for (; k < values.length && (time[k] as number) < boughtMs; k++) values[k] = (values[k] as number) + share
  for (; k < values.length; k++) {
    while (bar + 1 < length && (close_time[bar + 1] as number) <= (time[k] as number)) bar++
    values[k] = (values[k] as number) + bought * (close[bar] as number)
  }
}

function firstHeld({ from, firstUsableBar }: MeasuredMarket): number {
  return Math.max(from, firstUsableBar)
}
