import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import type { components } from '../../src/openapi.gen.ts'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Api = components['schemas']

let program: Program
beforeAll(async () => {
  program = await startProgram()
  const { operation_id } = await program.submit('data_download', {
    vendor: 'sample',
    symbols: ['AAPL'],
    timeframes: ['1d'],
  })
  await program.end(operation_id)
})
afterAll(stopPrograms)

const put = (path: string, csv: string) =>
  program.request<Api['DatasetImport'] & Problem>('PUT', `/api/v1/datasets/${path}`, {
    raw: csv,
    headers: { 'content-type': 'text/csv' },
  })
/** Weekdays of January 2024 that New York trades on, a year of them before, without the given dates. */
const days = (...missing: string[]) => {
  const rows = ['date,open,high,low,close,volume']
  for (let ms = Date.UTC(2023, 0, 3); ms < Date.UTC(2024, 0, 12); ms += 86_400_000) {
    const date = new Date(ms).toISOString().slice(0, 10)
    if (![0, 6].includes(new Date(ms).getUTCDay()) && !missing.includes(date))
      rows.push(`${date},100,102,99,101,1000`)
  }
  return rows.join('\n')
}
const holidays2023 = [
  ...['2023-01-16', '2023-02-20', '2023-04-07', '2023-05-29', '2023-06-19', '2023-07-04'],
  ...['2023-09-04', '2023-11-23', '2023-12-25', '2024-01-01'],
]

test('the catalogue shows where bars come from and can be asked for one dataset', async () => {
  const { body } = await program.get<Api['DatasetList']>('/api/v1/datasets?symbol=AAPL&timeframe=1d')
  expect(body.items).toMatchObject([
    { symbol: 'AAPL', source: 'sample', calendar: 'XNYS', adjustment: 'none', splits: 0, segments: 1 },
  ])
  expect((await program.get<Api['DatasetList']>('/api/v1/datasets?symbol=NONE')).body.items).toEqual([])
})

test('max_points joins neighbours and keeps the outline', async () => {
  const { body } = await program.get<Api['ColumnarTable']>('/api/v1/datasets/AAPL/1d?max_points=10')
  const whole = (await program.get<Api['ColumnarTable']>('/api/v1/datasets/AAPL/1d')).body
  const numbers = (table: Api['ColumnarTable'], name: string) => table.columns[name] as number[]
  expect(body.rows).toBe(10)
  expect(Math.max(...numbers(body, 'high'))).toBe(Math.max(...numbers(whole, 'high')))
  expect(Math.min(...numbers(body, 'low'))).toBe(Math.min(...numbers(whole, 'low')))
  expect(numbers(body, 'open')[0]).toBe(numbers(whole, 'open')[0])
  expect(numbers(body, 'close').at(-1)).toBe(numbers(whole, 'close').at(-1))
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  expect(sum(numbers(body, 'volume'))).toBe(sum(numbers(whole, 'volume')))
})

test('an adjustment is another identity of the same dataset', async () => {
  const tags = await Promise.all(
    ['', '?adjustment=none', '?adjustment=split', '?adjustment=total'].map(
      async query => (await program.get(`/api/v1/datasets/AAPL/1d${query}`)).headers.get('etag') ?? '',
    ),
  )
  expect(tags[0]).toBe(tags[1])
  expect(new Set(tags).size).toBe(3)
  const again = await program.get('/api/v1/datasets/AAPL/1d?adjustment=split', {
    'if-none-match': tags[2] ?? '',
  })
  expect(again.status).toBe(304)
})

test('an imported file that lacks a session is recognised by its calendar and shows the gap, and closures when asked', async () => {
  const imported = await put('GAPPY/1d', days(...holidays2023, '2024-01-04', '2024-01-05', '2024-01-08'))
  expect(imported).toMatchObject({ status: 201, body: { calendar: 'XNYS', source: 'import', warnings: [] } })
  const path = '/api/v1/datasets/GAPPY/1d/gaps?start=2024-01-01'
  const { body } = await program.get<Api['GapReport']>(path)
  expect(body.coverage).toEqual({
    expected_bars: 8,
    present_bars: 5,
    missing_bars: 3,
    unscheduled_bars: 0,
    fraction: 5 / 8,
  })
  expect(body.gaps).toEqual([
    {
      start: '2024-01-04T00:00:00.000Z',
      end: '2024-01-08T21:00:00.000Z',
      class: 'unexpected',
      missing_bars: 3,
      note: 'never asked for, or missing in an import',
    },
  ])
  const all = (await program.get<Api['GapReport']>(`${path}&include_expected=true`)).body
  expect(all.gaps.map(gap => gap.class)).toEqual(expect.arrayContaining(['weekend', 'holiday', 'unexpected']))
  expect(all.gaps.find(gap => gap.class === 'holiday')?.note).toContain("New Year's Day")
})

