import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { Feed } from '../../src/feed/feed.ts'
import { loadContract } from '../../src/http/contract.ts'
import { createLog } from '../../src/log.ts'
import {
  type CrossValidationResult,
  crossValidationSpec,
  type EffectiveCrossValidationParams,
} from '../../src/operations/cross-validation.ts'
import type { CrossValidationReportResult } from '../../src/operations/cross-validation-report.ts'
import { OperationQueries } from '../../src/operations/queries.ts'
import { Schemas } from '../../src/operations/schemas.ts'
import { OperationsService } from '../../src/operations/service.ts'
import type { ChildEnd } from '../../src/operations/spec.ts'
import type { TrainingResult } from '../../src/operations/training.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { walkOf } from '../fixtures/walks.ts'
import { makeRooms } from '../support/rooms.ts'
import { makeHome } from '../support/worker.ts'

const yaml = `name: small
training_data:
  symbols: { mode: single, symbol: AAA }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  change: { type: roc, period: 3 }
nn_inputs:
  - { raw_indicator: change, timeframes: all, normalization: zscore }
model: { type: mlp, architecture: { hidden_layers: [6] } }
decisions: { output_format: classification }
training:
  epochs: 2
  labels: { source: triple_barrier, max_holding_period: 5, vol_span: 10 }
`

const training = {
  ...{ strategy_yaml: yaml, adjustment: 'none', leakage_check: false, checkpoint_every_seconds: 10 },
}
const origin = { source: 'test', now: 0, calendar: '24-7' }
let home: string
let rooms: ReturnType<typeof makeRooms>

beforeAll(async () => {
  home = makeHome()
  rooms = makeRooms(home)
  // From 2024-01-01 on.
  await rooms.bars.publish('AAA', '1d', walkOf(1, 300), origin)
})

