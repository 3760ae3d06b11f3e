import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { fetchPages, timesOf, watchConnections } from './ccxt-server.ts'
import { answer, makeContext, makeSettings, startVendorServer, type VendorServer } from './vendor-server.ts'

/**
 * Kraken, because it differs from Binance in all that matters here: times in seconds, candles by pair in an object, errors
 * in its own words under HTTP 200, only the newest 720 candles whatever is asked, weeks that begin on Thursday.
 */
let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
  server.on('/0/public/Assets', answer({ error: [], result: assets }))
  server.on('/0/public/AssetPairs', answer({ error: [], result: { XXBTZUSD: pair } }))
})
afterEach(() => server.close())

const asset = (altname: string, decimals: number) => ({
  aclass: 'currency',
  altname,
  decimals,
  display_decimals: 5,
  status: 'enabled',
})
const assets = { XXBT: asset('XBT', 10), ZUSD: asset('USD', 4) }
const pair = {
  altname: 'XBTUSD',
  wsname: 'XBT/USD',
  aclass_base: 'currency',
  base: 'XXBT',
  aclass_quote: 'currency',
  quote: 'ZUSD',
  pair_decimals: 1,
  lot_decimals: 8,
  leverage_buy: [2, 3],
  leverage_sell: [2, 3],
  fees: [[0, 0.4]],
  fees_maker: [[0, 0.25]],
  ordermin: '0.0001',
  costmin: '0.5',
  status: 'online',
}

const hourMs = 3_600_000
const now = Date.UTC(2026, 0, 5, 12, 34)
const candle = (timeMs: number) => [
  timeMs / 1000,
  '93000.1',
  '93200.0',
  '92900.0',
  '93100.5',
  '93050.0',
  '12.5',
  42,
]
const newest = Array.from({ length: 720 }, (_, i) => Date.UTC(2026, 0, 5, 12) - (719 - i) * hourMs)
const ohlc = (times: readonly number[]) =>
  answer({ error: [], result: { XXBTZUSD: times.map(candle), last: 0 } })
const context = (change: Parameters<typeof makeContext>[1] = {}) =>
  makeContext(server.url, { now: () => now, settings: makeSettings(server.url), ...change })

test('another exchange is played by the same rules: its candles, without the one that is not over', async () => {
  const connections = watchConnections()
  server.on('/0/public/OHLC', ohlc(newest))
  const pages = await fetchPages(context(), { symbol: 'BTC-USD', exchange: 'kraken' })
  connections.stop()
  expect(timesOf(pages)).toEqual(newest.slice(0, -1))
  expect(pages[0]?.bars).toMatchObject({ length: 719 })
  expect([pages[0]?.bars.close[0], pages[0]?.bars.volume[0]]).toEqual([93100.5, 12.5])
  expect(server.requests.map(request => request.path)).toEqual([
    '/0/public/Assets',
    '/0/public/AssetPairs',
    '/0/public/OHLC',
    // The years before its newest candles are asked for again.
    '/0/public/OHLC',
  ])
  expect([...connections.hosts]).toEqual(['127.0.0.1'])
})

test('an exchange that tells its newest candles only is said to, where more was asked for', async () => {
  server.on('/0/public/OHLC', ohlc(newest))
  const ask = (change: object) => fetchPages(context(), { symbol: 'BTC-USD', exchange: 'kraken', ...change })
  const remarksOf = async (change: object) => (await ask(change)).flatMap(page => page.remarks ?? [])
  expect(await remarksOf({})).toEqual([
    'kraken has no 1h candles of BTC-USD before 2025-12-06T13:00:00.000Z: it tells the newest 720 only',
  ])
  expect(await remarksOf({ start: Date.UTC(2025, 0, 1), end: Date.UTC(2025, 1, 1) })).toEqual([
    'kraken has no 1h candles of BTC-USD from 2025-01-01T00:00:00.000Z to 2025-12-06T13:00:00.000Z: it tells the newest 720 only',
  ])
  expect(await remarksOf({ start: newest[0] })).toEqual([])
})

test('an answer without its candles is asked for again, for all that it is the exchange whose lists are wrapped', async () => {
  const empty = [{ error: [] }, { error: [], result: {} }, { error: [], result: null }].map(body =>
    answer(body),
  )
  server.on('/0/public/OHLC', ...empty, ohlc(newest))
  const pages = await fetchPages(context(), { symbol: 'BTC-USD', exchange: 'kraken', start: newest[0] ?? 0 })
  expect(timesOf(pages)).toEqual(newest.slice(0, -1))
})

test('"asked too often" in its own words is tried again', async () => {
  const tooOften = answer({ error: ['EGeneral:Too many requests'] })
  server.on('/0/public/OHLC', tooOften, ohlc(newest))
  const pages = await fetchPages(context(), { symbol: 'BTC-USD', exchange: 'kraken' })
  expect(timesOf(pages).length).toBe(719)
})

test('weeks that begin on Thursday are not relabelled but refused', async () => {
  const thursday = Date.UTC(2025, 11, 25)
  server.on('/0/public/OHLC', ohlc([thursday]))
  const request = {
    symbol: 'BTC-USD',
    exchange: 'kraken',
    timeframe: '1w',
    start: thursday - 7 * 24 * hourMs,
  } as const
  await expect(fetchPages(context(), request)).rejects.toMatchObject({
    code: 'bars-missing',
    hint: expect.stringContaining('resample'),
  })
})

test('a timeframe that the exchange has not is named with those it has', async () => {
  const request = { symbol: 'BTC-USD', exchange: 'kraken', timeframe: '12h' } as const
  await expect(fetchPages(context(), request)).rejects.toMatchObject({
    code: 'bars-missing',
    hint: expect.stringContaining('1m, 5m, 15m, 30m, 1h, 4h, 1d'),
  })
  expect(server.requests).toEqual([])
})
