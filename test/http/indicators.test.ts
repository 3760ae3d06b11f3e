import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { columnOf } from '../../src/indicators/indicator.ts'
import { findIndicator, indicatorTypes } from '../../src/indicators/registry.ts'
import { type Bars, formatTime } from '../../src/market/bars.ts'
import { indicatorOf } from '../fixtures/recipes.ts'
import { walkOf } from '../fixtures/walks.ts'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Info = { type: string; repaints: boolean; lookback: number | null; outputs: { name: string }[] }
type Table = {
  rows: number
  units: Record<string, string>
  columns: Record<string, (number | string | null)[]>
}

let program: Program
beforeAll(async () => {
  program = await startProgram()
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', sample)).operation_id)
})
afterAll(stopPrograms)

function calculate<T = Table>(body: object, headers: Record<string, string> = {}) {
  return program.request<T>('POST', '/api/v1/indicators/calculate', { body, headers })
}
const stored = { symbol: 'AAPL', timeframe: '1d' }

function posted(bars: Bars) {
  const { time, open, high, low, close, volume } = bars
  const plain = { open: [...open], high: [...high], low: [...low], close: [...close], volume: [...volume] }
  return { time: Array.from(time, formatTime), ...plain }
}

test('all indicators are listed with what they need, label tools as such, and each can be read alone', async () => {
  const { items } = (await program.get<{ items: Info[] }>('/api/v1/indicators')).body
  expect(items.filter(({ repaints }) => !repaints).map(({ type }) => type)).toEqual(indicatorTypes)
  expect(items.filter(({ repaints }) => repaints)).toMatchObject([{ type: 'zigzag', lookback: null }])
  for (const info of items) expect((await program.get(`/api/v1/indicators/${info.type}`)).body).toEqual(info)
  expect((await program.get('/api/v1/indicators/macd')).body).toMatchObject({
    params: { fast_period: { type: 'integer', default: 12, min: 1 } },
    outputs: [
      { name: 'line', unit: 'source', lookback: 25 },
      { name: 'signal', lookback: 33 },
      { name: 'histogram', lookback: 33 },
    ],
    pane: 'separate',
    lookback: 25,
    warm_up: 'bars',
  })
  const misspelt = await program.get<Problem>('/api/v1/indicators/mcad')
  expect([misspelt.status, misspelt.body.detail]).toEqual([
    404,
    "there is no indicator mcad: did you mean 'macd'?",
  ])
  const shouted = await program.get<Problem>('/api/v1/indicators/RSI')
  expect([shouted.status, shouted.body.detail]).toEqual([
    404,
    "there is no indicator RSI: did you mean 'rsi'?",
  ])
})

test('posted bars give what the indicators give, NaN as null, outputs and sources by name', async () => {
  const bars = walkOf(3, 60)
  const indicators = {
    rsi_5: { type: 'rsi', period: 5 },
    smooth: { type: 'ema', period: 3, source: 'rsi_5' },
    trend: { type: 'macd', fast_period: 3, slow_period: 6 },
  }
  const { body } = await calculate({ bars: posted(bars), indicators })
  const rsi = columnOf(findIndicator('rsi')!.compute(bars, indicatorOf('rsi', { period: 5 })), 'value')
  const ema = indicatorOf('ema', { period: 3 })
  const smooth = columnOf(findIndicator('ema')!.compute({ ...bars, source: rsi }, ema), 'value')
  const nulls = (values: Float64Array) => Array.from(values, value => (Number.isNaN(value) ? null : value))
  expect(Object.keys(body.columns)).toEqual([
    ...['time', 'rsi_5', 'smooth'],
    ...['trend.line', 'trend.signal', 'trend.histogram'],
  ])
  expect(body.columns.rsi_5).toEqual(nulls(rsi))
  expect(body.columns.smooth).toEqual(nulls(smooth))
  expect(body.units).toMatchObject({ rsi_5: 'percent', 'trend.line': 'source' })
})

test('stored bars before the range are read too: every row has its value, to a millionth', async () => {
  const indicators = { fast: { type: 'sma', period: 50 }, last: { type: 'rsi' } }
  const whole = (await calculate({ ...stored, indicators })).body
  const part = (await calculate({ ...stored, indicators, start: '2016-01-01', end: '2016-02-01' })).body
  const from = whole.columns.time!.indexOf('2016-01-04T00:00:00.000Z')
  expect(part.rows).toBe(19)
  for (const name of ['time', 'close_time'])
    expect(part.columns[name]).toEqual(whole.columns[name]!.slice(from, from + 19))
  for (const name of ['fast', 'last']) {
    part.columns[name]!.forEach((value, row) => {
      const expected = Number(whole.columns[name]![from + row])
      expect(Math.abs(Number(value) - expected)).toBeLessThan(1e-6 * expected)
    })
  }
  expect(whole.columns.fast!.filter(value => value === null)).toHaveLength(49)
})

