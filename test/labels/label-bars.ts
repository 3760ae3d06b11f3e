import fc from 'fast-check'
import type { Bars } from '../../src/market/bars.ts'
import type { StrategyLabels } from '../../src/strategy/labels.ts'

const hourMs = 3_600_000

/** Hourly bars that opened and closed at these prices; the range is that of the close unless it is given. */
export function barsOf(close: readonly number[], { high = close, low = close } = {}): Bars {
  const time = Float64Array.from(close, (_, i) => Date.UTC(2024, 0, 1) + i * hourMs)
  return {
    length: close.length,
    time,
    close_time: time.map(open => open + hourMs),
    open: Float64Array.from(close),
    high: Float64Array.from(high),
    low: Float64Array.from(low),
    close: Float64Array.from(close),
    volume: new Float64Array(close.length),
  }
}

/** Walks in steps of whole and half percents, many of them equal, with ranges round them. */
export const someBars = fc
  .array(fc.record({ step: fc.integer({ min: -6, max: 6 }), above: fc.nat(3), below: fc.nat(3) }), {
    minLength: 30,
    maxLength: 140,
  })
  .map(moves => {
    let price = 100
    const close = moves.map(({ step }) => {
      price *= 1 + step / 200
      return price
    })
    const high = close.map((value, i) => value * (1 + (moves[i]?.above ?? 0) / 200))
    const low = close.map((value, i) => value * (1 - (moves[i]?.below ?? 0) / 200))
    return barsOf(close, { high, low })
  })

export type SpecOf<Source extends StrategyLabels['source']> = Extract<StrategyLabels, { source: Source }>

export const barrier: SpecOf<'triple_barrier'> = {
  source: 'triple_barrier',
  pt_multiplier: 2,
  sl_multiplier: 1,
  max_holding_period: 4,
  vol_span: 2,
  vol_method: 'atr',
  compute_weights: false,
  cusum_threshold: null,
  cusum_multiplier: 0.5,
}

export const regime: SpecOf<'regime'> = {
  source: 'regime',
  macro_atr_mult: 2,
  micro_atr_mult: 0.8,
  atr_period: 3,
  vol_lookback: 8,
  vol_crisis_threshold: 1.6,
  progression_tolerance: 0.6,
}

/** One or more of every source. */
export const specs: readonly StrategyLabels[] = [
  { source: 'zigzag', zigzag_threshold: 0.03, neutral_fraction: 0.5 },
  { source: 'zigzag', zigzag_threshold: 0.03, neutral_fraction: 0 },
  { source: 'forward_return', horizon: 7 },
  { source: 'context', horizon: 3, bullish_threshold: 0.01, bearish_threshold: -0.02 },
  barrier,
  { ...barrier, pt_multiplier: 1, sl_multiplier: 3, vol_method: 'returns', max_holding_period: 11 },
  { ...barrier, cusum_threshold: 0.02 },
  { ...barrier, cusum_threshold: 0 },
  regime,
  { ...regime, macro_atr_mult: 0.6, micro_atr_mult: 0.2, atr_period: 8 },
]
