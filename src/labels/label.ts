import type { Bars } from '../market/bars.ts'
import type { StrategyLabels } from '../strategy/labels.ts'
import { labelContexts, labelReturns } from './forward-return.ts'
import { type Checkpoint, type Labels, tradeClasses } from './label-columns.ts'
import { labelRegimes, regimeClasses } from './regime.ts'
import { labelBarriers } from './triple-barrier.ts'
import { labelTurns } from './turns.ts'

export type { Labels } from './label-columns.ts'

/** Names of the classes by source, in the order of their indexes; a source of returns has none. */
export const labelClasses = {
  zigzag: tradeClasses,
  triple_barrier: tradeClasses,
  regime: regimeClasses,
  context: ['bullish', 'bearish', 'neutral'],
  forward_return: [],
} as const satisfies Record<StrategyLabels['source'], readonly string[]>

/**
 * Labels of one symbol. A label may look forward, and says by `t1` how far: deleting every bar after `t1` leaves it as
 * it is, bit for bit; deleting bar `t1` too takes it away. Everything it is measured by (volatility, sizes of turns) is
 * known at the bar it is used on. Bars whose label is not known yet, or whose measure is still warming up, have none.
 * @param bars of the base timeframe, valid  @param checkpoint called every few milliseconds; it may throw to stop
 */
export function makeLabels(spec: StrategyLabels, bars: Bars, checkpoint: Checkpoint = () => {}): Labels {
  const classes = labelClasses[spec.source]
  switch (spec.source) {
    case 'zigzag':
      return { kind: 'classification', classes, ...labelTurns(spec, bars, checkpoint), weight: null }
    case 'forward_return':
      return { kind: 'regression', classes, ...labelReturns(spec.horizon, bars, checkpoint), weight: null }
    case 'triple_barrier':
      return { kind: 'classification', classes, ...labelBarriers(spec, bars, checkpoint) }
    case 'regime':
      return { kind: 'classification', classes, ...labelRegimes(spec, bars, checkpoint), weight: null }
    case 'context':
      return { kind: 'classification', classes, ...labelContexts(spec, bars, checkpoint), weight: null }
    default:
      return spec satisfies never
  }
}
