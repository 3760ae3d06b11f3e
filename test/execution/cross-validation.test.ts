import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { barsTable } from '../../src/archive/bars.ts'
import { renderTable } from '../../src/archive/render.ts'
import type { components } from '../../src/openapi.gen.ts'
import type { TrainingResult } from '../../src/operations/training.ts'
import { walkOf } from '../fixtures/walks.ts'
import { type Operation, type Program, stopPrograms } from '../support/program.ts'
import {
  complete,
  leftAfterInterruptions,
  leftBy,
  readColumns,
  refusalOf,
  startWithApple,
} from '../support/research.ts'

type Result = components['schemas']['CrossValidationResult']

let program: Program
/** The same on one thread. */
let alone: Program
beforeAll(async () => {
  program = await startWithApple({ KTRDR_THREADS: '2' })
  alone = await startWithApple({ KTRDR_THREADS: '1' })
})
afterAll(stopPrograms)

const yamlOf = (epochs: number, rest = '') => `name: small
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  rsi_14: { type: rsi, period: 14 }
  roc_5: { type: roc, period: 5 }
nn_inputs:
  - { raw_indicator: rsi_14, timeframes: all, normalization: zscore }
  - { raw_indicator: roc_5, timeframes: all, normalization: robust }
model: { type: mlp, architecture: { hidden_layers: [8], dropout: 0.2 } }
${
  rest ||
  `decisions: { output_format: classification }
training:
  labels: { source: triple_barrier, max_holding_period: 10 }`
}
  epochs: ${epochs}
`

const trainingOf = (epochs: number, rest?: string) => ({
  strategy_yaml: yamlOf(epochs, rest),
  leakage_check: false,
  checkpoint_every_seconds: 0.05,
})
const fiveFolds = { training: trainingOf(3), method: 'purged_k_fold', folds: 5 }
const walk = { training: trainingOf(3), method: 'walk_forward', train_days: 700, test_days: 250 }

const childrenOf = async ({ operation_id: id }: Operation) =>
  (await program.get<{ items: Operation[] }>(`/api/v1/operations/${id}/children?limit=100`)).body.items

const trainedBy = (operation: Operation | undefined): TrainingResult => operation?.result as TrainingResult

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** Long enough to be met in the middle. */
const long = trainingOf(200)

test.each<[string, object]>([
  ['purged_k_fold', { ...fiveFolds, training: long }],
  ['walk_forward', { ...walk, training: long }],
])(
  '%s leaves the same bytes on one thread and on two, and after it was killed with the server, cancelled and resumed',
  async (_, params) => {
    const straight = await leftBy(program, await complete(program, 'cross_validation', params))
    expect(straight).toMatchObject({ files: [['predictions', expect.any(String)]] })
    expect(await leftBy(alone, await complete(alone, 'cross_validation', params))).toEqual(straight)
    expect(await leftAfterInterruptions(program, 'cross_validation', params)).toEqual(straight)
  },
)

test('every fold is a training of its own, of the same bars and strategy, whose model is stored', async () => {
  const done = await complete(program, 'cross_validation', fiveFolds)
  const { folds } = done.result as Result
  const children = await childrenOf(done)
  expect(children.map(({ type }) => type)).toEqual([
    ...Array<string>(5).fill('training'),
    'cross_validation_report',
  ])
  for (const { provenance } of children)
    expect(provenance).toMatchObject({
      dataset_sha256: done.provenance.dataset_sha256,
      strategy_sha256: done.provenance.strategy_sha256,
    })
  for (const [i, fold] of folds.entries()) {
    const { model_id, metrics } = trainedBy(children[i])
    expect([fold.model_id, fold.metrics]).toEqual([model_id, metrics.test])
    expect((await program.get(`/api/v1/models/${model_id}`)).status).toBe(200)
  }
  expect(new Set(folds.map(({ model_id }) => model_id)).size).toBe(5)
})

