import { termNamesOf } from '../fuzzy/quantile-set.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { listFeatures } from './feature-id.ts'
import type { FeatureRecipe } from './pipeline-recipe.ts'

/**
 * The recipe of a strategy's features; one that decides by rules has none.
 * @param timeframes stand for those of `training_data`, for the inputs that take all of them; the base is the
 * strategy's own where it is among them, else the first
 * @throws {Problem} 'params-invalid' when an input names a timeframe that is not among them
 */
export function recipeOf(
  strategy: Strategy,
  timeframes: readonly Timeframe[] = strategy.timeframes,
): FeatureRecipe {
  const { indicators } = strategy
  const base = timeframes.includes(strategy.base_timeframe)
    ? strategy.base_timeframe
    : (timeframes[0] ?? strategy.base_timeframe)
  if (strategy.kind === 'rules') return { base, indicators, fuzzySets: {}, features: [] }
  const sets = Object.entries(strategy.fuzzy_sets)
  const context = {
    timeframes,
    terms: Object.fromEntries(sets.map(([name, set]) => [name, termNamesOf(set)])),
  }
  const { features, faults } = listFeatures(strategy.nn_inputs, context, '/nn_inputs')
  const [fault] = faults
  if (fault !== undefined) {
    throw new Problem('params-invalid', fault.message, {
      hint: 'Name every timeframe that nn_inputs name.',
      errors: [{ pointer: '/body/params/timeframes', code: fault.code, message: fault.message }],
    })
  }
  return { base, indicators, fuzzySets: strategy.fuzzy_sets, features }
}
