// One table of broken strategies: long because it is a list, one fault after the other.

import { expect, test } from '@jest/globals'
import { Problem } from '../../src/problems.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'

const model = `name: neuro
training_data:
  symbols: { mode: multi_symbol, list: [AAPL, MSFT] }
  timeframes: { mode: multi_timeframe, list: [1h, 1d], base_timeframe: 1h }
indicators:
  rsi_14: { type: rsi, period: 14 }
  smooth: { type: ema, period: 5, source: rsi_14 }
  trend: { type: macd }
fuzzy_sets:
  zone:
    indicator: smooth
    low: [0, 25, 60]
    high: { type: right_shoulder, parameters: [40, 75] }
nn_inputs:
  - { fuzzy_set: zone, timeframes: all }
  - { raw_indicator: trend.line, timeframes: [1d], normalization: zscore }
model:
  type: mlp
  architecture: { hidden_layers: [16, 8], dropout: 0.1 }
decisions:
  output_format: classification
  filters: { min_signal_separation: 4 }
training:
  epochs: 50
  optimizer: { type: adamw, weight_decay: 0.01 }
  data_split: { train: 0.7, validation: 0.15, test: 0.15 }
  labels: { source: zigzag, zigzag_threshold: 0.02 }
`

const rules = `name: ruled
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  channel: { type: donchian, period: 20 }
  range: { type: atr, period: 14 }
decisions:
  rules:
    enter_short: close < channel.lower
    exit_short: close > channel.upper
    stop_loss: { indicator: range, multiple: 2, trailing: true }
    take_profit: { percent: 10 }
    max_bars: 20
    sizing: { mode: risk, risk_percent: 1 }
`

/** Refuses a text with one piece of it replaced. */
function errorsOf(text: string, piece: string, replacement: string) {
  expect(text).toContain(piece)
  try {
    parseStrategy(text.replace(piece, () => replacement))
  } catch (error) {
    if (error instanceof Problem) return error.errors
    throw error
  }
  throw new Error('the strategy was accepted')
}

test('the strategies these tests break are valid and free of remarks', () => {
  expect(parseStrategy(model).warnings).toEqual([])
  expect(parseStrategy(rules).warnings).toEqual([])
})

type Broken = readonly [
  what: string,
  piece: string,
  replacement: string,
  place: string,
  pointer: string,
  code: string,
  message: RegExp,
]

