import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { readModel } from '../../src/archive/models.ts'
import { decodeTable, type Table } from '../../src/archive/tables.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import type { Artifact, Params } from '../../src/operations/operation.ts'
import { stop } from '../../src/operations/protocol.ts'
import { Schemas } from '../../src/operations/schemas.ts'
import type { TrainingResult } from '../../src/operations/training.ts'
import { weightsSha256 } from '../../src/operations/training-run.ts'
import { Problem } from '../../src/problems.ts'
import { walkOf } from '../fixtures/walks.ts'
import { makeRooms } from '../support/rooms.ts'
import { completed, makeHome, operationId, prepare, runWorker } from '../support/worker.ts'

/** @param training lines of YAML, indented */
const yamlOf = (training = '', model = '{ type: mlp, architecture: { hidden_layers: [6] } }') => `name: small
training_data:
  symbols: { mode: multi_symbol, list: [BBB, AAA] }
  timeframes: { mode: multi_timeframe, list: [1w, 1d], base_timeframe: 1d }
indicators:
  rsi_5: { type: rsi, period: 5 }
  change: { type: roc, period: 3 }
fuzzy_sets:
  zone:
    indicator: rsi_5
    low: { type: left_shoulder, parameters: [30, 60] }
    high: { type: right_shoulder, parameters: [40, 70] }
nn_inputs:
  - { fuzzy_set: zone, timeframes: all }
  - { raw_indicator: change, timeframes: [1d], normalization: zscore }
model: ${model}
decisions: { output_format: classification }
training:
  epochs: 2
  batch_size: 32
  labels: { source: triple_barrier, max_holding_period: 5, vol_span: 10 }
${training}`

const defaults = { adjustment: 'none', leakage_check: true, checkpoint_every_seconds: 3_600 }
let home: string

beforeAll(async () => {
  home = makeHome()
  const rooms = makeRooms(home)
  const calendar = new Calendars().get('24-7')
  for (const [symbol, seed] of [['AAA', 1] as const, ['BBB', 2] as const]) {
    const days = walkOf(seed, 300)
    const origin = { source: 'test', now: 0, calendar: '24-7' }
    await rooms.bars.publish(
      symbol,
      '1w',
      resampleBars(days, { from: '1d', to: '1w', calendar }).bars,
      origin,
    )
    await rooms.bars.publish(symbol, '1d', days, origin)
  }
})

const train = async (params: Params, stopWord: number = stop.none) =>
  runWorker(home, 'training', { ...defaults, ...params }, { stopWord })

const trained = async (params: Params) => completed<TrainingResult>(await train(params))

const tableOf = (artifacts: readonly Artifact[], name: string): Table => {
  const artifact = artifacts.find(known => known.name === name)
  if (artifact === undefined) throw new Error(`no artifact ${name}`)
  return decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact)))
}

const refusal = async (params: Params): Promise<Problem> => {
  const refused = await prepare(home, 'training', { ...defaults, ...params }).catch(error => error)
  if (refused instanceof Problem) return refused
  throw new Error('nothing was refused')
}

test('a training stores the model it answers, its history and its predictions, and matches the contract', async () => {
  const { result, artifacts } = await trained({ strategy_yaml: yamlOf() })
  expect(artifacts.map(({ file }) => file)).toEqual([
    ...['history.arrow', 'predictions.arrow', 'label_report.json', 'feature_info.json', 'strategy.yaml'],
  ])
  const { components } = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'))
  expect(new Schemas(components).result('training', result)).toBe(result)
  expect(result).toMatchObject({
    ...{ strategy_name: 'small', seed: 42, findings: expect.anything() },
    model: {
      type: 'mlp',
      inputs: 5,
      outputs: 3,
      classes: ['buy', 'hold', 'sell'],
      parameters: 6 * 5 + 6 + 3 * 6 + 3,
    },
    data: { base_timeframe: '1d', features: 5, symbols: [{ symbol: 'AAA' }, { symbol: 'BBB' }] },
    training: { epochs_planned: 2, epochs_run: 2, stopped_early: false },
  })
  const { served } = readModel(home, result.model_id)
  expect(weightsSha256(served.model.parameters)).toBe(result.weights_sha256)
  expect(served.recipe.features.map(({ id }) => id)).toEqual([
    '1w_zone_low',
    '1w_zone_high',
    '1d_zone_low',
    '1d_zone_high',
    '1d_change_raw',
  ])
  const history = tableOf(artifacts, 'history')
  expect([history.rows, history.columns.map(({ name }) => name)]).toEqual([
    2,
    [
      ...['epoch', 'train_loss', 'train_accuracy', 'val_loss', 'val_accuracy', 'learning_rate', 'macro_f1'],
      ...['balanced_accuracy', 'mcc', 'brier', 'ece', 'gradient_norm'],
    ],
  ])
})

