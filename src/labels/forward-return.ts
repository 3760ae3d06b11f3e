import type { Bars } from '../market/bars.ts'
import type { StrategyLabels } from '../strategy/labels.ts'
import {
  type Checkpoint,
  checkpointBars,
  createColumns,
  type LabelColumns,
  writeLabel,
} from './label-columns.ts'

/** Close to close over `horizon` bars, as a fraction. The last `horizon` bars have no label. */
export function labelReturns(horizon: number, bars: Bars, checkpoint: Checkpoint): LabelColumns {
  const columns = createColumns(bars.length)
  for (let t = 0; t + horizon < bars.length; t++) {
    if (t % checkpointBars === 0) checkpoint()
    writeLabel(columns, bars, { t, t1: t + horizon, value: 0 })
  }
  columns.value.set(columns.ret)
  return columns
}

/** 0 bullish, 1 bearish, 2 neutral, by the return over `horizon` bars: a return on a threshold is past it. */
export function labelContexts(
  spec: Extract<StrategyLabels, { source: 'context' }>,
  bars: Bars,
  checkpoint: Checkpoint,
): LabelColumns {
  const columns = labelReturns(spec.horizon, bars, checkpoint)
  const { value, ret } = columns
  for (let t = 0; t + spec.horizon < bars.length; t++) {
    const moved = ret[t] as number
    value[t] = moved >= spec.bullish_threshold ? 0 : moved <= spec.bearish_threshold ? 1 : 2
  }
  return columns
}