test('what never forgets is calculated from the first stored bar on', async () => {
  const indicators = { money: { type: 'obv' } }
  const whole = (await calculate({ ...stored, indicators })).body
  const part = (await calculate({ ...stored, indicators, start: '2018-05-01' })).body
  expect(part.columns.money).toEqual(whole.columns.money!.slice(-part.rows))
  expect(part.rows).toBe(9)
})

test('the answer comes in the format that is asked for', async () => {
  const body = { ...stored, indicators: { x: { type: 'sma', period: 2 } }, end: '2013-05-16' }
  const csv = await calculate<string>(body, { accept: 'text/csv' })
  expect(csv.body.split('\r\n').slice(0, 2)).toEqual([
    'time,close_time,x',
    '2013-05-13T00:00:00.000Z,2013-05-13T20:00:00.000Z,',
  ])
  const parquet = await calculate<string>(body, { accept: 'application/vnd.apache.parquet' })
  expect([parquet.status, parquet.text.slice(0, 4)]).toEqual([200, 'PAR1'])
  expect((await calculate(body, { accept: 'image/png' })).status).toBe(406)
})

describe('refused are', () => {
  const refuse = async (body: object) => (await calculate<Problem>(body)).body
  const sma = { x: { type: 'sma' } }

  test('indicators with faults, all at once, with pointers into the body', async () => {
    const indicators = {
      a: { type: 'smaa' },
      b: { type: 'rsi', perod: 3 },
      c: { type: 'ema', source: 'd' },
      z: { type: 'zigzag' },
    }
    const problem = await refuse({ ...stored, indicators })
    expect(problem.code).toBe('params-invalid')
    expect(problem.errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/body/indicators/a/type unknown_indicator',
      '/body/indicators/b/perod unknown_parameter',
      '/body/indicators/c/source enum',
      '/body/indicators/z/type repaints',
    ])
  })

  test('sources that lead in a circle', async () => {
    const indicators = { a: { type: 'sma', source: 'b' }, b: { type: 'sma', source: 'a' } }
    expect((await refuse({ ...stored, indicators })).errors).toMatchObject([{ code: 'circular' }])
  })

  test('neither bars nor a symbol, and both', async () => {
    expect((await refuse({ indicators: sma })).errors).toMatchObject([
      { pointer: '/body/symbol', message: 'give symbol and timeframe, or bars' },
    ])
    expect((await refuse({ symbol: 'AAPL', indicators: sma })).errors[0]?.pointer).toBe('/body/timeframe')
    const bars = posted(walkOf(1, 3))
    expect((await refuse({ ...stored, bars, indicators: sma })).errors[0]?.code).toBe('not_allowed')
    expect((await refuse({ symbol: 'NONE', timeframe: '1d', indicators: sma })).code).toBe(
      'dataset-not-found',
    )
  })

  test('posted bars that could not have happened or whose columns differ in length', async () => {
    const bars = posted(walkOf(1, 3))
    expect(await refuse({ bars: { ...bars, high: [1, 1, 1] }, indicators: sma })).toMatchObject({
      code: 'bars-invalid',
      errors: [0, 1, 2].map(row => ({ pointer: `/body/bars/high/${row}`, code: 'high_below_low' })),
    })
    const short = await refuse({ bars: { ...bars, low: [1] }, indicators: sma })
    expect(short.errors).toMatchObject([{ pointer: '/body/bars/low', code: 'length' }])
    const twice = { ...bars, time: [bars.time[0], bars.time[0], bars.time[1]] }
    expect(await refuse({ bars: twice, indicators: sma })).toMatchObject({
      code: 'bars-invalid',
      errors: [{ pointer: '/body/bars/time/1', code: 'duplicate' }],
    })
    const backwards = { ...bars, time: bars.time.toReversed() }
    expect((await refuse({ bars: backwards, indicators: sma })).errors).toMatchObject([
      { pointer: '/body/bars/time/1', code: 'not_increasing' },
      { pointer: '/body/bars/time/2', code: 'not_increasing' },
    ])
  })

  test('an adjustment of posted bars, and a timeframe they are not of', async () => {
    const days = posted(walkOf(1, 4))
    const of = (bars: object, change: object) => ({ bars, indicators: sma, ...change })
    expect((await refuse(of(days, { adjustment: 'split' }))).errors).toMatchObject([
      { pointer: '/body/adjustment', code: 'not_allowed' },
    ])
    const minutes = { ...days, time: [0, 1, 2, 5].map(minute => formatTime(minute * 60_000)) }
    expect((await refuse(of(minutes, { timeframe: '1d' }))).errors).toEqual([
      { pointer: '/body/timeframe', code: 'spacing', message: 'the bars are 1m apart, which is not 1d' },
    ])
    expect((await refuse(of(days, { timeframe: '1h' }))).detail).toBe(
      'the bars are 1d apart, which is not 1h',
    )
    for (const change of [{ timeframe: '1d', adjustment: 'none' }, {}])
      expect((await calculate(of(days, change))).status).toBe(200)
  })

  test.each([
    ['1d', ['2024-03-08T05:00:00Z', '2024-03-09T05:00:00Z', '2024-03-10T05:00:00Z', '2024-03-11T04:00:00Z']],
    ['1d', ['2024-03-10T05:00:00Z', '2024-03-11T04:00:00Z']],
    ['1d', ['2024-03-01', '2024-03-08']],
    ['1M', ['2023-01-31', '2023-02-28', '2023-03-31']],
    ['4h', ['2024-03-07T14:30:00Z', '2024-03-07T18:30:00Z', '2024-03-08T14:30:00Z']],
  ])(
    'but not %s bars with a change of clocks, a holiday or a night between them: %s',
    async (timeframe, time) => {
      const bars = { ...posted(walkOf(1, time.length)), time }
      expect((await calculate({ bars, timeframe, indicators: sma })).status).toBe(200)
    },
  )

  test('more posted bars than one answer holds, with the advice to import them', async () => {
    const flat = Array<number>(20_000).fill(10)
    const time = flat.map((_, i) => formatTime(i * 60_000))
    const bars = { time, open: flat, high: flat, low: flat, close: flat }
    const indicators = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`m${i}`, { type: 'macd' }]))
    const { hint } = await refuse({ bars, indicators })
    expect(hint).toMatch(/import the bars/)
    expect(hint).not.toMatch(/feature_build/)
  })

  test('a range backwards, and a moment that does not exist', async () => {
    const backwards = { ...stored, indicators: sma, start: '2016-02-01', end: '2016-01-01' }
    expect((await refuse(backwards)).errors[0]).toMatchObject({ pointer: '/body/start', code: 'range' })
    const never = { ...stored, indicators: sma, start: '2016-02-30' }
    expect((await refuse(never)).errors[0]?.pointer).toBe('/body/start')
  })

  test('more than one request can do, with the operation that can', async () => {
    const rows = ['date,open,high,low,close']
    for (let i = 0; i < 60_000; i++)
      rows.push(`${formatTime(1_700_000_000_000 - (1_700_000_000_000 % 60_000) + i * 60_000)},10,11,9,10`)
    const raw = rows.join('\n')
    const headers = { 'content-type': 'text/csv' }
    await program.request('PUT', '/api/v1/datasets/LONG/1m?calendar=24-7', { raw, headers })
    const long = { symbol: 'LONG', timeframe: '1m' }
    const problem = await refuse({ ...long, indicators: sma })
    expect([problem.code, problem.hint]).toEqual(['params-invalid', expect.stringContaining('feature_build')])
    const start = formatTime(1_700_000_000_000 + 59_000 * 60_000)
    expect((await calculate({ ...long, indicators: sma, start })).status).toBe(200)
    // On-balance volume never forgets: it would need all bars.
    expect((await calculate({ ...long, indicators: { x: { type: 'obv' } }, start })).status).toBe(422)
  })
})

test('however many parameters are wrong, the refusal is short', async () => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))
  const huge = await calculate<Problem>({ ...stored, indicators: { x: { type: 'sma', ...keys } } })
  expect([huge.status, huge.body.code]).toEqual([400, 'invalid-request'])
  const few = Object.fromEntries(Object.entries(keys).slice(0, 32))
  const indicators = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`x${i}`, { type: 'sma', ...few }]),
  )
  const many = await calculate<Problem>({ ...stored, indicators })
  expect([many.status, many.body.errors.length]).toEqual([422, 100])
  expect(many.body.hint).toBe('There are 640 errors, the first 100 are listed.')
  expect(Math.max(huge.text.length, many.text.length)).toBeLessThan(20_000)
})