test('a report names what looks wrong and changes nothing', async () => {
  const rows = days(...holidays2023).replace(
    '2024-01-04,100,102,99,101,1000',
    '2024-01-04,100,900,99,101,1000',
  )
  await put('ODD/1d', rows.replace('2024-01-09,100,102,99,101,1000', '2024-01-09,303,305,302,303,0'))
  const before = (await program.get('/api/v1/datasets/ODD/1d')).text
  const { body } = await program.get<Api['QualityReport']>('/api/v1/datasets/ODD/1d/quality?limit=5')
  expect(body.healthy).toBe(false)
  const found = Object.fromEntries(body.checks.map(({ check, count }) => [check, count]))
  expect(found).toMatchObject({ ohlc_order: 0, zero_volume: 1 })
  expect(found.possible_unadjusted_split).toBeGreaterThan(0)
  const jump = body.checks.find(({ check }) => check === 'possible_unadjusted_split')
  expect(jump?.examples[0]?.time).toBe('2024-01-09T00:00:00.000Z')
  expect((await program.get('/api/v1/datasets/ODD/1d')).text).toBe(before)
})

test('resampled weeks are made of sessions, name their source, and follow a longer day', async () => {
  const resample = async () => {
    const params = { symbol: 'AAPL', from: '1d', timeframes: ['1w', '1M'] }
    return program.end((await program.submit('data_resample', params)).operation_id)
  }
  expect(await resample()).toMatchObject({ status: 'completed' })
  const { body } = await program.get<Api['DatasetList']>('/api/v1/datasets?symbol=AAPL&timeframe=1w')
  const source = (await program.get<Api['DatasetList']>('/api/v1/datasets?symbol=AAPL&timeframe=1d')).body
    .items[0]
  expect(body.items[0]).toMatchObject({
    source: 'resample',
    resampled_from: { timeframe: '1d', sha256: source?.sha256 },
  })
  const { text } = await program.get('/api/v1/datasets/AAPL/1w?start=2014-04-14&end=2014-04-21', {
    accept: 'text/csv',
  })
  // Good Friday 2014 was 18 April: the week closed on Thursday.
  expect(text.split('\r\n')[1]).toMatch(/^2014-04-14T00:00:00.000Z,2014-04-17T20:00:00.000Z,/)
  expect(await resample()).toMatchObject({ status: 'completed' })
})

test('exported Parquet is read by another program', async () => {
  const response = await fetch(`${program.url}/api/v1/datasets/AAPL/1d`, {
    headers: { accept: 'application/vnd.apache.parquet' },
  })
  const file = join(program.home, 'out.parquet')
  writeFileSync(file, new Uint8Array(await response.arrayBuffer()))
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) })
  expect(rows.length).toBe(1260)
  expect(rows[0]).toMatchObject({ time: new Date('2013-05-13T00:00:00Z'), close: 64.96286 })
})

