import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Explanation = {
  base_timeframe: string
  symbol: string
  first_row_time: string | null
  features: {
    id: string
    lookback: number
    stable_after: number | null
    first_usable_time: string | null
    indicator: string
    fitted: string
  }[]
  missing: string[]
}

const yaml = `name: explained
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: multi_timeframe, list: [1d, 1w], base_timeframe: 1d }
indicators:
  rsi_14: { type: rsi, period: 14 }
  smooth: { type: ema, period: 5, source: rsi_14 }
fuzzy_sets:
  zone: { indicator: smooth, low: { type: left_shoulder, parameters: [30, 60] }, high: { type: right_shoulder, parameters: [40, 70] } }
nn_inputs:
  - { fuzzy_set: zone, timeframes: all }
  - { raw_indicator: rsi_14, timeframes: [1d] }
model: { type: mlp, architecture: { hidden_layers: [4] } }
decisions: { output_format: classification }
training:
  labels: { source: zigzag }
`

let program: Program
beforeAll(async () => {
  program = await startProgram()
  const headers = { 'content-type': 'application/yaml' }
  await program.request('PUT', '/api/v1/strategies/explained', { raw: yaml, headers })
})
afterAll(stopPrograms)

const explain = async (query = '') =>
  (await program.get<Explanation>(`/api/v1/strategies/explained/features${query}`)).body

test('features stand in canonical order with the bars they need; without bars nothing is said of times', async () => {
  const body = await explain()
  expect(body.features.map(({ id, indicator, lookback }) => [id, indicator, lookback])).toEqual([
    ['1d_zone_low', 'smooth', 18],
    ['1d_zone_high', 'smooth', 18],
    ['1w_zone_low', 'smooth', 18],
    ['1w_zone_high', 'smooth', 18],
    ['1d_rsi_14_raw', 'rsi_14', 14],
  ])
  expect(body).toMatchObject({
    base_timeframe: '1d',
    symbol: 'AAPL',
    first_row_time: null,
    missing: ['1d', '1w'],
  })
  expect(body.features.every(({ first_usable_time }) => first_usable_time === null)).toBe(true)
})

test('where bars are stored, the first bar that is foretold is the first row that is built', async () => {
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', sample)).operation_id)
  const half = await explain()
  expect([half.missing, half.first_row_time]).toEqual([['1w'], null])
  expect(half.features[4]?.first_usable_time).toBe('2013-06-03T00:00:00.000Z')
  const weeks = { symbol: 'AAPL', from: '1d', timeframes: ['1w'] }
  await program.end((await program.submit('data_resample', weeks)).operation_id)
  const whole = await explain()
  const built = await program.end(
    (await program.submit('feature_build', { strategy: 'explained' })).operation_id,
  )
  expect(built.result).toMatchObject({ symbols: [{ first_time: whole.first_row_time }] })
  expect(whole.first_row_time).toBe(whole.features[2]?.first_usable_time)
  // Nineteen weeks end on the Friday whose bar is the first to know them all.
  expect(new Date(whole.first_row_time ?? '').getUTCDay()).toBe(5)
  expect((await explain('?symbol=MSFT')).missing).toEqual(['1d', '1w'])
})

test('a strategy that decides by rules has no features; one that is not there or has faults is refused', async () => {
  const rules = await program.get<Explanation>('/api/v1/strategies/sma_cross/features')
  expect(rules.body).toMatchObject({ features: [], first_row_time: null })
  const absent = await program.get<Problem>('/api/v1/strategies/nothing/features')
  expect([absent.status, absent.body.code]).toEqual([404, 'strategy-not-found'])
})

test('what training fits is told from what is written', async () => {
  const fitted = yaml
    .replace('name: explained', 'name: fitted')
    .replace(/low: \{.*parameters: \[40, 70\] \}/, 'type: quantile, terms: [low, high]')
    .replace(
      'nn_inputs:',
      'nn_inputs:\n  - { raw_indicator: smooth, timeframes: [1d], normalization: robust }',
    )
  const headers = { 'content-type': 'application/yaml' }
  await program.request('PUT', '/api/v1/strategies/fitted', { raw: fitted, headers })
  const features = async (name: string) =>
    (await program.get<Explanation>(`/api/v1/strategies/${name}/features`)).body.features
  expect((await features('fitted')).map(({ id, fitted }) => [id, fitted])).toEqual([
    ['1d_smooth_raw', 'robust'],
    ['1d_zone_low', 'quantile'],
    ['1d_zone_high', 'quantile'],
    ['1w_zone_low', 'quantile'],
    ['1w_zone_high', 'quantile'],
    ['1d_rsi_14_raw', 'none'],
  ])
  expect((await features('explained')).every(({ fitted }) => fitted === 'none')).toBe(true)
})
