import { parseCsvTime } from '../market/csv-time.ts'
import { closeTimeMs, dayMs, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { askVendor, UnreadableAnswer } from './http.ts'
import { cleanPage, type VendorRow } from './page.ts'
import { periodStartMs } from './utc-period.ts'
import type { BarsPage, BarsRequest, Vendor, VendorContext } from './vendor.ts'

/** Stooq's letters for the timeframes it has. */
const intervals: Partial<Record<Timeframe, string>> = { '1d': 'd', '1w': 'w', '1M': 'm' }

/** A day is in Stooq's file some hours after it ended: what is missing from the last week may yet come. */
const lateMs = 7 * dayMs

const adjusted =
  'Stooq sends prices that are adjusted for splits, of some markets for dividends too, and does not say which; they are stored as sent'

/**
 * Stooq's CSV files: daily, weekly and monthly bars of shares, indices, currencies and more. One request gives all.
 * Stooq dates a week and a month by its last day; here they are labelled by their Monday and their first.
 */
export const stooqVendor: Vendor = {
  name: 'stooq',
  description:
    'CSV files of stooq.com: 1d, 1w, 1M. Symbols as Stooq writes them: AAPL.US, ^SPX, EURUSD, BTC.V.',
  network: true,
  timeframes: ['1d', '1w', '1M'],
  prices: 'split_adjusted',
  exchanges: false,
  calendarOf,
  fetchBars,
}

function calendarOf(symbol: string): string {
  if (/\.us$/i.test(symbol)) return 'XNYS'
  return /\.v$/i.test(symbol) ? '24-7' : '24-5'
}

async function* fetchBars(request: BarsRequest, context: VendorContext): AsyncGenerator<BarsPage> {
  const { symbol, timeframe, start } = request
  const interval = intervals[timeframe]
  if (interval === undefined) {
    throw new Problem('bars-missing', `stooq has no ${timeframe} bars`, { hint: 'It has 1d, 1w and 1M.' })
  }
  const { apiKey } = context.settings.stooq
  const key = apiKey === null ? {} : { apikey: apiKey }
  const query = { s: symbol.toLowerCase(), ...datesOf(request), i: interval, ...key }
  const asked = { vendor: 'stooq', home: 'https://stooq.com', path: '/q/d/l/', query } as const
  const days = await askVendor(asked, context, readStooq)
  if (days.length === 0 && start === null) {
    throw new Problem('bars-missing', `stooq has no ${timeframe} bars of ${symbol}`, {
      hint: 'Look the symbol up on stooq.com; shares carry their market, as in AAPL.US.',
    })
  }
  const rows = days.map(day => ({ ...day, time: periodStartMs(day.time, timeframe) }))
  const certain = Math.max(start ?? 0, Math.min(request.end, context.now() - lateMs))
  const until = rows.reduce((latest, { time }) => Math.max(latest, closeTimeMs(time, timeframe)), certain)
  yield cleanPage(rows, request, { now: context.now(), until, remarks: rows.length === 0 ? [] : [adjusted] })
}

/** Whole periods: of a part of a week Stooq makes a bar too. Without dates it sends everything. */
function datesOf({ start, end, timeframe }: BarsRequest): { d1?: string; d2?: string } {
  if (start === null) return {}
  const lastDayMs = closeTimeMs(periodStartMs(end - 1, timeframe), timeframe) - dayMs
  return { d1: compactDate(periodStartMs(start, timeframe)), d2: compactDate(lastDayMs) }
}

function compactDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10).replaceAll('-', '')
}

/**
 * The rows of Stooq's answer; none for "No data".
 * @throws {Problem} 'vendor-unavailable' when it is a notice for people, which no further try changes
 * @throws {UnreadableAnswer} when it is anything else but a table, or a row does not fit
 */
export function readStooq(text: string): VendorRow[] {
  const [first = '', ...lines] = text.split(/\r?\n/)
  refuseNotice(text)
  if (/^(no data|brak danych)\b/i.test(text.trim())) return []
  const names = first.trim().toLowerCase().split(',')
  if (names.slice(0, 5).join() !== 'date,open,high,low,close' || !text.includes('\n'))
    throw new UnreadableAnswer(`it begins with '${first.slice(0, 40)}'`)
  // Every line ends with a line break. A last one without may be a part of one: it is asked for again another time.
  return lines.slice(0, -1).map((line, i) => readLine(line.trim(), names, i + 2))
}

function readLine(line: string, names: readonly string[], number: number): VendorRow {
  const cells = line.split(',')
  const [date = '', open, high, low, close, volume = ''] = cells
  const time = /^\d{4}-\d{2}-\d{2}$/.test(date) ? parseCsvTime(date, null) : null
  if (typeof time !== 'number' || cells.length !== names.length)
    throw new UnreadableAnswer(`line ${number} is '${line.slice(0, 80)}'`)
  const value = (name: string, text = '') => {
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
    throw new UnreadableAnswer(`line ${number}: ${name} is '${text.slice(0, 40)}'`)
  }
  return {
    time,
    open: value('open', open),
    high: value('high', high),
    low: value('low', low),
    close: value('close', close),
    volume: volume === '' ? null : value('volume', volume),
  }
}

function refuseNotice(text: string): void {
  if (/exceeded the daily hits limit/i.test(text)) {
    throw new Problem('vendor-unavailable', 'stooq has answered this address often enough for today', {
      hint: 'Try again tomorrow: its limit is for a day and a network address. Fewer symbols per day stay below it.',
    })
  }
  if (/^\s*</.test(text) || /apikey/i.test(text)) {
    throw new Problem('vendor-unavailable', 'stooq answered with a page for people instead of CSV', {
      hint: 'Stooq asks some addresses for a check in a browser or a key. Download the file there by hand and put it into the folder of the vendor csv, or use another vendor.',
    })
  }
}
