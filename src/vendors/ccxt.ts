import { formatTime } from '../market/bars.ts'
import { type Timeframe, timeframeNames, timeframes } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { CcxtExchange } from './ccxt-exchange.ts'
import { openExchange } from './ccxt-open.ts'
import {
  describeMarkets,
  findMarket,
  isSpotSymbol,
  type MarketFacts,
  nearestSymbols,
} from './ccxt-symbols.ts'
import { type CandlePage, type CandleSource, walkCandles } from './ccxt-walk.ts'
import { cleanPage, type VendorRow } from './page.ts'
import { periodStartMs } from './utc-period.ts'
import type { BarsPage, BarsRequest, Vendor, VendorContext } from './vendor.ts'

/** No exchange traded before: where a request without a start begins. */
export const firstTradeMs = Date.UTC(2010, 0, 1)

/**
 * A candle counts as over so long after its end: the exchange's clock may be seconds behind ours, and what it still
 * calls the running candle would be stored as the last word and never be asked for again.
 */
const settleMs = 10_000

/** Of a market that trades rarely there may be thousands of times without candles. */
const maxRemarks = 3

/** Where ccxt does not say how many candles an answer has, no more than so many are stepped over. */
const assumedLimit = 100

/** Public candles of some ninety crypto exchanges through the library ccxt; which one, `exchange` says. */
export const ccxtVendor: Vendor = {
  name: 'ccxt',
  description:
    'Crypto exchanges through ccxt: any that offers public candles, by its ccxt id. BTC-USDT is its market BTC/USDT, BTC-USDT-USDT its contract BTC/USDT:USDT.',
  network: true,
  timeframes: timeframeNames,
  prices: 'traded',
  exchanges: true,
  calendarOf: () => '24-7',
  fetchBars,
  listSymbols: async (exchange, context) => {
    const opened = await openExchange(exchange ?? context.settings.ccxt.exchange, 'all', context)
    return describeMarkets(await opened.markets())
  },
}

async function* fetchBars(request: BarsRequest, context: VendorContext): AsyncGenerator<BarsPage> {
  const { symbol, timeframe } = request
  const id = request.exchange ?? context.settings.ccxt.exchange
  const exchange = await openExchange(id, isSpotSymbol(symbol) ? 'spot' : 'all', context)
  checkTimeframe(exchange, timeframe)
  const market = await requireMarket(exchange, symbol)
  // Of the period that is not over the exchange has not told the last word, even when it has told nothing yet.
  const settledMs = () => context.now() - settleMs
  const endMs = Math.min(request.end, periodStartMs(settledMs(), timeframe))
  const source = {
    id,
    timeframe,
    limit: exchange.limitOf(market.symbol) ?? assumedLimit,
    hasDays: exchange.offers('1d'),
    ask: (asked: Timeframe, sinceMs: number) => exchange.candles(market.symbol, asked, sinceMs),
  }
  let remarksLeft = maxRemarks
  for await (const page of walkCandles(source, request.start ?? firstTradeMs, endMs)) {
    const { rows, remarks } = onGrid(page.rows, exchange.id, timeframe)
    const missing = remarksLeft > 0 ? remarkOn(page, source, request) : []
    remarksLeft -= missing.length
    yield cleanPage(rows, request, {
      now: settledMs(),
      until: page.untilMs,
      remarks: [...remarks, ...missing],
    })
  }
}

/** What to say of candles that are not there. That a market has none before its first is said only to who asked. */
function remarkOn({ missing }: CandlePage, { id, limit }: CandleSource, request: BarsRequest): string[] {
  const { symbol, timeframe, start } = request
  if (missing === null) return []
  const { fromMs, toMs, isAllButNewest } = missing
  const isBeforeAll = start === null && fromMs === firstTradeMs
  if (isBeforeAll && !isAllButNewest) return []
  const span = isBeforeAll
    ? `before ${formatTime(toMs)}`
    : `from ${formatTime(fromMs)} to ${formatTime(toMs)}`
  const why = isAllButNewest ? `: it tells the newest ${limit} only` : ''
  return [`${id} has no ${timeframe} candles of ${symbol} ${span}${why}`]
}

function checkTimeframe(exchange: CcxtExchange, timeframe: Timeframe): void {
  if (exchange.offers(timeframe)) return
  const offered = timeframeNames.filter(name => exchange.offers(name)).join(', ')
  throw new Problem('bars-missing', `${exchange.id} has no ${timeframe} candles`, {
    hint: `It has ${offered}; longer timeframes can be resampled from shorter ones.`,
  })
}

async function requireMarket(exchange: CcxtExchange, symbol: string): Promise<MarketFacts> {
  const markets = await exchange.markets()
  const market = findMarket(markets, symbol)
  if (market !== null) return market
  const near = nearestSymbols(markets, symbol)
  throw new Problem('bars-missing', `${exchange.id} has no market ${symbol}`, {
    hint: near.length === 0 ? 'It lists no market at all.' : `Nearest: ${near.join(', ')}.`,
  })
}

/**
 * Candles that begin where ours do: at multiples of their duration in UTC, on Mondays, on the first of a month. Some
 * exchanges begin their days at 16:00 or their weeks on Thursday; such candles cannot be relabelled, only refused.
 * @throws {Problem} 'bars-missing' when no candle of an answer begins there
 */
function onGrid(rows: readonly VendorRow[], id: string, timeframe: Timeframe) {
  const kept = rows.filter(({ time }) => periodStartMs(time, timeframe) === time)
  const stray = rows.find(({ time }) => periodStartMs(time, timeframe) !== time)
  if (stray === undefined) return { rows, remarks: [] }
  const example = `such as one at ${formatTime(stray.time)}`
  if (kept.length === 0) {
    throw new Problem(
      'bars-missing',
      `${id} begins its ${timeframe} candles elsewhere than UTC does, ${example}`,
      {
        hint: `Download a shorter timeframe and resample it to ${timeframes[timeframe].title}.`,
      },
    )
  }
  const count = rows.length - kept.length
  return {
    rows: kept,
    remarks: [`${count} candles that begin between two periods were left out, ${example}`],
  }
}