test('a dataset in use is not deleted; afterwards it is gone at once and for good', async () => {
  await put('GONE/1d', days(...holidays2023))
  // Its vendor is not there: the download waits between its tries.
  const slow = await startProgram({ KTRDR_CCXT_URL: 'http://127.0.0.1:9', KTRDR_CCXT_INTERVAL_MS: '60000' })
  await slow.request('PUT', '/api/v1/datasets/BTC-USDT/1d', {
    raw: days(),
    headers: { 'content-type': 'text/csv' },
  })
  const user = await slow.submit('data_download', {
    vendor: 'ccxt',
    symbols: ['BTC-USDT'],
    timeframes: ['1d'],
  })
  const refused = await slow.request<Problem>('DELETE', '/api/v1/datasets/BTC-USDT/1d')
  expect(refused).toMatchObject({ status: 409, body: { code: 'dataset-in-use' } })
  expect(refused.body.detail).toContain(user.operation_id)
  const replaced = await slow.request<Problem>('PUT', '/api/v1/datasets/BTC-USDT/1d', {
    raw: days(),
    headers: { 'content-type': 'text/csv' },
  })
  expect(replaced).toMatchObject({ status: 409, body: { code: 'dataset-in-use' } })
  await slow.cancel(user.operation_id)
  await slow.end(user.operation_id)
  expect((await slow.request('DELETE', '/api/v1/datasets/BTC-USDT/1d')).status).toBe(204)

  expect((await program.request('DELETE', '/api/v1/datasets/GONE/1d')).status).toBe(204)
  for (const [method, path] of [
    ['GET', 'GONE/1d'],
    ['DELETE', 'GONE/1d'],
    ['GET', 'GONE/1d/gaps'],
    ['GET', 'GONE/1d/quality'],
  ] as const)
    expect(await program.request<Problem>(method, `/api/v1/datasets/${path}`)).toMatchObject({
      status: 404,
      body: { code: 'dataset-not-found' },
    })
})

test('an index with a caret is a symbol as any other', async () => {
  expect((await put('%5EGSPC/1d', days())).status).toBe(201)
  expect((await program.get('/api/v1/datasets/%5EGSPC/1d/gaps')).status).toBe(200)
  expect((await program.request('DELETE', '/api/v1/datasets/%5EGSPC/1d')).status).toBe(204)
})

test('calendars answer with sessions, half days and the names of holidays', async () => {
  const { body } = await program.get<Api['SessionList']>(
    '/api/v1/calendars/XNYS/sessions?start=2012-01-01&end=2013-01-01',
  )
  expect(body.sessions).toBe(250)
  const on = (date: string) => body.items.find(item => item.date === date)
  expect(on('2012-10-29')?.closed).toContain('Sandy')
  expect(on('2012-11-23')).toMatchObject({ half_day: true, close_time: '2012-11-23T18:00:00.000Z' })
})

test('vendors say what they can do, and list their symbols where they can', async () => {
  const vendors = (await program.get<Api['VendorList']>('/api/v1/vendors')).body.items
  expect(vendors.map(({ vendor }) => vendor)).toEqual(['sample', 'ccxt', 'yahoo', 'stooq', 'csv'])
  const symbols = await program.get<Api['VendorSymbolList']>('/api/v1/vendors/sample/symbols?q=app')
  expect(symbols.body).toMatchObject({ total: 1, items: [{ symbol: 'AAPL' }] })
})

test.each([
  ['GET', '/datasets/AAPL/1d?max_points=1', 400, /max_points/],
  ['GET', '/datasets/AAPL/1d?adjustment=half', 400, /adjustment/],
  ['GET', '/datasets/AAPL/1d/gaps?start=2015-02-30', 422, /no such moment/],
  ['GET', '/datasets/AAPL/1d/gaps?start=2016-01-01&end=2015-01-01', 422, /before end/],
  ['GET', '/datasets/AAPL/1d/gaps?start=0001-01-01', 422, /200 years/],
  ['GET', '/datasets/AAPL/1d/gaps?end=2010-01-01', 422, /first bar opens at 2013/],
  ['GET', '/vendors/ccxt/symbols?exchange=binanze', 422, /query\/exchange.*binance|binance.*query\/exchange/],
  ['GET', '/calendars/NOPE/sessions?start=2015-01-01&end=2015-01-02', 404, /NOPE/],
  ['GET', '/calendars/XNYS/sessions?start=2000-01-01&end=2015-01-02', 422, /ten years/],
  ['GET', '/calendars/XNYS/sessions', 400, /start/],
  ['GET', '/vendors/nobody/symbols', 400, /vendor/],
  ['GET', '/vendors/stooq/symbols', 422, /cannot list/],
  ['GET', '/vendors/sample/symbols?exchange=kraken', 422, /no exchanges/],
  ['DELETE', '/datasets/..%2F..%2Fetc/1d', 400, /symbol/],
])('%s %s is refused with a reason', async (method, path, status, reason) => {
  const answer = await program.request<Problem>(method, `/api/v1${path}`)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  expect(`${answer.body.detail} ${JSON.stringify(answer.body.errors)}`).toMatch(reason)
})
