import { type Zone, zoneOf } from '../market/calendar-zone.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import { dayMs } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { askVendor, UnreadableAnswer, VendorRefusal } from './http.ts'
import type { VendorRow } from './page.ts'
import type { VendorContext } from './vendor.ts'

/** What to ask the chart of a symbol for. Times are epoch ms UTC, rounded to whole seconds outwards. */
type ChartQuery = {
  readonly symbol: string
  /** Yahoo's name: `1m` … `1mo`. */
  readonly interval: string
  readonly startMs: number
  readonly endMs: number
}

/** What Yahoo says of a symbol, in its order and with its stamps; nothing is cleaned. */
export type Chart = {
  /** `time` is Yahoo's stamp in epoch ms. Prices and volumes are adjusted for splits, not for dividends. */
  readonly rows: readonly VendorRow[]
  /** Inside the range, oldest first. Amounts of dividends are adjusted for splits. */
  readonly actions: readonly CorporateAction[]
  /** The clock that the dates of the chart are those of. */
  readonly clock: ChartClock
}

export type ChartClock = {
  /** IANA zone as Yahoo names it. */
  readonly zone: string
  /** 00:00 UTC of the date that the exchange's clock shows, both epoch ms. */
  readonly localDateMs: (timeMs: number) => number
  /** When that clock shows 00:00 of a date given as its 00:00 UTC, both epoch ms. */
  readonly midnightMs: (dateMs: number) => number
}

const home = 'https://query1.finance.yahoo.com'
const columns = ['open', 'high', 'low', 'close', 'volume'] as const

/** Reads UTC where Yahoo does not say. */
const nothing: Chart = { rows: [], actions: [], clock: clockOf({ exchangeTimezoneName: 'UTC' }) }

/**
 * One answer of Yahoo's v8 chart.
 * @param random spreads the waits between tries
 * @throws {Problem} 'bars-missing' when Yahoo does not know the symbol, 'bars-invalid' when a number is none,
 *   'vendor-unavailable' when it refuses or does not answer
 */
export async function askChart(
  query: ChartQuery,
  context: VendorContext,
  random: () => number,
): Promise<Chart> {
  const request = {
    vendor: 'yahoo',
    home,
    path: `/v8/finance/chart/${encodeURIComponent(query.symbol)}`,
    query: {
      period1: Math.floor(query.startMs / 1000),
      period2: Math.ceil(query.endMs / 1000),
      interval: query.interval,
      events: 'div,split',
      includePrePost: 'false',
    },
  } as const
  try {
    return await askVendor(request, context, text => readChart(text, query.symbol), random)
  } catch (error) {
    if (error instanceof VendorRefusal) return refused(error, query.symbol)
    throw error
  }
}

/** Yahoo refuses with a reason in the body, and also says so that a range holds no bars. */
function refused(refusal: VendorRefusal, symbol: string): Chart {
  let said: ChartFault | null = null
  try {
    said = faultOf(fields(fields(JSON.parse(refusal.body)).chart))
  } catch (error) {
    // A page of HTML from a proxy or a consent wall: the status is all there is to say.
    if (!(error instanceof SyntaxError || error instanceof UnreadableAnswer)) throw error
  }
  return said === null ? fail(refusal) : chartOfFault(said, symbol, refusal)
}

type ChartFault = { readonly code: string; readonly description: string }

