import type { Manifest } from '../archive/bars.ts'
import { symbolFault } from '../archive/layout.ts'
import type { Calendars } from '../market/calendars.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { isVendorName, vendors } from '../vendors/registry.ts'
import type { Vendor } from '../vendors/vendor.ts'
import { rangeOf } from './moment.ts'
import { type Rooms, selfContained, type WorkerSpec } from './spec.ts'

type Requested = Readonly<components['schemas']['DataDownloadParams']>
/** As the validator hands them on: defaults filled in. */
export type DataDownloadParams = Requested & Required<Pick<Requested, 'mode'>>
export type DataDownloadResult = Readonly<components['schemas']['DataDownloadResult']>

const MINUTE_MS = 60_000

/** What the worker reports for each page it stored, see `openapi.yaml`. */
export const pagesSeries = {
  pages: { page: 'page', bars: 'bar', bars_per_second: 'bar/s' },
} as const

/** Fetches bars from a vendor and stores them, one dataset after the other. */
export const dataDownloadSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Fetches bars from a vendor and stores them.',
  worker: 'data-download.ts',
  resumable: true,
  timeoutMs: 24 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  // Vendors limit how often they may be asked; more at once are not faster.
  maxConcurrent: 4,
  series: pagesSeries,
  prepare: async (given, rooms) => {
    const params = given as DataDownloadParams
    checkRange(params)
    checkSymbols(params.symbols)
    const vendor = vendors[params.vendor]
    checkVendor(vendor, params)
    await checkStored(params, vendor, rooms)
    return {
      ...selfContained(params, null),
      steps: { total: params.symbols.length * params.timeframes.length, unit: 'dataset' },
    }
  },
}

/** What a request asks of a vendor. */
type Asked = { readonly exchange?: string; readonly timeframes: readonly Timeframe[] }

/** @throws {Problem} 'params-invalid' for what the vendor cannot do */
export function checkVendor(vendor: Vendor, { exchange, timeframes }: Asked, list = true): void {
  if (exchange !== undefined && !vendor.exchanges)
    throw fault('/body/params/exchange', 'not_allowed', `the vendor ${vendor.name} has no exchanges`)
  timeframes.forEach((timeframe, index) => {
    if (vendor.timeframes.includes(timeframe)) return
    const message = `${vendor.name} has no ${timeframe} bars, only ${vendor.timeframes.join(', ')}`
    throw fault(list ? `/body/params/timeframes/${index}` : '/body/params/timeframe', 'timeframe', message)
  })
}

/** @throws {Problem} 'params-invalid' unless there is such a calendar; the message names all */
export function checkCalendarName(calendars: Calendars, name: string, pointer: string): void {
  if (calendars.find(name) !== null) return
  throw fault(pointer, 'unknown', `there is no calendar ${name}, only ${calendars.names().join(', ')}`)
}

/** A fault of the parameters. */
export function fault(pointer: string, code: string, message: string): Problem {
  return new Problem('params-invalid', message, { errors: [{ pointer, code, message }] })
}

function checkRange(params: DataDownloadParams): void {
  rangeOf(params)
  if (params.mode === 'range' && params.start === undefined)
    throw fault('/body/params/start', 'required', "mode 'range' needs start")
}

function checkSymbols(symbols: readonly string[]): void {
  symbols.forEach((symbol, index) => {
    const message = symbolFault(symbol)
    if (message !== null) throw fault(`/body/params/symbols/${index}`, 'name', message)
  })
}

/** What is stored must go together with what is asked for. */
async function checkStored(params: DataDownloadParams, vendor: Vendor, rooms: Rooms): Promise<void> {
  const { calendar, exchange, mode } = params
  if (calendar !== undefined) checkCalendarName(rooms.calendars, calendar, '/body/params/calendar')
  for (const symbol of params.symbols) {
    for (const timeframe of params.timeframes) {
      const stored = await rooms.bars.manifest(symbol, timeframe)
      if (stored === null) checkCalendarKnown(vendor, symbol, calendar)
      else {
        checkCalendarFits(stored, calendar)
        checkSource(stored, { vendor, exchange, mode })
      }
    }
  }
}

function checkCalendarKnown(vendor: Vendor, symbol: string, calendar: string | undefined): void {
  if (calendar !== undefined || vendor.calendarOf(symbol) !== null) return
  const message = `the vendor ${vendor.name} does not know when ${symbol} is traded: give calendar`
  throw fault('/body/params/calendar', 'required', message)
}

/** Stored bars close by the calendar they were stored with: a dataset has one. */
function checkCalendarFits({ symbol, timeframe, calendar: stored }: Manifest, calendar?: string): void {
  if (calendar === undefined || calendar === stored) return
  const message = `${symbol} ${timeframe} is stored with the calendar ${stored}; delete the dataset to change it`
  throw fault('/body/params/calendar', 'conflict', message)
}

/**
 * Bars of one market go on with bars of the same market: those of another exchange or vendor have other prices, and
 * what one has answered says nothing about the other.
 * @throws {Problem} 'params-invalid'
 */
export function checkSource(
  stored: Manifest,
  {
    vendor,
    exchange,
    mode,
  }: { vendor: Vendor; exchange: string | undefined; mode: DataDownloadParams['mode'] },
): void {
  const [name = '', storedExchange] = stored.source.split(':')
  if (!isVendorName(name)) return
  const dataset = `${stored.symbol} ${stored.timeframe}`
  const { prices } = vendors[name]
  if (prices !== null && vendor.prices !== null && prices !== vendor.prices) {
    const message = `${dataset} holds ${priceWords[prices]} from ${name}, ${vendor.name} has ${priceWords[vendor.prices]}; delete the dataset first`
    throw fault('/body/params/vendor', 'conflict', message)
  }
  const isOther = name !== vendor.name || (exchange !== undefined && exchange !== storedExchange)
  if (!isOther || mode === 'range') return
  const message = `${dataset} came from ${stored.source}; delete it first, or fetch a stated range with mode 'range'`
  throw fault(name === vendor.name ? '/body/params/exchange' : '/body/params/vendor', 'conflict', message)
}

const priceWords = { traded: 'prices as traded', split_adjusted: 'split-adjusted prices' } as const