const brokenModels: readonly Broken[] = [
  [
    'a misspelt section',
    'fuzzy_sets:',
    'fuzzy_set:',
    '9:1',
    '/fuzzy_set',
    'unknown_key',
    /did you mean 'fuzzy_sets'/,
  ],
  [
    'an external series',
    'model:',
    'context_data: []\nmodel:',
    '17:1',
    '/context_data',
    'unsupported_key',
    /external series/,
  ],
  [
    'a range of dates',
    '  symbols:',
    '  date_range: { start: 2020 }\n  symbols:',
    '3:3',
    '/training_data/date_range',
    'unsupported_key',
    /comes with the operation/,
  ],
  [
    'a list of one timeframe',
    '[1h, 1d], base',
    '[1h], base',
    '4:46',
    '/training_data/timeframes/list',
    'count',
    /at least 2 timeframes/,
  ],
  [
    'a base timeframe outside the list',
    'base_timeframe: 1h',
    'base_timeframe: 4h',
    '4:72',
    '/training_data/timeframes/base_timeframe',
    'unknown_reference',
    /4h is not in the list: did you mean '1h'/,
  ],
  [
    'mode multi without a list',
    'list: [AAPL, MSFT]',
    'symbol: AAPL',
    '3:3',
    '/training_data/symbols/list',
    'required',
    /multi_symbol needs it/,
  ],
  [
    'a symbol twice',
    '[AAPL, MSFT]',
    '[AAPL, AAPL]',
    '3:47',
    '/training_data/symbols/list/1',
    'duplicate',
    /AAPL is in the list already/,
  ],
  [
    'a former name of an indicator',
    'type: macd',
    'type: BollingerBands',
    '8:18',
    '/indicators/trend/type',
    'unknown_indicator',
    /did you mean 'bollinger_bands'/,
  ],
  [
    'a source that does not exist',
    'source: rsi_14',
    'source: rsi_41',
    '7:43',
    '/indicators/smooth/source',
    'enum',
    /did you mean 'rsi_14'/,
  ],
  [
    'an output that does not exist',
    'source: rsi_14',
    'source: trend.histogam',
    '7:43',
    '/indicators/smooth/source',
    'enum',
    /did you mean 'trend.histogram'/,
  ],
  [
    'an indicator that reads itself',
    'source: rsi_14',
    'source: smooth',
    '7:43',
    '/indicators/smooth/source',
    'circular',
    /the indicator itself/,
  ],
  [
    'indicators that read each other',
    'period: 14 }',
    'period: 14, source: smooth }',
    '6:44',
    '/indicators/rsi_14/source',
    'circular',
    /circle: rsi_14 → smooth → rsi_14/,
  ],
  [
    'a timeframe of an indicator',
    'type: macd',
    'type: macd, timeframe: 1d',
    '8:24',
    '/indicators/trend/timeframe',
    'unknown_parameter',
    /nn_inputs say which are read/,
  ],
  [
    'an indicator called like a source',
    'trend: { type',
    'hlc3: { type',
    '8:3',
    '/indicators/hlc3',
    'reserved',
    /choose another id/,
  ],
  [
    'what repaints',
    'type: macd',
    'type: zigzag',
    '8:18',
    '/indicators/trend/type',
    'repaints',
    /depend on later bars/,
  ],
  [
    'a fuzzy set of an unknown indicator',
    'indicator: smooth',
    'indicator: smoth',
    '11:16',
    '/fuzzy_sets/zone/indicator',
    'unknown_reference',
    /did you mean 'smooth'/,
  ],
  [
    'a fuzzy set without an indicator',
    '    indicator: smooth\n',
    '',
    '10:3',
    '/fuzzy_sets/zone/indicator',
    'required',
    /a fuzzy set reads one/,
  ],
  [
    'a list of four',
    '[0, 25, 60]',
    '[0, 25, 40, 60]',
    '12:10',
    '/fuzzy_sets/zone/low',
    'count',
    /for trapezoidal write \{ type, parameters \}/,
  ],
  ['corners out of order', '[0, 25, 60]', '[0, 60, 25]', '12:18', '/fuzzy_sets/zone/low/2', 'order', /c/],
  [
    'an unknown membership',
    'right_shoulder',
    'right_sholder',
    '13:19',
    '/fuzzy_sets/zone/high/type',
    'unknown_membership',
    /did you mean 'right_shoulder'/,
  ],
  [
    'a misspelt key of a membership',
    'parameters: [40',
    'params: [40',
    '13:35',
    '/fuzzy_sets/zone/high/params',
    'unknown_key',
    /did you mean 'parameters'|one of type, parameters/,
  ],
  [
    'an input of an unknown set',
    'fuzzy_set: zone',
    'fuzzy_set: zoen',
    '15:18',
    '/nn_inputs/0/fuzzy_set',
    'unknown_reference',
    /did you mean 'zone'/,
  ],
  [
    'an input of an unknown output',
    'raw_indicator: trend.line',
    'raw_indicator: trend.lien',
    '16:22',
    '/nn_inputs/1/raw_indicator',
    'unknown_reference',
    /did you mean 'trend.line'/,
  ],
  [
    'a bare timeframe',
    'timeframes: [1d]',
    'timeframes: 1d',
    '16:46',
    '/nn_inputs/1/timeframes',
    'type',
    /did you mean \[1d\]/,
  ],
  [
    'a timeframe that is not loaded',
    'timeframes: [1d]',
    'timeframes: [4h]',
    '16:47',
    '/nn_inputs/1/timeframes/0',
    'unknown_reference',
    /did you mean '1h'/,
  ],
  [
    'an input of two things',
    'fuzzy_set: zone,',
    'fuzzy_set: zone, raw_indicator: smooth,',
    '15:24',
    '/nn_inputs/0/raw_indicator',
    'conflict',
    /write two inputs/,
  ],
  [
    'an input of nothing',
    'fuzzy_set: zone, ',
    '',
    '15:5',
    '/nn_inputs/0',
    'required',
    /needs 'fuzzy_set' or 'raw_indicator'/,
  ],
  [
    'a normalised membership',
    'zone, timeframes: all',
    'zone, timeframes: all, normalization: none',
    '15:41',
    '/nn_inputs/0/normalization',
    'conflict',
    /goes with raw_indicator/,
  ],
  [
    'an unknown normalisation',
    'normalization: zscore',
    'normalization: z-score',
    '16:67',
    '/nn_inputs/1/normalization',
    'enum',
    /did you mean 'zscore'/,
  ],
  [
    'the same input twice',
    'raw_indicator: trend.line, timeframes: [1d], normalization: zscore',
    'fuzzy_set: zone, timeframes: [1d]',
    '16:5',
    '/nn_inputs/1',
    'duplicate_feature',
    /1d_zone_low has two sources|1d_zone_low occurs twice/,
  ],
  ['an unknown model', 'type: mlp', 'type: lstn', '18:9', '/model/type', 'enum', /did you mean 'lstm'/],
  [
    'hidden layers of a recurrent network',
    'type: mlp',
    'type: gru',
    '19:19',
    '/model/architecture/hidden_layers',
    'conflict',
    /goes with model mlp, not with gru/,
  ],
  [
    'a recurrent network without a length',
    'type: mlp\n  architecture: { hidden_layers: [16, 8]',
    'type: lstm\n  architecture: { hidden_size: 8',
    '19:3',
    '/model/architecture/sequence_length',
    'required',
    /model lstm needs it/,
  ],
  [
    'a dropout of everything',
    'dropout: 0.1',
    'dropout: 1',
    '19:52',
    '/model/architecture/dropout',
    'range',
    /dropout: 1 should be below 1/,
  ],
  [
    'training inside the model',
    '  type: mlp',
    '  training: { epochs: 5 }\n  type: mlp',
    '18:3',
    '/model/training',
    'unsupported_key',
    /under 'training' at the top/,
  ],
  [
    'a threshold in percent',
    '  output_format',
    '  confidence_threshold: 60\n  output_format',
    '21:25',
    '/decisions/confidence_threshold',
    'range',
    /60 should be below 1/,
  ],
  [
    'regression without costs',
    'classification',
    'regression',
    '20:1',
    '/decisions/cost_model',
    'required',
    /output_format regression needs it/,
  ],
  [
    'regression of classes',
    'classification',
    'regression',
    '27:21',
    '/training/labels/source',
    'conflict',
    /use forward_return/,
  ],
  [
    'classification of returns',
    'source: zigzag, zigzag_threshold: 0.02',
    'source: forward_return',
    '27:21',
    '/training/labels/source',
    'conflict',
    /goes with output_format regression/,
  ],
  [
    'a filter without effect',
    'min_signal_separation: 4',
    'volume_filter: true',
    '22:14',
    '/decisions/filters/volume_filter',
    'unsupported_key',
    /no effect/,
  ],
  [
    'no training',
    'training:',
    'trainig:',
    '1:1',
    '/training',
    'required',
    /without decisions.rules needs it/,
  ],
  [
    'a split that does not add up',
    'train: 0.7',
    'train: 0.8',
    '26:3',
    '/training/data_split',
    'sum',
    /add up to 1.1, not to 1/,
  ],
  [
    'a misspelt label key',
    'zigzag_threshold',
    'zigzag_treshold',
    '27:29',
    '/training/labels/zigzag_treshold',
    'unknown_key',
    /did you mean 'zigzag_threshold'/,
  ],
  [
    'a key of other labels',
    'zigzag_threshold: 0.02',
    'horizon: 5',
    '27:29',
    '/training/labels/horizon',
    'conflict',
    /goes with source forward_return, not with zigzag/,
  ],
  [
    'a label key without effect',
    'zigzag_threshold: 0.02',
    'label_lookahead: 10',
    '27:29',
    '/training/labels/label_lookahead',
    'unsupported_key',
    /no effect/,
  ],
  [
    'momentum of an optimizer without any',
    'weight_decay: 0.01',
    'momentum: 0.9',
    '25:29',
    '/training/optimizer/momentum',
    'conflict',
    /goes with optimizer sgd or rmsprop, not with adamw/,
  ],
  [
    'an optimizer as a text',
    '{ type: adamw, weight_decay: 0.01 }',
    'adamw',
    '25:14',
    '/training/optimizer',
    'type',
    /should be a map of keys/,
  ],
  [
    'a loss of regression',
    '  epochs: 50',
    '  loss: huber',
    '24:9',
    '/training/loss',
    'conflict',
    /takes cross_entropy or focal, not huber/,
  ],
  [
    'a parameter of another loss',
    '  epochs: 50',
    '  focal_gamma: 2',
    '24:3',
    '/training/focal_gamma',
    'conflict',
    /goes with loss focal, not with cross_entropy/,
  ],
  [
    'a key of another scheduler',
    '  epochs: 50',
    '  scheduler: { type: cosine, factor: 0.5 }',
    '24:30',
    '/training/scheduler/factor',
    'conflict',
    /goes with scheduler step or exponential or reduce_on_plateau/,
  ],
  [
    'trades by a model of regimes',
    'source: zigzag, zigzag_threshold: 0.02',
    'source: regime',
    '22:3',
    '/decisions/filters',
    'conflict',
    /decides none/,
  ],
  [
    'a regime with small turns above the large',
    'source: zigzag, zigzag_threshold: 0.02',
    'source: regime, micro_atr_mult: 3',
    '27:45',
    '/training/labels/micro_atr_mult',
    'conflict',
    /should be below macro_atr_mult \(3\)/,
  ],
  [
    'a number in quotes',
    'epochs: 50',
    'epochs: "50"',
    '24:11',
    '/training/epochs',
    'type',
    /"50" should be a whole number/,
  ],
  [
    'a list of indicators',
    '  rsi_14: { type: rsi, period: 14 }\n  smooth: { type: ema, period: 5, source: rsi_14 }\n  trend: { type: macd }',
    '  - { name: rsi, feature_id: rsi_14 }',
    '5:1',
    '/indicators',
    'former_grammar',
    /migrate the file first/,
  ],
]

