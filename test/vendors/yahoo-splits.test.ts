import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startVendorServer, type VendorServer } from './vendor-server.ts'
import { fetchYahoo, linesOf, playYahoo, row, seconds, type WireRow } from './yahoo-wire.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

// Apple split 7:1 (first traded so on 2014-06-09) and 4:1 (2020-08-31), and paid 3.29 on 2014-05-08, 0.47 on 2014-08-07
// and 0.82 on 2020-08-07 (investor.apple.com, dividend history). Yahoo states the dividends per share of today.
const at = (date: string) => seconds(`${date}T13:30:00Z`)
const events = {
  dividends: {
    [at('2014-05-08')]: { amount: 0.1175, date: at('2014-05-08') },
    [at('2014-08-07')]: { amount: 0.1175, date: at('2014-08-07') },
    [at('2020-08-07')]: { amount: 0.205, date: at('2020-08-07') },
  },
  splits: {
    [at('2014-06-09')]: { date: at('2014-06-09'), numerator: 7, denominator: 1, splitRatio: '7:1' },
    [at('2020-08-31')]: { date: at('2020-08-31'), numerator: 4, denominator: 1, splitRatio: '4:1' },
  },
}
// As Yahoo tells 2020-08-28 and 2020-08-31 today; traded at 504.05 505.77 498.31 499.23 on the first of them.
const aroundSplit: readonly WireRow[] = [
  ['2020-08-28T13:30Z', 126.0125, 126.4425, 124.5775, 124.8075, 187_629_916],
  ['2020-08-31T13:30Z', 127.58, 131, 126, 129.04, 225_702_700],
]

test('bars are as traded, before a split and after it', async () => {
  playYahoo(server, 'AAPL', { rows: aroundSplit, events })
  expect(linesOf(await fetchYahoo(server))).toEqual([
    '2020-08-28T00:00 504.05 505.77 498.31 499.23 46907479',
    '2020-08-31T00:00 127.58 131 126 129.04 225702700',
  ])
})

test('a split after the requested range is undone too', async () => {
  playYahoo(server, 'AAPL', { rows: [row('2014-06-06T13:30Z', 23)], events })
  const pages = await fetchYahoo(server, { start: '2014-06-01T00:00Z', end: '2014-06-08T00:00Z' })
  expect(linesOf(pages)).toEqual(['2014-06-06T00:00 644 700 616 672 35.714286'])
})

test('dividends are as paid, and all that Yahoo knows come with the page', async () => {
  playYahoo(server, 'AAPL', { rows: aroundSplit, events })
  const [page] = await fetchYahoo(server, { start: '2020-08-31T00:00Z' })
  const told = page?.actions?.map(action => {
    const size = action.kind === 'split' ? action.ratio : Number(action.amount.toFixed(6))
    return `${action.ex_date} ${action.kind} ${size}`
  })
  expect(told).toEqual([
    '2014-05-08 dividend 3.29',
    '2014-06-09 split 7',
    '2014-08-07 dividend 0.47',
    '2020-08-07 dividend 0.82',
    '2020-08-31 split 4',
  ])
})

test('hourly bars before a split are as traded', async () => {
  const split = {
    splits: { 1: { date: seconds('2025-12-10T14:30Z'), numerator: 1, denominator: 10, splitRatio: '1:10' } },
  }
  const rows = [row('2025-12-09T20:30Z', 50, 100), row('2025-12-10T14:30Z', 51, 10)]
  playYahoo(server, 'AAPL', { rows, events: split })
  expect(linesOf(await fetchYahoo(server, { timeframe: '1h', start: '2025-12-09T00:00Z' }))).toEqual([
    '2025-12-09T20:30 5 5.2 4.9 5.1 1000',
    '2025-12-10T14:30 51 53 50 52 10',
  ])
})

test('what has no splits is not asked for them', async () => {
  for (const symbol of ['^GSPC', 'EURUSD=X', 'BTC-USD']) {
    playYahoo(server, symbol, { zone: 'UTC', rows: [row('2025-12-01T14:30Z', 9)] })
    const before = server.requests.length
    const [page] = await fetchYahoo(server, { symbol })
    expect(page?.actions).toBeUndefined()
    expect(page?.bars.length).toBe(1)
    expect(server.requests.length).toBe(before + 1)
  }
})