test('k folds test every row once, and the joined predictions come to the confusion matrix', async () => {
  const done = await complete(program, 'cross_validation', fiveFolds)
  const { folds, out_of_sample: joined, scores, baselines } = done.result as Result
  const { data } = trainedBy((await childrenOf(done))[0])
  expect(sum(folds.map(({ test: part }) => part?.rows ?? 0))).toBe(data.rows)
  expect(joined.rows).toBe(data.rows)
  for (const { train, validation, test: part, purged, embargoed } of folds)
    expect(sum([train?.rows ?? 0, validation?.rows ?? 0, part?.rows ?? 0, purged, embargoed])).toBe(data.rows)
  const columns = await readColumns(program, done, 'predictions')
  const times = columns.close_time ?? []
  expect(times).toHaveLength(data.rows)
  expect(times).toEqual([...new Set(times)].sort((a, b) => Number(a) - Number(b)))
  expect(new Set(columns.fold)).toEqual(new Set([0, 1, 2, 3, 4]))
  // Confusion matrices add up, and so does what is right.
  const cells = (matrix: Result['out_of_sample']['confusion']) => (matrix ?? []).flat()
  expect(cells(joined.confusion)).toEqual(
    cells(joined.confusion).map((_, cell) =>
      sum(folds.map(({ metrics }) => cells(metrics.confusion)[cell] ?? 0)),
    ),
  )
  const right = sum(folds.map(({ metrics }) => metrics.accuracy * metrics.rows))
  expect(joined.accuracy).toBeCloseTo(right / data.rows, 12)
  const accuracies = folds.map(({ metrics }) => metrics.accuracy)
  const mean = sum(accuracies) / 5
  const variance = sum(accuracies.map(one => (one - mean) ** 2)) / 4
  expect(scores.accuracy?.mean).toBeCloseTo(mean, 12)
  expect(scores.accuracy?.deviation).toBeCloseTo(Math.sqrt(variance), 12)
  expect(scores.accuracy).toMatchObject({ least: Math.min(...accuracies), folds: 5 })
  expect(scores.rmse).toBeNull()
  expect(baselines.majority_accuracy?.folds).toBe(5)
  expect(baselines.hold_return_fraction?.folds).toBe(5)
})

test('a walk learns from the past of each test alone, within its window, and joins the tests', async () => {
  const done = await complete(program, 'cross_validation', walk)
  const { folds, out_of_sample: joined } = done.result as Result
  expect(folds.length).toBeGreaterThan(2)
  const at = (moment: string | undefined) => Date.parse(moment ?? '')
  for (const [i, { train, validation, test: part }] of folds.entries()) {
    expect(at(train?.label_end)).toBeLessThanOrEqual(at(validation?.first_time))
    expect(at(validation?.label_end)).toBeLessThanOrEqual(at(part?.first_time))
    expect(at(validation?.last_time) - at(train?.first_time)).toBeLessThanOrEqual(700 * 86_400_000)
    const next = folds[i + 1]?.test?.first_time
    if (next !== undefined) expect(at(part?.last_time)).toBeLessThan(at(next))
  }
  expect(joined.rows).toBe(sum(folds.map(({ test: part }) => part?.rows ?? 0)))
  expect([joined.first_time, joined.last_time]).toEqual([
    folds[0]?.test?.first_time,
    folds.at(-1)?.test?.last_time,
  ])
  const anchored = await complete(program, 'cross_validation', { ...walk, anchored: true })
  const starts = (anchored.result as Result).folds.map(({ train }) => train?.first_time)
  expect(new Set(starts).size).toBe(1)
})

test('a regression is measured by errors, beside the mean', async () => {
  const rest = `decisions:
  output_format: regression
  cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 1 }
training:
  labels: { source: forward_return, horizon: 5 }`
  const params = { training: trainingOf(3, rest), folds: 3 }
  const { result } = await complete(program, 'cross_validation', params)
  const { scores, baselines, classes, out_of_sample: joined } = result as Result
  expect([classes, scores.macro_f1, baselines.majority_accuracy, joined.confusion]).toEqual([
    [],
    null,
    null,
    null,
  ])
  expect(scores.rmse?.mean).toBeGreaterThan(0)
  expect(baselines.mean_rmse?.mean).toBeGreaterThan(0)
  expect(joined.permutation.score).toBe('mean_product')
})

test('folds that are too small are warned of', async () => {
  const small = { ...walk, train_days: 200, test_days: 60, training: { ...trainingOf(1), end: '2019-01-01' } }
  const { warnings } = (await complete(program, 'cross_validation', small)).result as Result
  expect(warnings).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/learn from fewer than 200 rows/),
      expect.stringMatching(/are tested on fewer than 50 rows/),
    ]),
  )
})

