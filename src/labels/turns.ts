import { findPivots } from '../indicators/zigzag.ts'
import type { Bars } from '../market/bars.ts'
import type { StrategyLabels } from '../strategy/labels.ts'
import {
  buy,
  type Checkpoint,
  checkpointBars,
  createColumns,
  hold,
  type LabelColumns,
  sell,
  writeLabel,
} from './label-columns.ts'

/**
 * Every bar by the next turn of the close: buy before a high, sell before a low, hold where the move that is left, as a
 * fraction of the bar's close, is less than `neutral_fraction` × `zigzag_threshold`. The bar of a turn looks to the
 * turn after it. A label is known when its turn is: bars after the last confirmed turn have none.
 */
export function labelTurns(
  spec: Extract<StrategyLabels, { source: 'zigzag' }>,
  bars: Bars,
  checkpoint: Checkpoint,
): LabelColumns {
  const { close } = bars
  const columns = createColumns(bars.length)
  const neutral = spec.neutral_fraction * spec.zigzag_threshold
  let t = 0
  for (const { index, confirmedAt, kind } of findPivots(close, spec.zigzag_threshold)) {
    for (; t < index; t++) {
      if (t % checkpointBars === 0) checkpoint()
      const left = Math.abs((close[index] as number) / (close[t] as number) - 1)
      const value = left < neutral ? hold : kind === 'high' ? buy : sell
      writeLabel(columns, bars, { t, t1: confirmedAt, value })
    }
  }
  return columns
}
