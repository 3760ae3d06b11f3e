import type { Exchange } from 'ccxt'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { MarketFacts } from './ccxt-symbols.ts'
import { askVendor, firstBackoffMs, maxBackoffMs, UnreadableAnswer, VendorRefusal } from './http.ts'
import { monotonicMs, pause, postponeTurns, throwIfAborted } from './pacing.ts'
import type { VendorRow } from './page.ts'
import type { VendorContext } from './vendor.ts'

export type Ccxt = typeof import('ccxt')

/** The last answer, as far as it is asked about later. */
type Answer = {
  readonly status: number
  /** Whether a list is in it that could be one of candles. */
  readonly hasList: boolean
  readonly beginning: string
}
const noAnswer: Answer = { status: 200, hasList: false, beginning: '' }

/** An exchange as this server uses it: public candles, no account, all requests in turn with the other threads. */
export class CcxtExchange {
  readonly id: string
  private readonly ccxt: Ccxt
  private readonly exchange: Exchange
  private readonly context: VendorContext
  private last: Answer = noAnswer

  constructor(ccxt: Ccxt, exchange: Exchange, context: VendorContext) {
    this.id = exchange.id
    this.ccxt = ccxt
    this.exchange = exchange
    this.context = context
    exchange.fetchImplementation = (url: string, init: { readonly method: string }) =>
      this.fetch(new URL(url), init.method)
    // ccxt leaves candles out that it finds no time in, whatever they are made of.
    const parse = exchange.parseOHLCV.bind(exchange)
    exchange.parseOHLCV = (sent, market) => {
      const candle = parse(sent, market)
      if (Number.isFinite(candle[0])) return candle
      throw new UnreadableAnswer(`a candle without a time: ${brief(JSON.stringify(sent) ?? 'nothing')}`)
    }
  }

  /** Whether ccxt knows candles of a timeframe here. */
  offers(timeframe: Timeframe): boolean {
    return Object.hasOwn(this.exchange.timeframes, timeframe)
  }

  /** All markets; asked for once. @throws {Problem} 'vendor-unavailable' */
  async markets(): Promise<readonly MarketFacts[]> {
    // ccxt remembers a failure for ever, unless it is told to load again.
    await this.ask(() => this.exchange.loadMarkets(this.exchange.markets === undefined))
    return Object.values(this.exchange.markets ?? {})
      .filter(market => market !== undefined)
      .map(({ symbol, spot, active, type }) => ({
        symbol,
        spot: spot === true,
        active: active !== false,
        type: String(type),
      }))
  }

  /** How many candles one answer has at most; null when ccxt does not say. @param symbol ccxt's, markets loaded */
  limitOf(symbol: string): number | null {
    const limit: unknown = this.exchange.featureValue(symbol, 'fetchOHLCV', 'limit')
    return typeof limit === 'number' && limit > 0 ? limit : null
  }

  /**
   * One answer's candles from `sinceMs` on, as they come. @param symbol ccxt's, markets loaded
   *
   * Of an answer of another shape, such as `{}` or a notice of maintenance, ccxt makes an empty list for most
   * exchanges. So none are believed only where the answer holds a list; any other is asked for again.
   * @throws {Problem} as `Vendor.fetchBars` does
   */
  async candles(symbol: string, timeframe: Timeframe, sinceMs: number): Promise<VendorRow[]> {
    const limit = this.limitOf(symbol) ?? undefined
    const candles = await this.ask(async () => {
      const told = await this.exchange.fetchOHLCV(symbol, timeframe, sinceMs, limit)
      if (told.length > 0 || this.last.hasList) return told
      throw new UnreadableAnswer(`no list of candles: ${this.last.beginning}`)
    })
    return candles.map(([time, open, high, low, close, volume]) => ({
      time: time ?? Number.NaN,
      open: open ?? null,
      high: high ?? null,
      low: low ?? null,
      close: close ?? null,
      volume: volume ?? null,
    }))
  }

