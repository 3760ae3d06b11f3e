import { expect, test } from '@jest/globals'
import { parseStrategy } from '../../src/strategy/parse.ts'

/** A strategy with a model, some of its sections written otherwise. */
function read(sections: Readonly<Record<string, string>> = {}) {
  const text = {
    name: 'neuro',
    training_data:
      '{ symbols: { mode: single, symbol: AAPL }, timeframes: { mode: multi_timeframe, list: [1d, 1h] } }',
    indicators: '{ rsi_14: { type: rsi }, trend: { type: macd } }',
    fuzzy_sets: '{ zone: { indicator: rsi_14, low: [0, 20, 60], high: [40, 80, 100] } }',
    nn_inputs: '[{ fuzzy_set: zone, timeframes: all }, { raw_indicator: trend.histogram, timeframes: [1h] }]',
    model: '{ type: mlp, architecture: { hidden_layers: [8] } }',
    decisions: '{ output_format: classification }',
    training: '{ labels: { source: zigzag } }',
    ...sections,
  }
  const yaml = Object.entries(text).map(([key, value]) => `${key}: ${value}\n`)
  const { strategy, warnings } = parseStrategy(yaml.join(''))
  if (strategy.kind !== 'model') throw new Error('it decides by rules')
  return { strategy, warnings }
}

test('everything that was left to a default is filled in', () => {
  const { strategy, warnings } = read()
  expect(warnings).toEqual([])
  const { model, decisions, training } = strategy
  expect({ model, decisions, training }).toEqual({
    model: { type: 'mlp', architecture: { hidden_layers: [8], activation: 'relu', dropout: 0.2 } },
    decisions: {
      output_format: 'classification',
      confidence_threshold: 0.5,
      position_awareness: true,
      allow_short_from_flat: false,
      filters: { min_signal_separation: 4 },
    },
    training: {
      epochs: 100,
      learning_rate: 0.001,
      batch_size: 32,
      optimizer: { type: 'adam', weight_decay: 0, momentum: 0 },
      loss: { type: 'cross_entropy' },
      scheduler: null,
      early_stopping: null,
      gradient_clip: null,
      class_weights: 'none',
      data_split: { train: 0.7, validation: 0.15, test: 0.15, embargo_bars: null },
      seed: 42,
      labels: { source: 'zigzag', zigzag_threshold: 0.02, neutral_fraction: 0.5 },
    },
  })
})

test('the features stand in the canonical order: inputs, then timeframes, then terms', () => {
  const { strategy } = read()
  expect(strategy.base_timeframe).toBe('1d')
  expect(strategy.features.map(({ id }) => id)).toEqual([
    ...['1d_zone_low', '1d_zone_high', '1h_zone_low', '1h_zone_high'],
    '1h_trend.histogram_raw',
  ])
})

test('what is written is what runs', () => {
  const { strategy } = read({
    model: '{ type: gru, architecture: { sequence_length: 24, hidden_size: 48, num_layers: 1, dropout: 0 } }',
    decisions:
      '{ output_format: regression, cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 2 }, position_awareness: false, filters: { min_signal_separation: 0 } }',
    training: `
  optimizer: { type: sgd, weight_decay: 0.1 }
  loss: huber
  scheduler: { type: step, step_epochs: 7 }
  early_stopping: { patience: 3 }
  gradient_clip: 0.5
  data_split: { train: 0.6, validation: 0.3, test: 0.1, embargo_bars: 7 }
  seed: 0
  labels: { source: forward_return, horizon: 5 }`,
  })
  expect(strategy.model).toEqual({
    type: 'gru',
    architecture: { sequence_length: 24, hidden_size: 48, num_layers: 1, dropout: 0 },
  })
  expect(strategy.decisions).toEqual({
    output_format: 'regression',
    cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 2 },
    position_awareness: false,
    filters: { min_signal_separation: 0 },
  })
  expect(strategy.training).toMatchObject({
    optimizer: { type: 'sgd', weight_decay: 0.1, momentum: 0.9 },
    loss: { type: 'huber', delta: 0.01 },
    scheduler: { type: 'step', factor: 0.1, step_epochs: 7 },
    early_stopping: { metric: 'val_loss', patience: 3, min_delta: 0 },
    gradient_clip: 0.5,
    data_split: { train: 0.6, validation: 0.3, test: 0.1, embargo_bars: 7 },
    seed: 0,
    labels: { source: 'forward_return', horizon: 5 },
  })
})

