import type { Model } from '../../src/model/model.ts'
import { resolveStrategy } from '../../src/strategy/parse.ts'
import type { ModelStrategy } from '../../src/strategy/strategy.ts'
import { type LearningTask, planLearning } from '../../src/training/learning-task.ts'
import { TrainingLoop } from '../../src/training/loop.ts'
import { buildTrainingSet, type TrainingSet } from '../../src/training/training-set.ts'
import { walkOf } from '../fixtures/walks.ts'

type Json = Readonly<Record<string, unknown>>

export type Written = {
  readonly model?: Json
  readonly training?: Json
  readonly decisions?: Json
  readonly nn_inputs?: readonly Json[]
  readonly fuzzy_sets?: Json
}

export const mlp = { type: 'mlp', architecture: { hidden_layers: [6, 4] } }
export const recurrent = (type: 'lstm' | 'gru') => ({
  type,
  architecture: { sequence_length: 5, hidden_size: 4, num_layers: 2 },
})
export const barriers = { source: 'triple_barrier', max_holding_period: 5, vol_span: 10 }

/** A strategy that learns from an RSI and a change of price. @throws {Error} when it is not valid */
export function smallStrategy({
  model = mlp,
  training = {},
  decisions,
  nn_inputs,
  fuzzy_sets,
}: Written = {}): ModelStrategy {
  const { strategy, faults } = resolveStrategy({
    name: 'small',
    training_data: {
      symbols: { mode: 'single', symbol: 'AAA' },
      timeframes: { mode: 'single', timeframe: '1d' },
    },
    indicators: { rsi_5: { type: 'rsi', period: 5 }, change: { type: 'roc', period: 3 } },
    fuzzy_sets: fuzzy_sets ?? {
      zone: {
        indicator: 'rsi_5',
        low: { type: 'left_shoulder', parameters: [30, 60] },
        high: { type: 'right_shoulder', parameters: [40, 70] },
      },
    },
    nn_inputs: nn_inputs ?? [
      { fuzzy_set: 'zone', timeframes: 'all' },
      { raw_indicator: 'change', timeframes: 'all', normalization: 'zscore' },
    ],
    model,
    decisions: decisions ?? { output_format: 'classification' },
    training: { epochs: 3, batch_size: 16, labels: barriers, ...training },
  })
  if (strategy === null || strategy.kind !== 'model') throw new Error(JSON.stringify(faults))
  return strategy
}

/** Of random walks, one per symbol: a walk's number is its seed. */
export function setOf(
  strategy: ModelStrategy,
  walks: Readonly<Record<string, number>> = { AAA: 1 },
  bars = 220,
) {
  const symbols = Object.entries(walks).map(([symbol, seed]) => ({
    symbol,
    bars: { '1d': walkOf(seed, bars) },
  }))
  return buildTrainingSet({ strategy, symbols, start: null, end: null })
}

export function taskOf(strategy: ModelStrategy, set: TrainingSet = setOf(strategy)): LearningTask {
  return planLearning(strategy, set, strategy.training.seed)
}

/** The model that a strategy ends with. */
export function trainSmall(strategy: ModelStrategy, set?: TrainingSet): Model {
  return new TrainingLoop(taskOf(strategy, set).plan).run({ checkpoint: () => {} }).model
}

/** All weights, in their order: equal texts are equal bits. */
export const weightsOf = ({ parameters }: Model): string =>
  parameters.map(({ name, values }) => `${name} ${new Uint32Array(values.slice().buffer).join()}`).join('\n')
