import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkBars } from '../../src/market/bars.ts'
import { Problem } from '../../src/problems.ts'
import type { BarsPage } from '../../src/vendors/vendor.ts'
import { yahooVendor } from '../../src/vendors/yahoo.ts'
import { answer, fault, startVendorServer, type VendorServer } from './vendor-server.ts'
import {
  chartError,
  chartOf,
  fetchYahoo,
  linesOf,
  playYahoo,
  row,
  timesOf,
  truthOf,
  type WireRow,
} from './yahoo-wire.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

const path = '/v8/finance/chart/AAPL'
const rows = ['01', '02', '03'].map((day, i) => row(`2025-12-${day}T14:30Z`, 100 + i))
const truth = [
  '2025-12-01T00:00 100 102 99 101 1000',
  '2025-12-02T00:00 101 103 100 102 1000',
  '2025-12-03T00:00 102 104 101 103 1000',
]
const whole = truthOf(rows)

test('bad answers on the way do not change the bars', async () => {
  server.on(
    path,
    fault.tooMany(0),
    fault.status(500),
    answer(whole),
    fault.truncated(whole),
    fault.status(503),
    fault.reset(),
    answer(whole),
  )
  expect(linesOf(await fetchYahoo(server))).toEqual(truth)
  expect(server.requests.length).toBe(7)
})

test('rows in any order, twice, or without prices make the same bars', async () => {
  const [first, second, third] = rows as [WireRow, WireRow, WireRow]
  const sparse: WireRow = ['2025-12-04T14:30Z', null, null, null, null, null]
  const old: WireRow = ['2025-12-02T14:30Z', 50, 50, 50, 50, 50]
  server.on(path, answer(chartOf([third, old, first, second, sparse, third])))
  const pages = await fetchYahoo(server)
  expect(linesOf(pages)).toEqual(truth)
  expect(pages[0]?.remarks).toBeUndefined()
})

test('a bar that could not have happened is left out and told', async () => {
  const wrong: WireRow = ['2025-12-04T14:30Z', 100, 90, 99, 100, 5]
  playYahoo(server, 'AAPL', { rows: [...rows, wrong] })
  const pages = await fetchYahoo(server)
  expect(linesOf(pages)).toEqual(truth)
  expect(pages[0]?.remarks).toEqual([
    '1 of 4 rows could not have happened and were left out, such as 2025-12-04T00:00:00.000Z: high 90 is below low 99',
  ])
})

describe('an unknown symbol is missing, in the words of Yahoo', () => {
  const error = chartError('Not Found', 'No data found, symbol may be delisted')
  for (const status of [404, 200]) {
    test(`with HTTP ${status}`, async () => {
      server.on('/v8/finance/chart/NOSUCH', answer(error, status))
      await expect(fetchYahoo(server, { symbol: 'NOSUCH' })).rejects.toMatchObject({
        code: 'bars-missing',
        message: 'yahoo has no symbol NOSUCH: No data found, symbol may be delisted',
      })
      expect(server.requests.length).toBe(1)
    })
  }
})

test('a range Yahoo has no data for is empty, and other refusals are told', async () => {
  const none = chartError('Bad Request', "Data doesn't exist for startDate = 1, endDate = 2")
  server.on(path, answer(none, 400))
  expect(timesOf(await fetchYahoo(server))).toEqual([])
  server.on(path, answer(chartError('Unprocessable Entity', 'not for you'), 422))
  await expect(fetchYahoo(server)).rejects.toMatchObject({
    code: 'vendor-unavailable',
    message: 'yahoo refused AAPL: Unprocessable Entity: not for you',
  })
  server.on(path, answer('<html>Sign in</html>', 401))
  await expect(fetchYahoo(server)).rejects.toMatchObject({
    code: 'vendor-unavailable',
    message: expect.stringContaining('HTTP 401'),
  })
})

