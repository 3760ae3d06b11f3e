import { createAtr } from '../indicators/atr.ts'
import { createDeviation } from '../indicators/deviation.ts'
import { createChange } from '../indicators/series.ts'
import type { Pivot } from '../indicators/zigzag.ts'
import type { Bars } from '../market/bars.ts'
import type { StrategyLabels } from '../strategy/labels.ts'
import { type Checkpoint, createColumns, type LabelColumns, writeLabel } from './label-columns.ts'
import { findSwings } from './swings.ts'

type Spec = Extract<StrategyLabels, { source: 'regime' }>

/** Classes in the order of their indexes. */
export const regimeClasses = ['trending_up', 'trending_down', 'ranging', 'volatile'] as const

const trendingUp = 0
const trendingDown = 1
const ranging = 2
const volatile = 3

/** Small turns within a leg, its ends among them, from which a pattern can be read. */
const fewestTurns = 4
/** A leg with fewer is a trend when it goes so many times the size of a large turn. */
const unbrokenTurns = 2

/**
 * The kind of market a bar stands in. Large turns cut the closes into legs; a turn is a way back from the extreme by
 * `macro_atr_mult` (small ones: `micro_atr_mult`) times Wilder's average true range at the bar that confirms it.
 * - volatile, before all else: the deviation of the next `atr_period` log returns is above `vol_crisis_threshold`
 *   times that of the `vol_lookback` up to the bar.
 * - trending_up, trending_down: of the lows (highs) of the small turns in a rising (falling) leg, at least
 *   `progression_tolerance` are above (below) the one before; or it has fewer than 4 small turns and is twice the size
 *   of a large one.
 * - ranging: all others.
 *
 * A volatile bar is known `atr_period` bars later, another also not before its leg's end is confirmed: bars before the
 * first large turn and after the last are volatile or have no label, nor have the first `vol_lookback` bars.
 */
export function labelRegimes(spec: Spec, bars: Bars, checkpoint: Checkpoint): LabelColumns {
  const columns = createColumns(bars.length)
  const ahead = spec.atr_period
  const verdict = judgeVolatility(spec, bars, checkpoint)
  for (let t = 0; t < bars.length; t++)
    if (verdict[t] === 1) writeLabel(columns, bars, { t, t1: t + ahead, value: volatile })
  checkpoint()
  for (const leg of findLegs(spec, bars, checkpoint)) {
    for (let t = leg.from; t < leg.to; t++) {
      const t1 = Math.max(leg.confirmedAt, t + ahead)
      if (verdict[t] === 0) writeLabel(columns, bars, { t, t1, value: leg.value })
    }
  }
  checkpoint()
  return columns
}

/** 1 where volatility rises past the threshold, 0 where it does not, −1 where that is not known. */
function judgeVolatility(spec: Spec, { close, length }: Bars, checkpoint: Checkpoint): Int8Array {
  const returns = createChange()(close.map(Math.log))
  checkpoint()
  const before = createDeviation(spec.vol_lookback, 1)(returns)
  checkpoint()
  const after = createDeviation(spec.atr_period, 1)(returns)
  checkpoint()
  const verdict = new Int8Array(length).fill(-1)
  for (let t = 0; t + spec.atr_period < length; t++) {
    const usual = before[t] as number
    if (Number.isNaN(usual)) continue
    verdict[t] = (after[t + spec.atr_period] as number) > spec.vol_crisis_threshold * usual ? 1 : 0
  }
  return verdict
}

type Leg = {
  readonly from: number
  /** Exclusive: the turn at its end belongs to the next leg. */
  readonly to: number
  readonly confirmedAt: number
  readonly value: number
}

function findLegs(spec: Spec, bars: Bars, checkpoint: Checkpoint): readonly Leg[] {
  const range = createAtr(spec.atr_period)(bars)
  checkpoint()
  const macroSizes = range.map(value => spec.macro_atr_mult * value)
  const macro = findSwings(bars.close, macroSizes)
  checkpoint()
  const micro = findSwings(
    bars.close,
    range.map(value => spec.micro_atr_mult * value),
  )
  checkpoint()
  let at = 0
  return macro.slice(1).map((end, k) => {
    const start = macro[k] as Pivot
    while (at < micro.length && (micro[at] as Pivot).index < start.index) at++
    const turns: Pivot[] = []
    for (let i = at; i < micro.length; i++) {
      const turn = micro[i] as Pivot
      if (turn.index > end.index || turn.confirmedAt > end.confirmedAt) break
      turns.push(turn)
    }
    const size = macroSizes[end.confirmedAt] as number
    const value = judgeLeg(bars.close, { start, end, turns, size }, spec.progression_tolerance)
    return { from: start.index, to: end.index, confirmedAt: end.confirmedAt, value }
  })
}

function judgeLeg(
  close: Float64Array,
  leg: { start: Pivot; end: Pivot; turns: readonly Pivot[]; size: number },
  tolerance: number,
): number {
  const isRising = leg.end.kind === 'high'
  const sign = isRising ? 1 : -1
  const trend = isRising ? trendingUp : trendingDown
  if (leg.turns.length < fewestTurns) {
    const gone = sign * ((close[leg.end.index] as number) - (close[leg.start.index] as number))
    return gone >= unbrokenTurns * leg.size ? trend : ranging
  }
  const extremes = leg.turns
    .filter(turn => turn.kind !== leg.end.kind)
    .map(turn => sign * (close[turn.index] as number))
  const onward = extremes.filter((extreme, i) => i > 0 && extreme > (extremes[i - 1] as number)).length
  return onward / (extremes.length - 1) >= tolerance ? trend : ranging
}
