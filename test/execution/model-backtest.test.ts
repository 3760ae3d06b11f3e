import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'
import { exampleText } from '../support/trained-model.ts'

const tiny = exampleText('fuzzy_and_raw')
  .replace('epochs: 120', 'epochs: 3')
  .replace('hidden_layers: [32, 16]', 'hidden_layers: [8]')
  .replace('confidence_threshold: 0.45', 'confidence_threshold: 0.34')

const modelOf = ({ result }: Operation) =>
  result != null && 'model_id' in result ? String(result.model_id) : ''

let program: Program
let trained: Operation
let model = ''
beforeAll(async () => {
  program = await startProgram()
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', sample)).operation_id)
  const training = await program.submit('training', { strategy_yaml: tiny, leakage_check: false })
  trained = await program.end(training.operation_id)
  expect(trained.problem).toBeNull()
  model = modelOf(trained)
})
afterAll(stopPrograms)

const run = async (params: object): Promise<Operation> => {
  const ended = await program.end((await program.submit('backtesting', params)).operation_id)
  expect(ended.problem).toBeNull()
  return ended
}
const files = async ({ operation_id: id }: Operation) => {
  const path = `/api/v1/operations/${id}/artifacts`
  const { body } = await program.get<{ items: { name: string; sha256: string }[] }>(path)
  return body.items.map(({ name, sha256 }) => `${name} ${sha256}`).sort()
}
const refused = async (type: string, params: object) => {
  const { status, body } = await program.request<Problem>('POST', '/api/v1/operations', {
    body: { type, params },
  })
  return [status, body.code, ...(body.errors ?? []).map(({ pointer }) => pointer)]
}

test('what a training has made trades, twice the same to the byte, and says what it has seen', async () => {
  const [first, second] = [await run({ model }), await run({ model })]
  expect(JSON.stringify(second.result)).toBe(JSON.stringify(first.result))
  expect(await files(second)).toEqual(await files(first))
  expect(first.result).toMatchObject({
    strategy_name: 'fuzzy_and_raw',
    symbols: ['AAPL'],
    model: { model_id: model },
  })
  expect(first.params).toMatchObject({ model, timeframe: '1d', sizing: { mode: 'all_in' } })
  expect(first.provenance).toMatchObject({
    strategy_sha256: trained.provenance.strategy_sha256,
    dataset_sha256: trained.provenance.dataset_sha256,
  })
  expect(first.warnings.filter(warning => /was (trained|chosen)/.test(warning))).toHaveLength(2)
})

test('its answers are those that predict gives, and after validation nothing warns of training', async () => {
  const known = await program.get<{
    content: { ranges: Record<string, { from: string; to: string | null }> }
  }>(`/api/v1/models/${model}`)
  const seenUntil = Date.parse(String(known.body.content.ranges.validation?.to))
  const start = new Date(seenUntil + 86_400_000).toISOString().slice(0, 10)
  const { operation_id: id, warnings, result } = await run({ model, start })
  expect(warnings.filter(warning => /was (trained|chosen)/.test(warning))).toEqual([])
  type Columns = { columns: Record<string, (number | string | null)[]> }
  const signals = await program.get<Columns>(`/api/v1/operations/${id}/artifacts/signals`)
  const predicted = await program.request<Columns>('POST', `/api/v1/models/${model}/predict`, {
    body: { symbol: 'AAPL', start },
  })
  expect(predicted.status).toBe(200)
  for (const name of ['time', 'probability_buy', 'probability_hold', 'probability_sell'])
    expect(signals.body.columns[name]).toEqual(predicted.body.columns[name])
  expect(signals.body.columns.exit_short).toEqual(
    predicted.body.columns.decision?.map(said => said === 'buy'),
  )
  expect(signals.body.columns.exit_long).toEqual(
    predicted.body.columns.decision?.map(said => said === 'sell'),
  )
  expect(result).toMatchObject({ bars: signals.body.columns.time?.length })
})

test('an ensemble of two trainings routes by the regime', async () => {
  const ofRegimes = `${tiny.slice(0, tiny.indexOf('decisions:'))}
decisions: { output_format: classification }
training: { epochs: 2, labels: { source: regime } }
`
  const training = await program.submit('training', { strategy_yaml: ofRegimes, leakage_check: false })
  const gated = await program.end(training.operation_id)
  expect(gated.problem).toBeNull()
  const gate = modelOf(gated)
  const rules = { trending_up: { model: 'any' }, ranging: { model: 'any' }, volatile: { action: 'flat' } }
  const composition = { gate_model: 'gate', regime_threshold: 0.3, rules }
  const ensemble = { name: 'routed', models: { gate: { model: gate }, any: { model } }, composition }
  const ended = await run({ ensemble })
  expect(ended.result).toMatchObject({ strategy_name: 'routed', bars: 1260 })
  expect(ended.params).toMatchObject({ ensemble: { composition: { stability_bars: 3 } } })
  expect(await refused('backtesting', { model: gate })).toEqual([422, 'params-invalid', '/body/params/model'])
  expect(await refused('walk_forward', { backtest: { ensemble } })).toEqual([
    400,
    'invalid-request',
    '/body/params/space',
  ])
})

test('a model is not deleted while a backtest of it waits or runs', async () => {
  const held = await startProgram({ KTRDR_THREADS: '1' })
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await held.end((await held.submit('data_download', sample)).operation_id)
  const training = await held.submit('training', { strategy_yaml: tiny, leakage_check: false })
  const model_id = modelOf(await held.end(training.operation_id))
  const path = `/api/v1/models/${model_id}`
  const busy = await held.submit('exercise', { steps: 1_000_000, step_ms: 5 })
  const waiting = await held.submit('backtesting', { model: model_id })
  const kept = await held.request<Problem>('DELETE', path)
  expect([kept.status, kept.body.code]).toEqual([409, 'model-in-use'])
  await held.cancel(waiting.operation_id)
  await held.cancel(busy.operation_id)
  await held.end(busy.operation_id)
  expect((await held.request('DELETE', path)).status).toBe(204)
})

test('what cannot be run is refused, field by field', async () => {
  const space = [{ path: 'decisions.confidence_threshold', values: [0.4, 0.5] }]
  const pointer = '/body/params/backtest/model'
  expect(await refused('sweep', { backtest: { model }, space })).toEqual([422, 'params-invalid', pointer])
  expect(await refused('monte_carlo', { backtest: { model } })).toEqual([422, 'params-invalid', pointer])
  expect(await refused('backtesting', { model, timeframe: '1w' })).toEqual([
    422,
    'params-invalid',
    '/body/params/timeframe',
  ])
  expect(await refused('backtesting', { model: `mdl_${'0'.repeat(26)}` })).toEqual([404, 'model-not-found'])
  expect(await refused('backtesting', { model: 'mdl_1' })).toEqual([
    400,
    'invalid-request',
    '/body/params/model',
  ])
  expect(await refused('backtesting', { strategy: 'fuzzy_and_raw' })).toEqual([
    422,
    'strategy-invalid',
    '/body/params/model',
  ])
})
