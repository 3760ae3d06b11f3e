import type { Checkpoint } from '../features/pipeline-columns.ts'
import type { TimeSpan } from '../features/pipeline-fit.ts'
import type { FeatureRecipe } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { featureColumns } from './feature-columns.ts'
import type { ColumnSource } from './named-column.ts'
import { ruleStrategyColumns } from './rule-columns.ts'

export type StrategyColumnsOptions = {
  /** The timeframe decisions are made on, for a strategy with rules; the strategy's own by default. */
  readonly timeframe?: Timeframe
  /** Stand for those of `training_data`, for a model; the strategy's own by default. */
  readonly timeframes?: readonly Timeframe[]
  /** Open times of the base bars that normalised features are fitted on; null leaves them as they are. */
  readonly fit?: TimeSpan | null
  /** Called before each piece of work; it may throw to stop the work. */
  readonly checkpoint?: Checkpoint
}

/**
 * Everything a strategy computes: with rules, its indicators, decisions and distances; with a model, the indicators and
 * the features it reads.
 */
export function strategyColumns(strategy: Strategy, options: StrategyColumnsOptions = {}): ColumnSource {
  const { checkpoint = () => {} } = options
  if (strategy.kind === 'model') {
    const recipe: FeatureRecipe = recipeOf(strategy, options.timeframes)
    return view => featureColumns(recipe, view, { fit: options.fit ?? null, checkpoint })
  }
  const timeframe = options.timeframe ?? strategy.base_timeframe
  return view =>
    view.flatMap(({ symbol, bars }) => {
      const base = bars[timeframe]
      if (base === undefined) throw new TypeError(`there are no ${timeframe} bars of ${symbol} in the view`)
      return ruleStrategyColumns(strategy, { symbol, timeframe, bars: base, checkpoint })
    })
}
