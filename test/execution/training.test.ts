import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { TrainingResult } from '../../src/operations/training.ts'
import { type Operation, type Program, stopPrograms } from '../support/program.ts'
import { startWithApple } from '../support/research.ts'

afterAll(stopPrograms)

const models = {
  mlp: '{ type: mlp, architecture: { hidden_layers: [16, 8], dropout: 0.2 } }',
  lstm: '{ type: lstm, architecture: { sequence_length: 8, hidden_size: 8, num_layers: 1, dropout: 0.2 } }',
  gru: '{ type: gru, architecture: { sequence_length: 8, hidden_size: 8, num_layers: 1, dropout: 0.2 } }',
} as const
type Kind = keyof typeof models
const kinds = Object.keys(models) as Kind[]

const yamlOf = (kind: Kind, epochs: number) => `name: small_${kind}
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  rsi_14: { type: rsi, period: 14 }
  roc_5: { type: roc, period: 5 }
fuzzy_sets:
  pace: { indicator: roc_5, type: quantile, terms: [down, still, up] }
nn_inputs:
  - { fuzzy_set: pace, timeframes: all }
  - { raw_indicator: rsi_14, timeframes: all, normalization: zscore }
  - { raw_indicator: roc_5, timeframes: all, normalization: robust }
model: ${models[kind]}
decisions: { output_format: classification }
training:
  epochs: ${epochs}
  batch_size: 16
  scheduler: { type: reduce_on_plateau, patience: 3, factor: 0.9 }
  labels: { source: triple_barrier, max_holding_period: 10 }
`

/** Epochs that take a second or two. */
const aSecond = { mlp: 1000, lstm: 200, gru: 200 } as const

const paramsOf = (kind: Kind, epochs: number = aSecond[kind]) => ({
  strategy_yaml: yamlOf(kind, epochs),
  leakage_check: false,
  checkpoint_every_seconds: 0.05,
})

const submit = async (program: Program, kind: Kind) =>
  (await program.submit('training', paramsOf(kind))).operation_id

async function completed(program: Program, id: string): Promise<TrainingResult> {
  const ended = await program.end(id)
  if (ended.status !== 'completed') throw new Error(JSON.stringify(ended.problem))
  return ended.result as TrainingResult
}

/** The result of every kind of network, trained without disturbance. */
async function trainAll(program: Program): Promise<Record<Kind, TrainingResult>> {
  const ids = await Promise.all(kinds.map(async kind => [kind, await submit(program, kind)] as const))
  const results = await Promise.all(
    ids.map(async ([kind, id]) => [kind, await completed(program, id)] as const),
  )
  return Object.fromEntries(results) as Record<Kind, TrainingResult>
}

describe('the same training has the same bytes', () => {
  test('on one thread and on two, cancelled and resumed, and killed with -9', async () => {
    const [two, one] = await Promise.all([
      startWithApple({ KTRDR_THREADS: '2' }),
      startWithApple({ KTRDR_THREADS: '1' }),
    ])
    const [straight, alone] = await Promise.all([trainAll(two), trainAll(one)])
    expect(alone).toEqual(straight)
    const cancelled = await Promise.all(kinds.map(kind => disturbedByCancel(two, kind)))
    expect(cancelled).toEqual(kinds.map(kind => straight[kind]))
    expect(await disturbedByKill(two)).toEqual(straight)
  }, 240_000)
})

const isUnderWay = ({ status, checkpoint }: Operation) =>
  status !== 'pending' && (status !== 'running' || checkpoint !== null)

/** The first at once, the others at random. */
const someMs = (seed: number) => [0, ...fc.sample(fc.integer({ min: 0, max: 200 }), { numRuns: 4, seed })]