  /**
   * Calls ccxt, and again when the exchange said in its own words, not in HTTP's, that it is asked too often or has
   * trouble, or sent something else than it was asked for: as often and as long as the settings allow. Failures of HTTP have been tried again before ccxt sees them.
   */
  private async ask<T>(call: () => Promise<T>): Promise<T> {
    const { retries, retryTotalMs } = this.context.settings
    const endMs = monotonicMs() + retryTotalMs
    for (let tries = 1; ; tries++) {
      throwIfAborted(this.context.signal)
      try {
        this.last = noAnswer
        return await this.untilAborted(call())
      } catch (error) {
        throwIfAborted(this.context.signal)
        const waitMs = Math.random() * Math.min(maxBackoffMs, firstBackoffMs * 2 ** tries)
        if (!this.isPassing(error) || tries > retries || monotonicMs() + waitMs >= endMs)
          throw this.translate(error)
        if (error instanceof this.ccxt.RateLimitExceeded) postponeTurns(this.context.pacing, 'ccxt', waitMs)
        await pause(waitMs, `${this.id} has trouble; trying again`, this.context)
      }
    }
  }

  /** ccxt's own waits do not know our signal. */
  private async untilAborted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.context
    const { promise, reject } = Promise.withResolvers<never>()
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([work, promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** What ccxt is given for `fetch`. Of a response it uses these four members. */
  private async fetch(url: URL, method: string) {
    if (method !== 'GET') {
      throw new Problem(
        'params-invalid',
        `${this.id} is asked for candles with ${method}, which is not supported`,
        {
          hint: 'Choose another exchange.',
        },
      )
    }
    const answer = (status: number, body: string) => ({
      status,
      statusText: '',
      headers: new Headers(),
      text: async () => body,
    })
    const request = { vendor: 'ccxt', home: url.origin, path: url.pathname + url.search } as const
    try {
      const { text, last } = await askVendor(request, this.context, readJson)
      this.last = last
      return answer(200, text)
    } catch (error) {
      if (!(error instanceof VendorRefusal)) throw error
      this.last = { ...noAnswer, status: error.status }
      return answer(error.status, error.body)
    }
  }

  /** Whether a further call may succeed. ccxt counts every refusal by HTTP as trouble of the network: it is not. */
  private isPassing(error: unknown): boolean {
    const { BaseError, OperationFailed, RateLimitExceeded } = this.ccxt
    if (error instanceof RateLimitExceeded) return true
    if (error instanceof Problem || this.last.status !== 200) return false
    // What is no error of ccxt comes from an answer of another shape than the exchange's.
    return error instanceof OperationFailed || !(error instanceof BaseError)
  }

  private translate(error: unknown): unknown {
    if (error instanceof Problem) return error
    const { BaseError, BadSymbol, AuthenticationError } = this.ccxt
    if (error instanceof UnreadableAnswer) {
      return new Problem('vendor-unavailable', `${this.id} sent ${brief(error)}`, {
        hint: 'Try again later; what was stored before stays.',
      })
    }
    // Whatever else ccxt throws while it reads an answer comes from an answer of another shape.
    if (!(error instanceof BaseError)) {
      return new Problem('bars-invalid', `${this.id} sent what ccxt cannot read (${brief(error)})`, {
        hint: 'Try again later; another version of this server may know what the exchange sends now.',
      })
    }
    if (error instanceof BadSymbol)
      return new Problem('bars-missing', `${this.id} does not know the symbol (${brief(error)})`)
    const hint =
      error instanceof AuthenticationError
        ? 'This exchange shows its candles to account holders only; choose another one.'
        : 'Read what the exchange says: it may want a later start, another symbol, or to be asked from elsewhere.'
    return new Problem('vendor-unavailable', `${this.id} refused (${brief(error)})`, { hint })
  }
}

/** A text that is JSON from beginning to end: of half an answer ccxt makes an empty one without a word. */
function readJson(text: string): { readonly text: string; readonly last: Answer } {
  return { text, last: { status: 200, hasList: holdsList(JSON.parse(text)), beginning: text.slice(0, 100) } }
}

/** Whether a list is somewhere in an answer, other than one of errors, as Kraken sends with every answer. */
function holdsList(value: unknown): boolean {
  if (Array.isArray(value)) return true
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, part]) => !/^errors?$/i.test(name) && holdsList(part))
}

function brief(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.length > 200 ? `${message.slice(0, 200)}…` : message
}
