import type { Bars } from '../market/bars.ts'
import { negligible } from '../statistics/moments.ts'
import type { StrategyLabels } from '../strategy/labels.ts'
import { findEvents } from './cusum.ts'
import {
  buy,
  type Checkpoint,
  createColumns,
  hold,
  type LabelColumns,
  sell,
  writeLabel,
} from './label-columns.ts'
import { weighUniqueness } from './uniqueness.ts'
import { measureVolatility } from './volatility.ts'

type Spec = Extract<StrategyLabels, { source: 'triple_barrier' }>

/** Bars looked at between two checkpoints. */
const checkpointWork = 200_000

/**
 * What two positions opened at the bar's close would have come to, each with barriers of its own. With σ the volatility
 * known at that close: the long one has its profit at close × (1 + pt·σ) and its loss at close × (1 − sl·σ), the short
 * one at close × (1 − pt·σ) and close × (1 + sl·σ). Barriers are touched by high and low of the following bars, at most
 * `max_holding_period` of them. Touching both of its own in one bar is a loss, as the order is not known.
 *
 * buy: the long one reaches its profit, and first; sell: the short one does; hold: neither does, or both in one bar.
 * Mirrored prices have mirrored labels. A label is known when one has won, when both have lost, or when time is up. So
 * among the last `max_holding_period` bars only those have one that were decided early.
 *
 * With `cusum_threshold` only the bars that are events have labels. Volatilities below 1e-12 make no barriers.
 * Cost: bars × bars until decided. Source: López de Prado 2018, sections 3.3 to 3.5 and 2.5.2.
 */
export function labelBarriers(
  spec: Spec,
  bars: Bars,
  checkpoint: Checkpoint,
): LabelColumns & { readonly weight: Float64Array | null } {
  const measure = { method: spec.vol_method, span: spec.vol_span }
  const volatility = measureVolatility(bars, measure, checkpoint)
  const events = spec.cusum_threshold === null ? null : chooseEvents(spec, bars, { volatility, checkpoint })
  const columns = createColumns(bars.length)
  let work = 0
  for (let t = 0; t < bars.length; t++) {
    const size = volatility[t] as number
    if (!(size >= negligible) || events?.[t] === 0) continue
    const outcome = follow(bars, t, { spec, size })
    work += 1 + (outcome === null ? bars.length : outcome.t1) - t
    if (outcome !== null) writeLabel(columns, bars, { t, ...outcome })
    if (work < checkpointWork) continue
    checkpoint()
    work = 0
  }
  return { ...columns, weight: spec.compute_weights ? weighUniqueness(columns.t1) : null }
}

function chooseEvents(
  { cusum_threshold: threshold, cusum_multiplier: multiplier }: Spec,
  { close }: Bars,
  { volatility, checkpoint }: { readonly volatility: Float64Array; readonly checkpoint: Checkpoint },
): Uint8Array {
  const fixed = threshold === 0 ? null : threshold
  const limits = volatility.map(size => (Number.isNaN(size) ? size : (fixed ?? multiplier * size)))
  return findEvents(close, limits, checkpoint)
}

/** Which of the two positions opened at the close of bar `t` wins, and when; null where the bars end before that is known. */
function follow(
  { close, high, low, length }: Bars,
  t: number,
  { spec, size }: { readonly spec: Spec; readonly size: number },
): { readonly t1: number; readonly value: number } | null {
  const entry = close[t] as number
  const profitAbove = entry * (1 + spec.pt_multiplier * size)
  const profitBelow = entry * (1 - spec.pt_multiplier * size)
  const lossAbove = entry * (1 + spec.sl_multiplier * size)
  const lossBelow = entry * (1 - spec.sl_multiplier * size)
  const nearestAbove = Math.min(profitAbove, lossAbove)
  const nearestBelow = Math.max(profitBelow, lossBelow)
  const end = t + spec.max_holding_period
  const last = Math.min(end, length - 1)
  let long = true
  let short = true
  for (let u = t + 1; u <= last; u++) {
    const top = high[u] as number
    const bottom = low[u] as number
    if (top < nearestAbove && bottom > nearestBelow) continue
    if (bottom <= lossBelow) long = false
    if (top >= lossAbove) short = false
    const longWins = long && top >= profitAbove
    const shortWins = short && bottom <= profitBelow
    if (longWins || shortWins) return { t1: u, value: longWins && shortWins ? hold : longWins ? buy : sell }
    if (!long && !short) return { t1: u, value: hold }
  }
  return end < length ? { t1: end, value: hold } : null
}