test('what is no chart is tried again, and then Yahoo is unavailable', async () => {
  const lame = chartOf(rows)
  lame.chart.result[0]?.indicators.quote[0] &&
    Object.assign(lame.chart.result[0].indicators.quote[0], { open: [1] })
  for (const body of [
    '<html>Will be right back</html>',
    {},
    [],
    'null',
    { chart: { result: [], error: null } },
    lame,
  ]) {
    const before = server.requests.length
    server.on(path, answer(body))
    await expect(fetchYahoo(server)).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining('an answer that cannot be read'),
    })
    expect(server.requests.length).toBe(before + 4)
  }
})

test('a cell that is no number is named by row and column', async () => {
  const body = JSON.stringify(chartOf(rows)).replace('[100,101,102]', '[100,"n/a",102]')
  server.on(path, answer(body))
  await expect(fetchYahoo(server)).rejects.toMatchObject({
    code: 'bars-invalid',
    message: 'yahoo sent AAPL, row 1, open: "n/a" is not a number',
  })
})

test('whatever stands in the JSON, the bars are valid or the problem is clear', async () => {
  const split = { date: 1764772200, numerator: 4, denominator: 1, splitRatio: '4:1' }
  const events = { splits: { 1764772200: split }, dividends: { 1: { amount: 0.2, date: 1764599400 } } }
  const good = chartOf(rows, { events })
  const places: (string | number)[][] = []
  const walk = (value: unknown, place: (string | number)[]) => {
    places.push(place)
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) walk(inner, [...place, key])
  }
  walk(good, [])
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.constantFrom(1e300, -1, 0, 1e12, ''))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places.slice(1)), odd, async (place, value) => {
      const changed = structuredClone(good)
      let inside = changed as Record<string, unknown>
      for (const key of place.slice(0, -1)) inside = inside[key] as Record<string, unknown>
      inside[place.at(-1) as string] = value
      server.on(path, answer(changed))
      const ended = await fetchYahoo(server).catch((error: unknown) => error)
      if (Array.isArray(ended)) for (const { bars } of ended as BarsPage[]) checkBars(bars)
      else {
        expect(ended).toBeInstanceOf(Problem)
        expect((ended as Problem).code).toMatch(/^(bars-invalid|bars-missing|vendor-unavailable)$/)
      }
    }),
    { numRuns: 200 },
  )
})

test('a symbol cannot leave the path, and ^ and = are encoded', async () => {
  await expect(fetchYahoo(server, { symbol: '..' })).rejects.toMatchObject({ code: 'bars-missing' })
  await expect(fetchYahoo(server, { symbol: 'A/../../x?y' })).rejects.toMatchObject({
    code: 'vendor-unavailable',
  })
  playYahoo(server, '^GSPC', { rows })
  playYahoo(server, 'ES=F', { rows })
  await fetchYahoo(server, { symbol: '^GSPC' })
  await fetchYahoo(server, { symbol: 'ES=F' })
  expect(server.requests.map(({ rawUrl }) => rawUrl.split('?')[0])).toEqual([
    '/v8/finance/chart/A%2F..%2F..%2Fx%3Fy',
    '/v8/finance/chart/%5EGSPC',
    '/v8/finance/chart/ES%3DF',
  ])
})

test('symbols trade by the calendar of their market', () => {
  const calendarsOf = (symbols: string[]) => symbols.map(symbol => yahooVendor.calendarOf(symbol))
  expect(calendarsOf(['AAPL', '^GSPC', 'BRK-B', 'BAC-PL'])).toEqual(['XNYS', 'XNYS', 'XNYS', 'XNYS'])
  expect(calendarsOf(['EURUSD=X', 'ES=F', 'VOD.L', 'SAP.DE'])).toEqual(['24-5', '24-5', '24-5', '24-5'])
  expect(calendarsOf(['BTC-USD', 'ETH-BTC'])).toEqual(['24-7', '24-7'])
})