const endOf = (result: ChildEnd['result'], type: ChildEnd['type'] = 'training'): ChildEnd => ({
  ...{ operation_id: 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X', type, attempt: 2, status: 'completed' },
  ...{ result, problem: null, artifacts: [] },
})

describe('the plan', () => {
  test('of k folds is a training for each, then the report on all of them', async () => {
    const prepared = await crossValidationSpec.prepare({ training, method: 'purged_k_fold', folds: 3 }, rooms)
    expect(prepared.steps).toEqual({ total: 4, unit: 'child' })
    const plan = crossValidationSpec.plan(prepared.params, [])
    expect(plan.map(({ type, params, inherits }) => [type, params.fold, inherits])).toEqual(
      [0, 1, 2].map(index => ['training', { method: 'purged_k_fold', folds: 3, index }, true]),
    )
    const whole = crossValidationSpec.plan(
      prepared.params,
      [0, 1, 2].map(() => endOf(null)),
    )
    expect(whole.slice(0, 3)).toEqual(plan)
    const part = { operation_id: 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X', attempt: 2 }
    expect(whole.slice(3)).toEqual([
      { type: 'cross_validation_report', params: { parts: [part, part, part] } },
    ])
  })

  test('of a walk has windows that step on by their test, from the first bar to the last', async () => {
    const params = {
      ...{ training: { ...training, start: '2001-01-01' }, method: 'walk_forward' },
      ...{ train_days: 100, test_days: 50, embargo_bars: 3 },
    }
    const prepared = await crossValidationSpec.prepare(params, rooms)
    const range = { start: '2024-01-01T00:00:00.000Z', end: '2024-10-27T00:00:00.000Z' }
    expect(prepared.params).toMatchObject({ training: range })
    const [first, second, ...others] = crossValidationSpec.plan(prepared.params, [])
    expect(first?.params.fold).toEqual({
      ...{ method: 'walk_forward', embargo_bars: 3 },
      train: { start: '2024-01-01T00:00:00.000Z', end: '2024-04-10T00:00:00.000Z' },
      test: { start: '2024-04-10T00:00:00.000Z', end: '2024-05-30T00:00:00.000Z' },
    })
    expect(second?.params.fold).toMatchObject({
      train: { start: '2024-02-20T00:00:00.000Z' },
      test: { start: '2024-05-30T00:00:00.000Z' },
    })
    expect(others).toHaveLength(2)
  })
})

test('a fold that is created late is trained on the bars that were pinned, not on newer ones', async () => {
  const store = SqliteStore.open(join(home, 'ktrdr.sqlite'))
  const feed = new Feed()
  const schemas = new Schemas(loadContract().document.components)
  const log = createLog('silent')
  const collaborators = { store, feed, schemas, rooms, clock: { now: () => 0 }, newId: () => 'op_', log }
  const settings = { home, version: '0', queueMax: 10, maxAttempts: 3, enableExercise: true }
  const service = new OperationsService(collaborators, new OperationQueries(store, feed, home), settings)
  const params = schemas.params('cross_validation', { training: { strategy_yaml: yaml }, folds: 2 })
  const submission = {
    type: 'cross_validation',
    params,
    priority: 0,
    timeoutMs: null,
    requestId: null,
  } as const
  const { record } = await service.submit({ ...submission, idempotency: null })
  await rooms.bars.publish('AAA', '1d', walkOf(2, 300), origin)
  const [plan] = crossValidationSpec.plan(record.params, [])
  if (plan === undefined) throw new Error('nothing is planned')
  const child = await service.newChild(record, plan, 0)
  expect(child.provenance).toEqual(record.provenance)
  const now = await service.newChild(record, { type: plan.type, params: plan.params }, 0)
  expect(now.provenance.dataset_sha256).not.toEqual(record.provenance.dataset_sha256)
  await store.close()
})

type Spoken = {
  readonly train?: number
  readonly test?: number
  readonly accuracy?: number
  readonly majority?: number
  readonly findings?: TrainingResult['findings']
}

/** What a training of a fold answers. */
function trained({ train = 500, test: tested = 200, accuracy = 0.5, majority = 0.4, findings = [] }: Spoken) {
  const part = (rows: number) => {
    const moment = '2024-01-01T00:00:00.000Z'
    return { rows, first_time: moment, last_time: moment, label_end: moment }
  }
  const metrics = {
    ...{ rows: tested, loss: 1, accuracy, macro_f1: 0.4, balanced_accuracy: 0.4, mcc: 0.1, brier: 0.6 },
    ...{ ece: 0.1, confusion: null, classes: null, mae: null, rmse: null, r2: null },
  }
  const permutation = { observed: 0.4, mean: 0.3, p_value: 0.01, permutations: 100, block_rows: 5 }
  const result: TrainingResult = {
    ...{ strategy_name: 'small', model_id: 'mdl_0', weights_sha256: '0', seed: 42, labels: [] },
    model: {
      ...{ type: 'mlp', inputs: 1, outputs: 3, parameters: 10, sequence_length: null },
      classes: ['buy', 'hold', 'sell'],
    },
    config: { model: {}, training: {} },
    data: {
      ...{ symbols: [], base_timeframe: '1d', timeframes: ['1d'], features: 1, rows: 1 },
      ...{ without_label: 0, without_features: 0, without_window: 0 },
    },
    split: {
      ...{ train: part(train), validation: part(100), test: part(tested) },
      ...{ purged: 0, embargoed: 0, embargo_bars: 1 },
    },
    training: {
      ...{ epochs_planned: 2, epochs_run: 2, stopped_early: false, best_epoch: 0 },
      ...{ watched_metric: 'val_loss', batches_per_epoch: 1 },
    },
    metrics: { train: metrics, validation: metrics, test: metrics },
    baselines: {
      ...{ part: 'test', random: null, mean: null, hold: null, model_mean_return_fraction: 0.01 },
      majority: { class: 'buy', accuracy: majority, macro_f1: 0.2, balanced_accuracy: 0.33 },
      permutation: { ...permutation, score: 'macro_f1' },
    },
    leakage_check: null,
    findings,
  }
  return endOf(result)
}

const report = (p_value: number): ChildEnd => {
  const permutation = { observed: 0.4, mean: 0.3, p_value, permutations: 100, block_rows: 5 }
  const result: CrossValidationReportResult = {
    ...{ rows: 1, first_time: '2024-01-01T00:00:00.000Z', last_time: '2024-01-01T00:00:00.000Z' },
    ...{ accuracy: 0.5, macro_f1: 0.4, balanced_accuracy: 0.4, mcc: 0, brier: 0, ece: 0 },
    ...{ confusion: null, classes: null, mae: null, rmse: null, r2: null, mean_return_fraction: 0 },
    permutation: { ...permutation, score: 'macro_f1' },
  }
  return endOf(result, 'cross_validation_report')
}

const params: EffectiveCrossValidationParams = {
  ...{ method: 'purged_k_fold', folds: 2 },
  training: {
    ...{ symbols: ['AAA'], timeframes: ['1d'], start: '2024-01-01', end: '2025-01-01', seed: 42 },
    ...{ adjustment: 'none', leakage_check: true, checkpoint_every_seconds: 10 },
  },
}

const resultOf = (folds: readonly Spoken[], p_value = 0.01): CrossValidationResult =>
  crossValidationSpec.reduce([...folds.map(trained), report(p_value)], params) as CrossValidationResult

describe('what a reader is warned of', () => {
  const leak = { kind: 'leakage', message: '1d_told_raw may know the future: it correlates by 0.9.' } as const

  test('nothing, where every fold is large and better than the most frequent class by much', () => {
    const { warnings, folds_beyond_chance } = resultOf([{}, { accuracy: 0.52 }])
    expect([warnings, folds_beyond_chance]).toEqual([[], 2])
  })

  test.each<[string, readonly Spoken[], RegExp]>([
    ['few rows to learn from', [{}, { train: 199 }], /^1 of 2 folds \(1\) learn from fewer than 200 rows/],
    ['few rows to be tested on', [{ test: 49 }, {}], /^1 of 2 folds \(0\) are tested on fewer than 50 rows/],
    [
      'a feature that knows the label',
      [{ findings: [leak] }, {}],
      /^In 1 of 2 folds .* 1d_told_raw may know/,
    ],
    [
      'models without an opinion',
      [{ findings: [{ kind: 'one_answer', message: 'It says buy.' }] }, {}],
      /^In 1 of 2 folds the model gives one answer only/,
    ],
    [
      'a constant that is as good',
      [{ accuracy: 0.4 }, { accuracy: 0.3 }],
      /^In 2 of 2 folds always saying the most frequent/,
    ],
    [
      'a gain that is smaller than its changes',
      [{ accuracy: 0.7 }, { accuracy: 0.41 }, { accuracy: 0.41 }],
      /by 10.7% on average, but by 1.0% to 30.0% from fold to fold/,
    ],
  ])('%s', (_, folds, message) => {
    expect(resultOf(folds).warnings).toEqual([expect.stringMatching(message)])
  })

  test('predictions that chance explains', () => {
    expect(resultOf([{}, {}], 0.2).warnings).toEqual([
      expect.stringMatching(/no better than chance .* p = 0.2/),
    ])
  })
})

test('a fold that failed fails the whole, by its reason', () => {
  const problem = { code: 'params-invalid', title: '', detail: 'validation has no rows' } as const
  const failed: ChildEnd = { ...trained({}), status: 'failed', result: null, problem }
  expect(() => crossValidationSpec.reduce([trained({}), failed], params)).toThrow(
    /1 of 2 children did not complete.*validation has no rows/,
  )
})