function chartOfFault({ code, description }: ChartFault, symbol: string, refusal?: VendorRefusal): Chart {
  if (/^data doesn't exist for startdate/i.test(description)) return nothing
  if (code === 'Not Found' || refusal?.status === 404) {
    throw new Problem('bars-missing', `yahoo has no symbol ${symbol}: ${description}`, {
      hint: 'Use the symbol as Yahoo spells it: MSFT, ^GSPC, EURUSD=X, BTC-USD, VOD.L.',
    })
  }
  throw new Problem('vendor-unavailable', `yahoo refused ${symbol}: ${code}: ${description}`, {
    hint: 'The reason is in its own words. Ask for another range or timeframe, or try again later.',
  })
}

function fail(error: Error): never {
  throw error
}

function readChart(text: string, symbol: string): Chart {
  const chart = fields(fields(JSON.parse(text)).chart)
  const fault = faultOf(chart)
  if (fault !== null) return chartOfFault(fault, symbol)
  const result = fields(list(chart.result)[0])
  const meta = fields(result.meta)
  const clock = clockOf(meta)
  return {
    rows: rowsOf(result, symbol),
    actions: result.events === undefined ? [] : actionsOf(fields(result.events), symbol, clock),
    clock,
  }
}

function faultOf(chart: Fields): ChartFault | null {
  if (chart.error === null || chart.error === undefined) return null
  const { code, description } = fields(chart.error)
  return { code: String(code), description: String(description).slice(0, 300) }
}

/** A range without bars has no `timestamp`, and a `quote` without columns. */
function rowsOf(result: Fields, symbol: string): VendorRow[] {
  const stamps = result.timestamp === undefined ? [] : list(result.timestamp)
  if (stamps.length === 0) return []
  const quote = fields(list(fields(result.indicators).quote)[0])
  const values = columns.map(name => list(quote[name]))
  for (const [i, column] of values.entries()) {
    if (column.length !== stamps.length)
      throw new UnreadableAnswer(`${columns[i]} has ${column.length} rows, timestamp ${stamps.length}`)
  }
  const cell = (name: string, row: number, value: unknown): number | null =>
    value === null ? null : numberOf(value, `${symbol}, row ${row}, ${name}`)
  return stamps.map((stamp, row) => {
    const [open, high, low, close, volume] = values.map((column, i) =>
      cell(columns[i] as string, row, column[row]),
    ) as [number | null, number | null, number | null, number | null, number | null]
    const time = momentOf(stamp, `${symbol}, row ${row}, timestamp`)
    return { time, open, high, low, close, volume }
  })
}

function actionsOf(events: Fields, symbol: string, { localDateMs }: ChartClock): readonly CorporateAction[] {
  const each = (kind: string) =>
    Object.entries(events[kind] === undefined ? {} : fields(events[kind])).map(([key, event]) => {
      const number = (name: string) => numberOf(fields(event)[name], `${symbol}, ${kind} ${key}, ${name}`)
      const dateMs = localDateMs(momentOf(fields(event).date, `${symbol}, ${kind} ${key}, date`))
      return { number, ex_date: new Date(dateMs).toISOString().slice(0, 10) }
    })
  const splits: CorporateAction[] = each('splits').map(({ number, ex_date }) => ({
    kind: 'split',
    ex_date,
    ratio: number('numerator') / number('denominator'),
  }))
  const dividends: CorporateAction[] = each('dividends').map(({ number, ex_date }) => ({
    kind: 'dividend',
    ex_date,
    amount: number('amount'),
  }))
  return [...splits, ...dividends].sort((a, b) =>
    a.ex_date < b.ex_date ? -1 : a.ex_date > b.ex_date ? 1 : 0,
  )
}

/**
 * By the zone Yahoo names, because its `gmtoffset` is that of today and wrong for the other half of the year; by the
 * offset only where the zone is unknown here.
 */
function clockOf({ exchangeTimezoneName, gmtoffset }: Fields): ChartClock {
  const zone = String(exchangeTimezoneName)
  let clock: Zone
  try {
    clock = zoneOf(zone)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const offsetMs = typeof gmtoffset === 'number' ? gmtoffset * 1000 : 0
    clock = { offsetMs: () => offsetMs, utcMs: localMs => localMs - offsetMs }
  }
  return {
    zone,
    localDateMs: timeMs => Math.floor((timeMs + clock.offsetMs(timeMs)) / dayMs) * dayMs,
    midnightMs: dateMs => clock.utcMs(dateMs),
  }
}

type Fields = { readonly [name: string]: unknown }

/** @throws {UnreadableAnswer} when it is no object: half an answer, or another page altogether */
function fields(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new UnreadableAnswer('the JSON is not that of a chart')
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new UnreadableAnswer('the JSON is not that of a chart')
}

/** Epoch ms of seconds between the years 1000 and 5000. @throws {Problem} 'bars-invalid' naming where */
function momentOf(value: unknown, where: string): number {
  const seconds = numberOf(value, where)
  if (seconds > -3e10 && seconds < 1e11) return seconds * 1000
  throw unreadable(where, `${seconds} is no time in seconds`)
}

/** @throws {Problem} 'bars-invalid' naming where, when it is no finite number */
function numberOf(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw unreadable(where, `${(JSON.stringify(value) ?? 'nothing').slice(0, 40)} is not a number`)
}

function unreadable(where: string, what: string): Problem {
  return new Problem('bars-invalid', `yahoo sent ${where}: ${what}`, {
    hint: 'Yahoo changed its answer or something between altered it. Try again, or use another vendor.',
  })
}