/** Cancels it up to five times at random moments of its epochs, and resumes. */
async function disturbedByCancel(program: Program, kind: Kind): Promise<TrainingResult> {
  const id = await submit(program, kind)
  let cancelled = 0
  for (const moment of someMs(aSecond[kind])) {
    await program.until(id, isUnderWay)
    await new Promise(resolve => setTimeout(resolve, moment))
    await program.cancel(id)
    const ended = await program.end(id)
    if (ended.status === 'completed') break
    expect(ended).toMatchObject({ status: 'cancelled', cancellation: { mode: 'cooperative' } })
    expect(ended.checkpoint).not.toBeNull()
    cancelled++
    await program.request('POST', `/api/v1/operations/${id}/resume`)
  }
  expect(cancelled).toBeGreaterThan(0)
  return completed(program, id)
}

/** Kills the server five times at random moments, while all kinds are trained. */
async function disturbedByKill(program: Program): Promise<Record<Kind, TrainingResult>> {
  const ids: [Kind, string][] = []
  for (const kind of kinds) ids.push([kind, await submit(program, kind)])
  for (const [i, moment] of someMs(6).entries()) {
    const [, id] = ids[i % ids.length] ?? ids[0]!
    await program.until(id, isUnderWay)
    await new Promise(resolve => setTimeout(resolve, moment))
    await program.kill()
    await program.start()
  }
  const results: Partial<Record<Kind, TrainingResult>> = {}
  let attempts = 0
  for (const [kind, id] of ids) {
    results[kind] = await completed(program, id)
    attempts += (await program.operation(id)).attempt
  }
  expect(attempts).toBeGreaterThan(kinds.length)
  return results as Record<Kind, TrainingResult>
}

test('forty trainings wait for their turn and finish, and the server answers meanwhile', async () => {
  const program = await startWithApple()
  const ids: string[] = []
  for (let seed = 0; seed < 40; seed++) {
    const params = { ...paramsOf(kinds[seed % 3] ?? 'mlp', 2), seed }
    ids.push((await program.submit('training', params)).operation_id)
  }
  let answers = 0
  for (;;) {
    const { status, body } = await program.get<{ by_status: Record<string, number> }>(
      '/api/v1/operations/counts',
    )
    expect(status).toBe(200)
    answers++
    expect(Number(body.by_status.running) + Number(body.by_status.cancelling)).toBeLessThanOrEqual(2)
    if (Number(body.by_status.completed) === 41) break
  }
  expect(answers).toBeGreaterThan(10)
  const hashes = new Set<string>()
  for (const id of ids) hashes.add((await completed(program, id)).weights_sha256)
  // Another seed, another model.
  expect(hashes.size).toBe(40)
})

describe('shipped examples', () => {
  test('three of them are trained end to end on Apple, with epochs as series and a model that is stored', async () => {
    const program = await startWithApple()
    for (const name of ['fuzzy_and_raw', 'lstm_trend', 'return_regression']) {
      const { body } = await program.get<string>(`/api/v1/strategies/${name}`, { accept: 'application/yaml' })
      const yaml = String(body).replace(/epochs: \d+/, 'epochs: 3')
      const { operation_id: id } = await program.submit('training', { strategy_yaml: yaml })
      const result = await completed(program, id)
      expect(result).toMatchObject({ strategy_name: name, training: { epochs_run: 3 } })
      expect(result.metrics.test?.rows).toBeGreaterThan(100)
      const { body: series } = await program.get<{
        series: { name: string; points: { values: Record<string, number | null> }[] }[]
      }>(`/api/v1/operations/${id}/metrics`)
      const [epochs] = series.series
      expect(epochs?.points.map(({ values }) => values.epoch)).toEqual([0, 1, 2])
      expect(Object.keys(epochs?.points[0]?.values ?? {})).toEqual(
        expect.arrayContaining([
          'train_loss',
          'train_accuracy',
          'val_loss',
          'val_accuracy',
          'learning_rate',
          'duration',
          'timestamp',
        ]),
      )
      const { status } = await program.get(`/api/v1/models/${result.model_id}`)
      expect(status).toBe(200)
    }
  })
})