const brokenRules: readonly Broken[] = [
  [
    'an entry without an exit',
    `    exit_short: close > channel.upper
    stop_loss: { indicator: range, multiple: 2, trailing: true }
    take_profit: { percent: 10 }
    max_bars: 20
    sizing: { mode: risk, risk_percent: 1 }
`,
    '',
    '9:3',
    '/decisions/rules/exit_short',
    'required',
    /enter_short needs it, or stop_loss, take_profit, max_bars/,
  ],
  [
    'no entry',
    'enter_short:',
    'exit_long:',
    '9:3',
    '/decisions/rules/enter_long',
    'required',
    /or enter_short/,
  ],
  [
    'a misspelt rule',
    'exit_short:',
    'exit_shrot:',
    '11:5',
    '/decisions/rules/exit_shrot',
    'unknown_key',
    /did you mean 'exit_short'/,
  ],
  [
    'an unknown output in a rule',
    'close < channel.lower',
    'close < channel.lowr',
    '10:26',
    '/decisions/rules/enter_short',
    'unknown_name',
    /did you mean 'channel.lower'/,
  ],
  [
    'risk without a stop',
    '    stop_loss: { indicator: range, multiple: 2, trailing: true }\n',
    '',
    '14:21',
    '/decisions/rules/sizing/mode',
    'conflict',
    /needs a stop_loss/,
  ],
  [
    'a stop of two distances',
    '{ indicator: range, multiple: 2',
    '{ percent: 5, indicator: range',
    '12:30',
    '/decisions/rules/stop_loss/indicator',
    'conflict',
    /write one distance/,
  ],
  [
    'a stop without a distance',
    'indicator: range, multiple: 2, ',
    '',
    '12:5',
    '/decisions/rules/stop_loss/percent',
    'required',
    /percent, or indicator and multiple/,
  ],
  [
    'a stop without a multiple',
    'range, multiple: 2',
    'range',
    '12:5',
    '/decisions/rules/stop_loss/multiple',
    'required',
    /how many times/,
  ],
  [
    'a stop of an unknown indicator',
    'indicator: range',
    'indicator: rnage',
    '12:29',
    '/decisions/rules/stop_loss/indicator',
    'unknown_reference',
    /did you mean 'range'/,
  ],
  [
    'a stop beyond zero',
    'percent: 10',
    'percent: 0',
    '13:29',
    '/decisions/rules/take_profit/percent',
    'range',
    /0 should be above 0/,
  ],
  [
    'a target that trails',
    'percent: 10',
    'percent: 10, trailing: true',
    '13:33',
    '/decisions/rules/take_profit/trailing',
    'unknown_key',
    /the keys are percent, indicator, multiple/,
  ],
  [
    'half a bar',
    'max_bars: 20',
    'max_bars: 0.5',
    '14:15',
    '/decisions/rules/max_bars',
    'type',
    /whole number/,
  ],
  [
    'a size of another mode',
    'risk_percent: 1',
    'fraction: 0.5, risk_percent: 1',
    '15:27',
    '/decisions/rules/sizing/fraction',
    'conflict',
    /goes with mode fraction, not with risk/,
  ],
  [
    'a mode without its size',
    'mode: risk, risk_percent: 1',
    'mode: units',
    '15:5',
    '/decisions/rules/sizing/units',
    'required',
    /mode units needs it/,
  ],
  [
    'rules of several symbols',
    '{ mode: single, symbol: AAPL }',
    '{ mode: multi_symbol, list: [AAPL, MSFT] }',
    '3:20',
    '/training_data/symbols/mode',
    'unsupported',
    /use mode single/,
  ],
  [
    'rules beside a model',
    'decisions:',
    'model: { type: mlp, architecture: { hidden_layers: [4] } }\ndecisions:',
    '8:1',
    '/model',
    'mixed',
    /belongs to strategies with a model/,
  ],
  [
    'neither rules nor a model',
    '  rules:',
    '  rule:',
    '8:1',
    '/decisions/rules',
    'required',
    /or else nn_inputs, model and training/,
  ],
]

