import type { FittedNormaliser } from '../features/normaliser.ts'
import type { FeatureRecipe } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import type { Model } from '../model/model.ts'
import { Problem } from '../problems.ts'
import { parseStrategy } from '../strategy/parse.ts'
import type { ModelDecisions } from '../strategy/strategy.ts'
import type { TrainedModel } from './trained-model.ts'

/** What the outputs of a model stand for. */
export type ModelOutput =
  /** Probabilities of the classes, in this order. */
  | { readonly kind: 'classification'; readonly classes: readonly string[] }
  /** One value: the return to expect, as a fraction. */
  | { readonly kind: 'regression' }

/** Everything that turns bars into answers, and nothing else. */
export type ServedModel = {
  /** Indicators, fuzzy sets and features in the order of the model's inputs, every parameter filled in. */
  readonly recipe: FeatureRecipe
  /** By feature id. */
  readonly normalisers: Readonly<Record<string, FittedNormaliser>>
  readonly model: Model
  readonly output: ModelOutput
  readonly decisions: ModelDecisions
}

/**
 * What of a trained model answers are made with. It no longer depends on how strategies are read, nor on defaults.
 * @throws {Problem} 'strategy-invalid' when its strategy cannot be read, 'params-invalid' when it was trained on others
 */
export function servedOf(trained: TrainedModel): ServedModel {
  const { classes, normalisers, model } = trained
  const { strategy } = parseStrategy(trained.strategy_yaml)
  if (strategy.kind === 'rules')
    throw new Problem('strategy-invalid', `${strategy.name} decides by rules and has no model`)
  const recipe = recipeOf(strategy, trained.timeframes)
  const ids = recipe.features.map(({ id }) => id)
  if (String(ids) !== String(trained.feature_ids)) {
    const message = `the model was trained on ${trained.feature_ids.join(', ')}, its strategy gives ${ids.join(', ')}`
    throw new Problem('params-invalid', message)
  }
  const output: ModelOutput =
    classes.length > 0 ? { kind: 'classification', classes } : { kind: 'regression' }
  return { recipe, normalisers, model, output, decisions: strategy.decisions }
}
