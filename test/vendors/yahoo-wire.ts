import { Calendars } from '../../src/market/calendars.ts'
import type { BarsPage, BarsRequest } from '../../src/vendors/vendor.ts'
import { createYahooVendor } from '../../src/vendors/yahoo.ts'
import { answer, type Body, makeContext, type VendorServer } from './vendor-server.ts'

/** A row as Yahoo sends it: stamp (RFC 3339), open, high, low, close, volume. */
export type WireRow = readonly [string, ...(readonly (number | null)[])]

export type WireEvents = {
  readonly dividends?: Record<string, { amount: number; date: number }>
  readonly splits?: Record<
    string,
    { date: number; numerator: number; denominator: number; splitRatio: string }
  >
}

export const seconds = (text: string): number => Date.parse(text) / 1000

/** A chart in the form of query1.finance.yahoo.com/v8/finance/chart, shortened where nobody reads it. */
export function chartOf(
  rows: readonly WireRow[],
  { zone = 'America/New_York', events = {} as WireEvents } = {},
) {
  const column = (i: number) => rows.map(row => row[i] as number | null)
  const meta = {
    currency: 'USD',
    symbol: 'AAPL',
    exchangeName: 'NMS',
    instrumentType: 'EQUITY',
    firstTradeDate: 345479400,
    gmtoffset: -14400,
    timezone: 'EDT',
    exchangeTimezoneName: zone,
    validRanges: ['1d', 'max'],
  }
  const quote = { open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) }
  const indicators =
    rows.length === 0
      ? { quote: [{}], adjclose: [{}] }
      : { quote: [quote], adjclose: [{ adjclose: column(4) }] }
  const stamps = rows.length === 0 ? {} : { timestamp: rows.map(([stamp]) => seconds(stamp)) }
  const told = Object.keys(events).length === 0 ? {} : { events }
  return { chart: { result: [{ meta, ...stamps, ...told, indicators }], error: null } }
}

export const chartError = (code: string, description: string) => ({
  chart: { result: null, error: { code, description } },
})

/** A daily or longer row of round prices. */
export const row = (stamp: string, price: number, volume = 1000): WireRow => [
  stamp,
  price,
  price + 2,
  price - 1,
  price + 1,
  volume,
]

/** A body that tells those of the rows that are in the asked range, as Yahoo does, and events at the interval 1mo. */
export function truthOf(
  rows: readonly WireRow[],
  options: { readonly zone?: string; readonly events?: WireEvents } = {},
): Body {
  return ({ query }) => {
    const [from, to] = [Number(query.get('period1')), Number(query.get('period2'))]
    return chartOf(
      rows.filter(([stamp]) => seconds(stamp) >= from && seconds(stamp) < to),
      options,
    )
  }
}

/** Registers the answers: first to the question for splits and dividends, then to those for bars. */
export function playYahoo(
  server: VendorServer,
  symbol: string,
  { rows = [] as readonly WireRow[], zone = 'America/New_York', events = {} as WireEvents },
): void {
  server.on(`/v8/finance/chart/${symbol}`, answer(truthOf(rows, { zone, events })))
}

export const calendars = new Calendars()

export type Asked = Partial<Omit<BarsRequest, 'calendar' | 'start' | 'end'>> & {
  readonly calendar?: string
  /** RFC 3339 */
  readonly start?: string
  readonly end?: string
  readonly now?: string
}

/** All pages of the vendor yahoo, asked without random waits. The end is `now` where it is not given. */
export async function fetchYahoo(server: VendorServer, asked: Asked = {}): Promise<BarsPage[]> {
  const { symbol = 'AAPL', timeframe = '1d', now = '2026-01-05T12:00:00Z' } = asked
  const vendor = createYahooVendor(() => 0)
  const request: BarsRequest = {
    symbol,
    timeframe,
    start: asked.start === undefined ? null : Date.parse(asked.start),
    end: Date.parse(asked.end ?? now),
    calendar: calendars.get(asked.calendar ?? vendor.calendarOf(symbol) ?? ''),
    exchange: null,
  }
  const pages: BarsPage[] = []
  const context = makeContext(server.url, { now: () => Date.parse(now) })
  for await (const page of vendor.fetchBars(request, context)) pages.push(page)
  return pages
}

/** Bars as short texts: open time, prices, volume. */
export function linesOf(pages: readonly BarsPage[]): string[] {
  return pages.flatMap(({ bars }) =>
    [...bars.time].map((time, i) => {
      const { open, high, low, close, volume } = bars
      const prices = [open, high, low, close, volume].map(column => Number((column[i] as number).toFixed(6)))
      return `${new Date(time).toISOString().slice(0, 16)} ${prices.join(' ')}`
    }),
  )
}

/** Open times only, to the minute. */
export const timesOf = (pages: readonly BarsPage[]): string[] => linesOf(pages).map(line => line.slice(0, 16))
