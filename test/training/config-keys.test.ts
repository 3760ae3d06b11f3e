import { describe, expect, test } from '@jest/globals'
import { strategySchema } from '../../src/strategy/schema.gen.ts'
import type { ModelStrategy } from '../../src/strategy/strategy.ts'
import * as small from './small-strategies.ts'

/*
 * Every key of the sections `model` and `training`: two strategies that differ in it alone. `weights`: the model that is
 * kept differs. Otherwise why that cannot be seen in the weights, and what differs instead.
 */
type Row = {
  readonly base?: small.Written
  readonly changed: small.Written
  readonly shows?: { readonly why: string; readonly of: (strategy: ModelStrategy) => unknown }
}

const training = (values: small.Written['training']): small.Written => ({ training: values ?? {} })
const dense = (values: object): small.Written => ({
  model: { type: 'mlp', architecture: { hidden_layers: [6, 4], ...values } },
})
const lstm = (values: object): small.Written => ({
  model: { type: 'lstm', architecture: { ...small.recurrent('lstm').architecture, ...values } },
  training: { epochs: 2 },
})
const optimizer = (values: object) => training({ optimizer: values })
const scheduler = (values: object) => training({ epochs: 6, scheduler: values, learning_rate: 0.01 })
const noisy = { epochs: 30, learning_rate: 0.003, batch_size: 8 }
const stopping = (values: object) => training({ ...noisy, early_stopping: { patience: 2, ...values } })
const plateau = (patience: number) =>
  training({ ...noisy, scheduler: { type: 'reduce_on_plateau', patience, factor: 0.1 } })
const labels = (source: string, values: object = {}) => training({ labels: { source, ...values } })
const barrier = (values: object) => training({ labels: { ...small.barriers, ...values } })
const regression = (values: object): small.Written => ({
  training: { labels: { source: 'forward_return', horizon: 3 }, ...values },
  decisions: { output_format: 'regression', cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 1 } },
})
const regime = (values: object): small.Written => ({
  ...labels('regime', {
    atr_period: 3,
    vol_lookback: 10,
    vol_crisis_threshold: 1.5,
    macro_atr_mult: 2,
    ...values,
  }),
})
const validated = 'which rows validate decides which epoch is kept; the same one may be the best of both'
const splitOf = (strategy: ModelStrategy) => {
  const { split } = small.setOf(strategy)
  return [split.train, split.validation, split.test].map(rows => rows.join())
}