test('the confusion matrix of the test part is what its predictions come to', async () => {
  const { result, artifacts } = await trained({ strategy_yaml: yamlOf() })
  const { columns, rows } = tableOf(artifacts, 'predictions')
  const column = (name: string) => columns.find(known => known.name === name)?.values ?? []
  const [label, predicted] = [column('label'), column('predicted')]
  const { classes } = result.model
  const confusion = classes.map(truth =>
    classes.map(
      said =>
        Array.from({ length: rows }, (_, i) => i).filter(i => label[i] === truth && predicted[i] === said)
          .length,
    ),
  )
  expect(rows).toBe(result.split.test?.rows)
  expect(confusion).toEqual(result.metrics.test?.confusion)
  const certain = column('probability_buy')
  for (let i = 0; i < rows; i++) {
    const sum = classes.reduce((total, name) => total + Number(column(`probability_${name}`)[i]), 0)
    expect(sum).toBeCloseTo(1, 5)
    expect(Number(certain[i])).toBeGreaterThanOrEqual(0)
  }
})

test('parts follow each other in time, and no label of one is known only in the next', async () => {
  const { split } = (await trained({ strategy_yaml: yamlOf() })).result
  const { train: first, validation, test: last } = split
  expect(Date.parse(first?.label_end ?? '')).toBeLessThanOrEqual(Date.parse(validation?.first_time ?? ''))
  expect(Date.parse(validation?.label_end ?? '')).toBeLessThanOrEqual(Date.parse(last?.first_time ?? ''))
  expect(split.purged).toBeGreaterThan(0)
})

describe('what is asked is what runs', () => {
  test('the same request gives the same result and the same model, another seed another one', async () => {
    const [first, again] = [
      await trained({ strategy_yaml: yamlOf() }),
      await trained({ strategy_yaml: yamlOf() }),
    ]
    expect(again).toEqual(first)
    const { result } = await trained({ strategy_yaml: yamlOf(), seed: 7 })
    expect(result.seed).toBe(7)
    expect(result.config.training).toMatchObject({
      seed: 7,
      epochs: 2,
      optimizer: { type: 'adam', weight_decay: 0 },
    })
    expect(result.weights_sha256).not.toBe(first.result.weights_sha256)
    expect(result.model_id).not.toBe(first.result.model_id)
  })

  test('the seed of the parameters and that of the strategy mean the same', async () => {
    const [params, text] = [
      await trained({ strategy_yaml: yamlOf(), seed: 7 }),
      await trained({ strategy_yaml: yamlOf('  seed: 7\n') }),
    ]
    expect(params.result.weights_sha256).toBe(text.result.weights_sha256)
  })

  test('symbols and range are those of the request', async () => {
    const { result } = await trained({
      strategy_yaml: yamlOf(),
      symbols: ['AAA'],
      start: '2024-03-01',
      end: '2024-10-01',
    })
    expect(result.data.symbols.map(({ symbol }) => symbol)).toEqual(['AAA'])
    expect(Date.parse(result.split.train?.first_time ?? '')).toBeGreaterThanOrEqual(Date.parse('2024-03-01'))
    expect(Date.parse(result.split.test?.label_end ?? '')).toBeLessThanOrEqual(Date.parse('2024-10-01'))
  })
})