test.each([
  [
    'triple_barrier, cusum_threshold: 0, pt_multiplier: 3',
    {
      ...{ pt_multiplier: 3, sl_multiplier: 1.5, max_holding_period: 50, vol_span: 50, vol_method: 'atr' },
      ...{ compute_weights: false, cusum_threshold: 0, cusum_multiplier: 0.5 },
    },
  ],
  [
    'regime, atr_period: 20',
    {
      ...{ macro_atr_mult: 3, micro_atr_mult: 1, atr_period: 20, vol_lookback: 120 },
      ...{ vol_crisis_threshold: 2, progression_tolerance: 0.5 },
    },
  ],
  ['context', { horizon: 5, bullish_threshold: 0.005, bearish_threshold: -0.005 }],
  [
    'context, horizon: 9, bearish_threshold: -0.1',
    { horizon: 9, bullish_threshold: 0.005, bearish_threshold: -0.1 },
  ],
  ['zigzag, neutral_fraction: 0', { zigzag_threshold: 0.02, neutral_fraction: 0 }],
])('labels of source %s have their own parameters', (written, expected) => {
  const { strategy } = read({ training: `{ labels: { source: ${written} } }` })
  expect(strategy.training.labels).toEqual({ source: written.split(',')[0], ...expected })
})

test.each([
  [
    'indicators',
    '{ rsi_14: { type: rsi }, trend: { type: macd }, spare: { type: sma } }',
    /'spare' is not used/,
  ],
  [
    'fuzzy_sets',
    '{ zone: { indicator: rsi_14, low: [0, 20, 60], high: [40, 80, 100] }, idle: { indicator: trend, up: [0, 1, 2] } }',
    /'idle' is not used by any input/,
  ],
  [
    'fuzzy_sets',
    '{ zone: { indicator: rsi_14, low: [0, 20, 40], high: [50, 80, 100] } }',
    /no term covers 40 to 50 of 'rsi_14'/,
  ],
  [
    'fuzzy_sets',
    '{ zone: { indicator: rsi_14, low: [20, 30, 60], high: { type: right_shoulder, parameters: [40, 80] } } }',
    /no term covers 0 to 20 of 'rsi_14'/,
  ],
  [
    'nn_inputs',
    '[{ fuzzy_set: zone, timeframes: [1d] }, { raw_indicator: trend, timeframes: [1d] }]',
    /timeframe 1h is not read by any input/,
  ],
  [
    'training_data',
    '{ symbols: { mode: single, symbol: AAPL }, timeframes: { mode: single, timeframe: 1h }, history_required: 20 }',
    /history_required is 20, but the longest look-back is 33 bars/,
  ],
])('%s that is likely to be a mistake is remarked on', (section, written, message) => {
  const { warnings } = read({ [section]: written })
  expect(warnings).toContainEqual(expect.stringMatching(message))
})

test('a confidence threshold in regression is remarked on', () => {
  const { warnings } = read({
    decisions:
      '{ output_format: regression, confidence_threshold: 0.6, cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 2 } }',
    training: '{ labels: { source: forward_return } }',
  })
  expect(warnings).toEqual(['confidence_threshold has no effect in regression'])
})

test('an indicator that only another one reads is used', () => {
  const { warnings } = read({
    indicators: '{ base: { type: rsi }, rsi_14: { type: ema, source: base }, trend: { type: macd } }',
    fuzzy_sets: '{ zone: { indicator: rsi_14, any: { type: gaussian, parameters: [50, 30] } } }',
  })
  expect(warnings).toEqual([])
})
