import type { Bars } from '../market/bars.ts'
import type { Calendar } from '../market/calendar.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'

/** As openapi.yaml names them. */
export type VendorName = components['schemas']['VendorName']

/** What to fetch: bars whose open time is in `[start, end)`, epoch ms UTC; a null start is the vendor's first bar. */
export type BarsRequest = {
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly start: number | null
  readonly end: number
  /** Sessions of the symbol's market: they say when a bar closes. */
  readonly calendar: Calendar
  /** Of vendors that are many: a ccxt exchange id; null where there is no choice. */
  readonly exchange: string | null
}

/**
 * A part of the answer. Bars are raw (as traded), complete, oldest first, each open time once, all inside the
 * request, later than those of the page before, and could have happened (`findBarFault`).
 */
export type BarsPage = {
  readonly bars: Bars
  /** The vendor has now told every bar it has from the request's start to this open time (exclusive, epoch ms). */
  readonly until: number
  /** Splits and dividends of the symbol, all the vendor knows; absent where it knows none. */
  readonly actions?: readonly CorporateAction[]
  /** What the vendor sent and no bar was made of, in words, such as prices below zero. */
  readonly remarks?: readonly string[]
}

/** How the operator wants a vendor to be asked. Plain data. */
export type VendorSettings = {
  /** Start of every URL, no slash at its end; empty = where the vendor lives. */
  readonly baseUrl: string
  /** At least this long between two requests of the whole server. */
  readonly intervalMs: number
}

/** What the operator configured for all vendors. Plain data: it is handed to threads. */
export type VendorsSettings = {
  readonly yahoo: VendorSettings
  readonly stooq: VendorSettings & {
    /** Sent with every request; null where Stooq asks for none. */ readonly apiKey: string | null
  }
  readonly ccxt: VendorSettings & { readonly exchange: string }
  /** Absolute path of the folder the vendor `csv` reads, or null. */
  readonly csvFolder: string | null
  /** One request may take so long. */
  readonly timeoutMs: number
  /** Further tries after the first one. */
  readonly retries: number
  /** All tries of one request together, waiting included. */
  readonly retryTotalMs: number
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` as they are set; null where not. */
  readonly proxy: { readonly http: string | null; readonly https: string | null; readonly no: string | null }
}

/** What a vendor may use while it fetches. */
export type VendorContext = {
  readonly settings: VendorsSettings
  /** Aborted when the operation is to stop; whoever waits gives up at once. */
  readonly signal: AbortSignal
  /** The server's clock, epoch ms. */
  readonly now: () => number
  /** Told before a wait and now and then during it: what for, in words. */
  readonly onWait: (reason: string) => void
  /** When each vendor may next be asked: shared by all threads, see `Pacing`. */
  readonly pacing: SharedArrayBuffer
}

/** A symbol a vendor offers. */
export type VendorSymbol = { readonly symbol: string; readonly description: string }

/** Where bars come from. One file each; THE list is registry.ts. */
export type Vendor = {
  readonly name: VendorName
  readonly description: string
  /** Whether it fetches over the network. */
  readonly network: boolean
  /** What it can be asked for. */
  readonly timeframes: readonly Timeframe[]
  /** What its prices are; null where nobody can know. Bars of two kinds do not go into one dataset. */
  readonly prices: 'traded' | 'split_adjusted' | null
  /** Whether `exchange` may be given. */
  readonly exchanges: boolean
  /** Name of the calendar that a symbol trades by, where nobody says otherwise; null when somebody must. */
  readonly calendarOf: (symbol: string) => string | null
  /**
   * @throws {Problem} 'bars-missing' when it has no such symbol or timeframe, 'bars-invalid' when what it sends cannot
   *   be read, 'vendor-unavailable' when it does not answer, or refuses, after all retries
   */
  readonly fetchBars: (request: BarsRequest, context: VendorContext) => AsyncIterable<BarsPage>
  /** @throws {Problem} 'vendor-unavailable' */
  readonly listSymbols?: (exchange: string | null, context: VendorContext) => Promise<readonly VendorSymbol[]>
}