test('without a test part the validation part is what baselines and predictions are of', async () => {
  const split = '  data_split: { train: 0.8, validation: 0.2, test: 0 }\n'
  const { result, artifacts } = await trained({ strategy_yaml: yamlOf(split) })
  expect([result.metrics.test, result.split.test, result.baselines.part]).toEqual([null, null, 'validation'])
  expect(tableOf(artifacts, 'predictions').rows).toBe(result.split.validation?.rows)
})

test('baselines, leakage check and statistics of labels are part of every result', async () => {
  const { result } = await trained({ strategy_yaml: yamlOf() })
  const { baselines, labels, leakage_check: check } = result
  expect(baselines.majority?.accuracy).toBeGreaterThan(0)
  expect(baselines.random?.runs).toBeGreaterThan(0)
  expect(baselines.hold?.symbols).toEqual(['AAA', 'BBB'])
  expect(baselines.permutation.p_value).toBeGreaterThan(0)
  expect(check).toMatchObject({ suspicious: false })
  const counted = labels.flatMap(({ classes }) => classes).reduce((sum, { count }) => sum + count, 0)
  expect(counted).toBe(labels.reduce((sum, { labelled }) => sum + labelled, 0))
  expect((await trained({ strategy_yaml: yamlOf(), leakage_check: false })).result.leakage_check).toBeNull()
})

test('bars that tell the future are found out, and the feature that does is named', async () => {
  const days = walkOf(3, 400)
  // The volume of a day says what the close of the next one will be.
  const volume = days.close.map((close, i) => 100_000 * ((days.close[i + 1] ?? close) / close - 0.5))
  const origin = { source: 'test', now: 0, calendar: '24-7' }
  await makeRooms(home).bars.publish('TOLD', '1d', { ...days, volume }, origin)
  const yaml = `name: told
training_data:
  symbols: { mode: single, symbol: TOLD }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  volume_1: { type: sma, period: 2, source: volume }
  change: { type: roc, period: 3 }
nn_inputs:
  - { raw_indicator: volume_1, timeframes: all, normalization: zscore }
  - { raw_indicator: change, timeframes: all, normalization: zscore }
model: { type: mlp, architecture: { hidden_layers: [6] } }
decisions: { output_format: classification }
training:
  epochs: 2
  labels: { source: context, horizon: 1 }
`
  const { result } = await trained({ strategy_yaml: yaml })
  expect(result.findings.filter(({ kind }) => kind === 'leakage')).toEqual([
    { kind: 'leakage', message: expect.stringMatching(/^1d_volume_1_raw may know the future/) },
  ])
})

test('a checkpoint is saved after every so many epochs', async () => {
  const yaml = yamlOf().replace('epochs: 2', 'epochs: 7')
  const params = { strategy_yaml: yaml, leakage_check: false }
  await trained({ ...params, checkpoint_every_epochs: 3 })
  expect(readdirSync(join(home, 'checkpoints', operationId)).sort()).toEqual(['1-1.ckpt', '1-2.ckpt'])
})

test('a stop while data are prepared ends it before anything is stored', async () => {
  expect(await train({ strategy_yaml: yamlOf() }, stop.cancel)).toMatchObject({ kind: 'cancelled' })
})

describe('refused before it is accepted', () => {
  test('a strategy that decides by rules', async () => {
    expect(await refusal({ strategy: 'sma_cross' })).toMatchObject({
      code: 'strategy-invalid',
      message: 'sma_cross decides by rules: there is no model to train',
    })
  })

  test('bars that are not stored, and a range without any', async () => {
    expect(await refusal({ strategy_yaml: yamlOf(), symbols: ['CCC'] })).toMatchObject({
      code: 'bars-missing',
      errors: [{ pointer: '/body/params/symbols/0', code: 'unknown' }],
    })
    const before = { start: '2001-01-01', end: '2002-01-01' }
    expect(await refusal({ strategy_yaml: yamlOf(), ...before })).toMatchObject({ code: 'bars-missing' })
  })
})

test('too little to learn from fails with what is missing and what to do', async () => {
  const few = { start: '2024-02-20', end: '2024-03-01' }
  expect(await train({ strategy_yaml: yamlOf(), symbols: ['AAA'], ...few })).toMatchObject({
    kind: 'failed',
    problem: { code: 'params-invalid', hint: expect.any(String) },
  })
})