test.each([
  ...brokenModels.map(broken => ({ text: model, broken })),
  ...brokenRules.map(broken => ({ text: rules, broken })),
])('$broken.0 is refused at its place, with what to do', ({ text, broken }) => {
  const [, piece, replacement, place, pointer, code, message] = broken
  const errors = errorsOf(text, piece, replacement)
  // What breaks one part can break what refers to it: the fault itself must be among the errors.
  const shown = errors.map(error => `${error.line}:${error.column} ${error.pointer} ${error.code}`)
  expect(shown).toContain(`${place} ${pointer} ${code}`)
  expect(errors.find(error => error.pointer === pointer && error.code === code)?.message).toMatch(message)
})

test('faults of every part come at once, in the order of the text', () => {
  const broken = model
    .replace('source: rsi_14', 'source: rsi_41')
    .replace('[0, 25, 60]', '[0, 60, 25]')
    .replace('timeframes: [1d]', 'timeframes: 1d')
    .replace('dropout: 0.1', 'dropout: 2')
    .replace('train: 0.7', 'train: 0.8')
    .replace('zigzag_threshold', 'zigzag_treshold')
  expect(errorsOf(broken, 'neuro', 'neuro').map(({ line, code }) => `${line} ${code}`)).toEqual([
    '7 enum',
    '12 order',
    '16 type',
    '19 range',
    '26 sum',
    '27 unknown_key',
  ])
})