const rows: Readonly<Record<string, Row>> = {
  'model.type': { base: lstm({}), changed: { ...lstm({}), model: small.recurrent('gru') } },
  'model.architecture.hidden_layers': { changed: dense({ hidden_layers: [6, 5] }) },
  'model.architecture.activation': { changed: dense({ activation: 'tanh' }) },
  'model.architecture.dropout': { changed: dense({ dropout: 0.4 }) },
  'model.architecture.sequence_length': { base: lstm({}), changed: lstm({ sequence_length: 6 }) },
  'model.architecture.hidden_size': { base: lstm({}), changed: lstm({ hidden_size: 5 }) },
  'model.architecture.num_layers': { base: lstm({}), changed: lstm({ num_layers: 1 }) },
  'training.epochs': { base: training({ epochs: 1 }), changed: training({ epochs: 3 }) },
  'training.learning_rate': { changed: training({ learning_rate: 0.002 }) },
  'training.batch_size': { changed: training({ batch_size: 17 }) },
  'training.optimizer.type': { changed: optimizer({ type: 'rmsprop' }) },
  'training.optimizer.weight_decay': {
    base: optimizer({ type: 'adam' }),
    changed: optimizer({ type: 'adam', weight_decay: 0.1 }),
  },
  'training.optimizer.momentum': {
    base: optimizer({ type: 'sgd' }),
    changed: optimizer({ type: 'sgd', momentum: 0.5 }),
  },
  'training.loss': { changed: training({ loss: 'focal' }) },
  'training.focal_gamma': {
    base: training({ loss: 'focal' }),
    changed: training({ loss: 'focal', focal_gamma: 1 }),
  },
  'training.huber_delta': { base: regression({}), changed: regression({ huber_delta: 0.02 }) },
  'training.scheduler.type': { base: scheduler({ type: 'step' }), changed: scheduler({ type: 'cosine' }) },
  'training.scheduler.factor': {
    base: scheduler({ type: 'exponential' }),
    changed: scheduler({ type: 'exponential', factor: 0.5 }),
  },
  'training.scheduler.step_epochs': {
    base: scheduler({ type: 'step', step_epochs: 1 }),
    changed: scheduler({ type: 'step', step_epochs: 2 }),
  },
  'training.scheduler.patience': { base: plateau(1), changed: plateau(3) },
  'training.early_stopping.metric': { base: stopping({}), changed: stopping({ metric: 'macro_f1' }) },
  'training.early_stopping.patience': {
    base: stopping({ metric: 'val_loss', patience: 1 }),
    changed: stopping({ metric: 'val_loss', patience: 30 }),
  },
  'training.early_stopping.min_delta': {
    base: stopping({ metric: 'val_loss', patience: 3 }),
    changed: stopping({ metric: 'val_loss', patience: 3, min_delta: 0.5 }),
  },
  'training.gradient_clip': {
    changed: training({ gradient_clip: 0.01, optimizer: { type: 'sgd' } }),
    base: optimizer({ type: 'sgd' }),
  },
  'training.class_weights': { changed: training({ class_weights: 'balanced' }) },
  'training.data_split.train': {
    base: training({ data_split: { train: 0.7, validation: 0.15, test: 0.15 } }),
    changed: training({ data_split: { train: 0.6, validation: 0.25, test: 0.15 } }),
  },
  'training.data_split.validation': {
    base: training({ data_split: { train: 0.6, validation: 0.2, test: 0.2 } }),
    changed: training({ data_split: { train: 0.6, validation: 0.3, test: 0.1 } }),
    shows: { why: validated, of: splitOf },
  },
  'training.data_split.test': {
    base: training({ data_split: { train: 0.6, validation: 0.2, test: 0.2 } }),
    changed: training({ data_split: { train: 0.7, validation: 0.2, test: 0.1 } }),
  },
  'training.data_split.embargo_bars': {
    base: training({ data_split: { train: 0.6, validation: 0.2, test: 0.2 } }),
    changed: training({ data_split: { train: 0.6, validation: 0.2, test: 0.2, embargo_bars: 9 } }),
    shows: { why: validated, of: splitOf },
  },
  'training.seed': { changed: training({ seed: 43 }) },
  'training.labels.source': { changed: labels('zigzag') },
  'training.labels.zigzag_threshold': {
    base: labels('zigzag'),
    changed: labels('zigzag', { zigzag_threshold: 0.05 }),
  },
  'training.labels.neutral_fraction': {
    base: labels('zigzag'),
    changed: labels('zigzag', { neutral_fraction: 1 }),
  },
  'training.labels.horizon': {
    base: labels('context'),
    changed: labels('context', { horizon: 8 }),
  },
  'training.labels.bullish_threshold': {
    base: labels('context'),
    changed: labels('context', { bullish_threshold: 0.05 }),
  },
  'training.labels.bearish_threshold': {
    base: labels('context'),
    changed: labels('context', { bearish_threshold: -0.05 }),
  },
  'training.labels.pt_multiplier': { changed: barrier({ pt_multiplier: 1 }) },
  'training.labels.sl_multiplier': { changed: barrier({ sl_multiplier: 0.5 }) },
  'training.labels.max_holding_period': { changed: barrier({ max_holding_period: 8 }) },
  'training.labels.vol_span': { changed: barrier({ vol_span: 20 }) },
  'training.labels.vol_method': { changed: barrier({ vol_method: 'returns' }) },
  'training.labels.compute_weights': { changed: barrier({ compute_weights: true }) },
  'training.labels.cusum_threshold': { changed: barrier({ cusum_threshold: 0.03 }) },
  'training.labels.cusum_multiplier': {
    base: barrier({ cusum_threshold: 0 }),
    changed: barrier({ cusum_threshold: 0, cusum_multiplier: 1 }),
  },
  'training.labels.macro_atr_mult': { base: regime({}), changed: regime({ macro_atr_mult: 3 }) },
  'training.labels.micro_atr_mult': { base: regime({}), changed: regime({ micro_atr_mult: 0.3 }) },
  'training.labels.atr_period': { base: regime({}), changed: regime({ atr_period: 4 }) },
  'training.labels.vol_lookback': { base: regime({}), changed: regime({ vol_lookback: 20 }) },
  'training.labels.vol_crisis_threshold': {
    base: regime({}),
    changed: regime({ vol_crisis_threshold: 1.2 }),
  },
  'training.labels.progression_tolerance': {
    base: regime({ micro_atr_mult: 0.3, progression_tolerance: 0 }),
    changed: regime({ micro_atr_mult: 0.3, progression_tolerance: 1 }),
  },
}

const { $defs } = strategySchema
type Properties = Readonly<Record<string, { readonly $ref?: string }>>

/** Paths of all keys under a definition that have a value of their own. */
function keysOf(name: keyof typeof $defs, path: string): string[] {
  const { properties } = $defs[name] as { readonly properties: Properties }
  return Object.entries(properties).flatMap(([key, { $ref }]) => {
    const inner = $ref?.slice('#/$defs/'.length)
    const isMap = inner !== undefined && 'properties' in $defs[inner as keyof typeof $defs]
    return isMap ? keysOf(inner as keyof typeof $defs, `${path}.${key}`) : [`${path}.${key}`]
  })
}

test('the table has every key of the grammar', () => {
  const known = [...keysOf('StrategyModel', 'model'), ...keysOf('StrategyTraining', 'training')]
  expect(Object.keys(rows).sort()).toEqual(known.sort())
})

describe('changing a key changes the run', () => {
  for (const [key, { base = {}, changed, shows }] of Object.entries(rows)) {
    const what = shows === undefined ? 'weights' : `something else, as ${shows.why}`
    test(`${key}: ${what}`, () => {
      const [a, b] = [small.smallStrategy(withOthers(base)), small.smallStrategy(withOthers(changed))]
      const observe = shows?.of ?? (strategy => small.weightsOf(small.trainSmall(strategy)))
      expect(observe(b)).not.toEqual(observe(a))
    })
  }
})

/** Batches so large that a training takes milliseconds, unless the row says another size. */
const withOthers = (written: small.Written): small.Written => ({
  ...written,
  training: { batch_size: 32, ...written.training },
})