test('a feature that knows tomorrow is suspected in every fold, and the warning names it', async () => {
  const days = walkOf(3, 600)
  // The volume of a day says what the close of the next one will be.
  const volume = days.close.map((close, i) => 100_000 * ((days.close[i + 1] ?? close) / close - 0.5))
  const { status } = await program.request('PUT', '/api/v1/datasets/TOLD/1d?calendar=24-7', {
    raw: await renderTable(barsTable({ ...days, volume }), 'csv'),
    headers: { 'content-type': 'text/csv' },
  })
  expect(status).toBe(201)
  const strategy_yaml = yamlOf(1)
    .replace('AAPL', 'TOLD')
    .replace('rsi_14: { type: rsi, period: 14 }', 'rsi_14: { type: sma, period: 2, source: volume }')
    .replace('triple_barrier, max_holding_period: 10', 'context, horizon: 1')
  const { result } = await complete(program, 'cross_validation', { training: { strategy_yaml }, folds: 3 })
  const { warnings, folds } = result as Result
  expect(warnings[0]).toMatch(/^In 3 of 3 folds a feature is suspected: 1d_rsi_14_raw may know the future/)
  expect(folds.map(({ findings }) => findings[0]?.kind)).toEqual(['leakage', 'leakage', 'leakage'])
})

test('a fold can be trained by itself, and is the same', async () => {
  const { result } = await complete(program, 'cross_validation', fiveFolds)
  const fold = { method: 'purged_k_fold', folds: 5, index: 3 }
  const alone = await complete(program, 'training', { ...trainingOf(3), fold })
  const { model_id, weights_sha256 } = alone.result as TrainingResult
  const { folds } = result as Result
  expect([folds[3]?.model_id, folds[3]?.weights_sha256]).toEqual([model_id, weights_sha256])
})

const weekends = { ...walk, train_days: 30, test_days: 1 }

test.each<[string, object, RegExp, string[]]>([
  [
    'a walk without a training length',
    { ...walk, train_days: undefined },
    /needs train_days/,
    ['train_days'],
  ],
  ['a walk with a number of folds', { ...walk, folds: 5 }, /takes no folds/, ['folds']],
  ['folds with a test length', { ...fiveFolds, test_days: 5 }, /takes no test_days/, ['test_days']],
  ['a walk longer than the range', { ...walk, train_days: 36_000 }, /too short/, ['train_days']],
  ['too many windows', weekends, /more than 100 windows/, ['test_days']],
  [
    'a window without bars',
    { ...weekends, training: { ...trainingOf(1), start: '2017-01-01', end: '2017-03-01' } },
    /window \d+ has no bars to test on/,
    ['test_days'],
  ],
  ['rules', { training: { strategy: 'sma_cross' } }, /decides by rules/, []],
  [
    'a symbol without bars',
    { training: { ...trainingOf(1), symbols: ['NOPE'] } },
    /NOPE/,
    ['training/symbols/0'],
  ],
  [
    'a fold of its own',
    { training: { ...trainingOf(1), fold: { method: 'purged_k_fold', folds: 2, index: 0 } } },
    /its own to choose/,
    ['training/fold'],
  ],
])('%s is refused', async (_, params, message, keys) => {
  const { status, detail, pointers } = await refusalOf(program, 'cross_validation', params)
  expect([status, detail]).toEqual([422, expect.stringMatching(message)])
  expect(pointers.filter(pointer => pointer.startsWith('/body/params/'))).toEqual(
    keys.map(key => `/body/params/${key}`),
  )
})

test.each<[object, string]>([
  [{ method: 'purged_k_fold', folds: 3, index: 3 }, 'index'],
  [
    {
      method: 'walk_forward',
      train: { start: '2018-01-01', end: '2019-01-01' },
      test: { start: '2018-12-31', end: '2019-06-01' },
    },
    'test/start',
  ],
  [
    {
      method: 'walk_forward',
      train: { start: '2019-01-01', end: '2018-01-01' },
      test: { start: '2018-12-31', end: '2019-06-01' },
    },
    'train/start',
  ],
])('a training of the fold %j is refused', async (fold, key) => {
  const { status, pointers } = await refusalOf(program, 'training', { ...trainingOf(1), fold })
  expect([status, pointers]).toEqual([422, [`/body/params/fold/${key}`]])
})
