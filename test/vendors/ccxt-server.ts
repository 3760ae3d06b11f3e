import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Calendars } from '../../src/market/calendars.ts'
import { type Timeframe, timeframes } from '../../src/market/timeframe.ts'
import { ccxtVendor } from '../../src/vendors/ccxt.ts'
import type { BarsPage, BarsRequest, VendorContext } from '../../src/vendors/vendor.ts'
import { answer, type Reply, type SeenRequest, type VendorServer } from './vendor-server.ts'

/** One candle of Binance: open time, open, high, low, close, volume, close time and five numbers nobody reads. */
export type Kline = readonly (number | string)[]

export const klinesPath = '/api/v3/klines'
const exchangeInfoPath = '/api/v3/exchangeInfo'

/** A price that is another one in every period. */
export function kline(openMs: number, timeframe: Timeframe = '1h'): Kline {
  const periodMs = timeframes[timeframe].durationMs ?? 0
  const price = 100 + ((openMs / periodMs) % 1000)
  const [open, high, low, close] = [price, price + 2, price - 1, price + 1].map(value => value.toFixed(8))
  const volume = `${(openMs / periodMs) % 7}.50000000`
  return [openMs, open, high, low, close, volume, openMs + periodMs - 1, '0', 10, '0', '0', '0'] as Kline
}

/** Candles with open times in [fromMs, toMs). */
export function klines(fromMs: number, toMs: number, timeframe: Timeframe = '1h'): Kline[] {
  const periodMs = timeframes[timeframe].durationMs ?? 0
  return Array.from({ length: Math.ceil((toMs - fromMs) / periodMs) }, (_, i) =>
    kline(fromMs + i * periodMs, timeframe),
  )
}

/** What Binance makes of a request for candles. */
export function pick(truth: readonly Kline[], { query }: Pick<SeenRequest, 'query'>): Kline[] {
  const since = Number(query.get('startTime'))
  const limit = Math.min(1000, Number(query.get('limit') ?? 500))
  return truth.filter(([time]) => Number(time) >= since).slice(0, limit)
}

/** The truth, cut to what is asked; `mangle` changes each answer. */
export const tell = (truth: readonly Kline[], mangle = (page: Kline[]) => page): Reply =>
  answer(request => mangle(request.query.get('interval') === '1d' ? [] : pick(truth, request)))

/** Plays Binance's spot market: its list of symbols, and candles by the given replies. */
export function playBinance(server: VendorServer, ...replies: readonly Reply[]): void {
  const symbol = (base: string, quote: string, status = 'TRADING') => ({
    symbol: base + quote,
    status,
    baseAsset: base,
    baseAssetPrecision: 8,
    quoteAsset: quote,
    quotePrecision: 8,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [{ filterType: 'PRICE_FILTER', minPrice: '0.01', maxPrice: '1000000.00', tickSize: '0.01' }],
    permissions: ['SPOT'],
  })
  const symbols = [
    symbol('BTC', 'USDT'),
    symbol('ETH', 'USDT'),
    symbol('SOL', 'USDT'),
    symbol('OLD', 'USDT', 'BREAK'),
  ]
  server.on(exchangeInfoPath, answer({ timezone: 'UTC', serverTime: 0, rateLimits: [], symbols }))
  server.on(klinesPath, ...replies)
}

/** Requests for candles, without the list of symbols. */
export const askedForCandles = (server: VendorServer) =>
  server.requests.filter(request => request.path !== exchangeInfoPath)

/** All hours of a market, up to `end`. */
export const requestOf = (end: number): BarsRequest => ({
  symbol: 'BTC-USDT',
  timeframe: '1h',
  start: null,
  end,
  calendar: new Calendars().get('24-7'),
  exchange: null,
})

export async function fetchPages(
  context: VendorContext,
  change: Partial<BarsRequest> = {},
): Promise<BarsPage[]> {
  const request = { ...requestOf(context.now()), ...change }
  return Array.fromAsync(ccxtVendor.fetchBars(request, context))
}

export const timesOf = (pages: readonly BarsPage[]): number[] => pages.flatMap(page => [...page.bars.time])

/** Names and addresses that this process connects to, by whatever library. */
export function watchConnections(): { readonly hosts: ReadonlySet<string>; readonly stop: () => void } {
  const hosts = new Set<string>()
  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket }
    socket.on('lookup', (_error, _address, _family, host) => hosts.add(host))
    socket.on('connect', () => hosts.add(socket.remoteAddress ?? 'unknown'))
  }
  subscribe('net.client.socket', watch)
  return { hosts, stop: () => unsubscribe('net.client.socket', watch) }
}
