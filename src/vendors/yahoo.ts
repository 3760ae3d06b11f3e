import { unadjustSplits } from '../market/adjust.ts'
import { isIntraday } from '../market/bar-grid.ts'
import { checkBars, formatTime } from '../market/bars.ts'
import { type CorporateAction, rawActions } from '../market/corporate-action.ts'
import { earliestMs } from '../market/download-plan.ts'
import { dayMs, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { cleanPage } from './page.ts'
import type { BarsPage, BarsRequest, Vendor, VendorContext } from './vendor.ts'
import { askChart, type Chart } from './yahoo-chart.ts'
import { closeTimesOf, labelOf, labelRows, nextLabel } from './yahoo-rows.ts'

/**
 * What Yahoo has, by its own names: how many days back (null: all), and how many of them one request may ask for
 * (null: all). Of `1m` it answers 8 days; 7 leave room for whole UTC days.
 */
const charts = {
  '1m': { interval: '1m', days: 30, daysPerRequest: 7 },
  '5m': { interval: '5m', days: 60, daysPerRequest: null },
  '15m': { interval: '15m', days: 60, daysPerRequest: null },
  '30m': { interval: '30m', days: 60, daysPerRequest: null },
  '1h': { interval: '60m', days: 730, daysPerRequest: null },
  '1d': { interval: '1d', days: null, daysPerRequest: null },
  '1w': { interval: '1wk', days: null, daysPerRequest: null },
  '1M': { interval: '1mo', days: null, daysPerRequest: null },
} as const satisfies Partial<
  Record<Timeframe, { interval: string; days: number | null; daysPerRequest: number | null }>
>

type YahooTimeframe = keyof typeof charts

/** No chart of Yahoo begins earlier; its oldest, ^GSPC, begins in 1927. */
const firstMs = Date.UTC(1900, 0, 1)
const minuteMs = 60_000
/** Yahoo shows some exchanges 15 minutes late, and volumes settle after the close: a bar counts so long after it. */
const settleMs = 20 * minuteMs

/** Quote currencies of Yahoo's crypto pairs. A share class such as BRK-B is none. */
const cryptoPair = /-(USD|EUR|GBP|JPY|CAD|AUD|CNY|INR|KRW|BRL|CHF|RUB|USDT|USDC|BTC|ETH)$/

/**
 * Yahoo Finance by its v8 chart: raw bars, and the splits and dividends of shares. Unofficial and unpaid: it may refuse
 * at any time. Volume of forex and of most indexes is 0.
 */
export const yahooVendor: Vendor = createYahooVendor()

/** @param random spreads the waits between tries, 0 ≤ r < 1 */
export function createYahooVendor(random: () => number = Math.random): Vendor {
  return {
    name: 'yahoo',
    description:
      'Yahoo Finance, without a key: shares, indexes, forex, crypto. 1m of the last 30 days, 5m to 30m of 60, 1h of 730.',
    network: true,
    timeframes: Object.keys(charts) as YahooTimeframe[],
    prices: 'traded',
    exchanges: false,
    calendarOf,
    fetchBars: (request, context) => fetchPages(request, context, random),
  }
}

/**
 * Forex (`EURUSD=X`), futures (`ES=F`) and exchanges outside the United States (`VOD.L`) trade by `24-5`: it holds all
 * their hours, although they have fewer, so their nights look like gaps until a calendar is configured and named.
 */
function calendarOf(symbol: string): string {
  if (cryptoPair.test(symbol)) return '24-7'
  return symbol.includes('=') || symbol.includes('.') ? '24-5' : 'XNYS'
}

async function* fetchPages(
  request: BarsRequest,
  context: VendorContext,
  random: () => number,
): AsyncGenerator<BarsPage> {
  const { symbol, timeframe } = request
  if (!isYahooTimeframe(timeframe) || !/^[\^A-Za-z0-9]/.test(symbol)) throw missing(symbol, timeframe)
  const { start, end, remarks } = reachOf(request, timeframe, context.now())
  if (start >= end) return
  const ask = (interval: string, startMs: number, endMs: number) =>
    askChart({ symbol, interval, startMs, endMs }, context, random)
  const actions = hasActions(symbol) ? (await ask('1mo', firstMs, context.now() + dayMs)).actions : null
  const { interval } = charts[timeframe]
  for (const [i, page] of windowsOf(timeframe, start, end).entries()) {
    const chart = await ask(interval, page.start, page.end)
    yield toPage(chart, request, {
      actions,
      now: context.now(),
      until: page.end,
      remarks: i === 0 ? remarks : [],
    })
  }
}

type PageParts = {
  /** As Yahoo tells them; null where there are none to know. */
  readonly actions: readonly CorporateAction[] | null
  readonly now: number
  readonly until: number
  readonly remarks: readonly string[]
}

function toPage(chart: Chart, request: BarsRequest, { actions, now, until, remarks }: PageParts): BarsPage {
  const labelled = labelRows(chart, request)
  const page = cleanPage(labelled.rows, request, {
    now: now - settleMs,
    until,
    closeTimeOf: closeTimesOf(chart, request),
    remarks: [...remarks, ...labelled.remarks],
  })
  if (actions === null) return page
  const { timeframe, calendar } = request
  const bars = unadjustSplits(page.bars, { timeframe, calendar, actions })
  // Prices that were possible may not be after a ratio that is not.
  checkBars(bars)
  return { ...page, bars, actions: rawActions(actions) }
}

/** The part of the request that Yahoo can answer. @throws {Problem} 'bars-missing' when that is nothing at all */
function reachOf(request: BarsRequest, timeframe: YahooTimeframe, now: number) {
  const { days } = charts[timeframe]
  const end = Math.min(request.end, now)
  const first = days === null ? firstMs : ceilDay(now - days * dayMs)
  const asked = request.start === null || request.start <= earliestMs ? null : request.start
  if (asked !== null && asked >= first) return { start: asked, end, remarks: [] }
  if (end <= first) {
    throw new Problem(
      'bars-missing',
      `yahoo has ${timeframe} bars of the last ${days} days only, ${request.symbol} was asked for until ${formatTime(end)}`,
      { hint: `Ask for a range after ${formatTime(first)}, or for a longer timeframe.` },
    )
  }
  const remark = `yahoo has ${timeframe} bars of the last ${days} days only: fetched from ${formatTime(first)} on`
  return { start: first, end, remarks: asked === null || days === null ? [] : [remark] }
}

/**
 * The times to ask for, oldest first. They begin and end with whole days, weeks or months, because Yahoo cuts the bar
 * at the edge of the range; a day more on either side of daily and longer bars, because their stamps are local.
 */
function windowsOf(timeframe: YahooTimeframe, start: number, end: number) {
  if (!isIntraday(timeframe)) {
    const lastMs = labelOf(floorDay(end - 1), timeframe)
    return [{ start: labelOf(floorDay(start), timeframe) - dayMs, end: nextLabel(lastMs, timeframe) + dayMs }]
  }
  const stepMs = (charts[timeframe].daysPerRequest ?? Number.POSITIVE_INFINITY) * dayMs
  const windows: { start: number; end: number }[] = []
  for (let from = floorDay(start); from < end; from += stepMs) {
    windows.push({ start: from, end: Math.min(from + stepMs, ceilDay(end)) })
  }
  return windows
}

/** Only shares and funds have splits and dividends. */
function hasActions(symbol: string): boolean {
  return !(symbol.includes('=') || symbol.startsWith('^') || cryptoPair.test(symbol))
}

function isYahooTimeframe(timeframe: Timeframe): timeframe is YahooTimeframe {
  return Object.hasOwn(charts, timeframe)
}

function missing(symbol: string, timeframe: Timeframe): Problem {
  return new Problem('bars-missing', `yahoo has no ${symbol} ${timeframe}`, {
    hint: `Its timeframes are ${Object.keys(charts).join(', ')}; a symbol begins with a letter, a digit or ^.`,
  })
}

function floorDay(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs
}

function ceilDay(timeMs: number): number {
  return Math.ceil(timeMs / dayMs) * dayMs
}
