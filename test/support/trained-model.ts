import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fitFeatures } from '../../src/features/pipeline.ts'
import type { SessionBars } from '../../src/features/pipeline-columns.ts'
import { recipeOf } from '../../src/features/pipeline-strategy.ts'
import { labelClasses } from '../../src/labels/label.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import { createModel } from '../../src/model/model.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { specOf } from '../../src/training/learning-task.ts'
import type { PartMetrics } from '../../src/training/part-metrics.ts'
import type { TrainedModel } from '../../src/training/trained-model.ts'
import { sampleBars } from './sample-bars.ts'

const metrics: PartMetrics = {
  rows: 100,
  loss: 1.05,
  accuracy: 0.4,
  macro_f1: 0.38,
  balanced_accuracy: 0.39,
  mcc: 0.1,
  brier: 0.6,
  ece: 0.05,
  confusion: null,
  classes: null,
  mae: null,
  rmse: null,
  r2: null,
}

/** The text of a shipped strategy. */
export const exampleText = (name: string): string =>
  readFileSync(new URL(`../../examples/strategies/${name}.yaml`, import.meta.url), 'utf8')

/** Weeks of the sample, as the server would resample them. */
export const weeksOf = (days: SessionBars): SessionBars =>
  resampleBars(days, { from: '1d', to: '1w', calendar: new Calendars().get('XNYS') }).bars

/**
 * A shipped strategy as if trained on the shipped bars: its network as it is initialised, its normalisers fitted on the
 * first 600 days.
 */
export function untrainedModel(name: string, seed = 7, strategyYaml = exampleText(name)): TrainedModel {
  const { strategy } = parseStrategy(strategyYaml)
  if (strategy.kind === 'rules') throw new Error(`${name} has no model`)
  const days = sampleBars()
  const recipe = recipeOf(strategy)
  const ids = recipe.features.map(({ id }) => id)
  const classes = labelClasses[strategy.training.labels.source]
  const fit = { start: days.time[0] ?? 0, end: days.time[600] ?? 0 }
  const symbols = [{ symbol: 'AAPL', bars: { '1d': days, '1w': weeksOf(days) } }]
  const part = { from: fit.start, to: fit.end }
  return {
    model: createModel(specOf(strategy, { ids, classes }), seed),
    strategy_name: strategy.name,
    strategy_yaml: strategyYaml,
    strategy_sha256: createHash('sha256').update(strategyYaml).digest('hex'),
    base_timeframe: strategy.base_timeframe,
    timeframes: strategy.timeframes,
    symbols: ['AAPL'],
    adjustment: 'none',
    feature_ids: ids,
    normalisers: fitFeatures(recipe, symbols, fit),
    labels: strategy.training.labels,
    classes,
    ranges: { train: part, validation: { from: part.to, to: Number.POSITIVE_INFINITY }, test: null },
    metrics: { train: metrics, validation: metrics, test: null },
    baselines: {
      part: 'validation',
      majority: null,
      random: null,
      mean: null,
      hold: null,
      model_mean_return_fraction: null,
      permutation: {
        observed: 0.3,
        mean: 0.3,
        p_value: 0.5,
        permutations: 99,
        block_rows: 1,
        score: 'macro_f1',
      },
    },
    config: { model: strategy.model, training: strategy.training },
    seed,
    best_epoch: 0,
    dataset_sha256: strategy.timeframes.map(timeframe =>
      createHash('sha256').update(timeframe).digest('hex'),
    ),
    code_version: '0.1.0',
  }
}
