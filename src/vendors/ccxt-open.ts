import { distance } from 'fastest-levenshtein'
import { Problem } from '../problems.ts'
import { type Ccxt, CcxtExchange } from './ccxt-exchange.ts'
import type { VendorContext } from './vendor.ts'

/** Which markets are to be loaded; contracts cost binance two more answers of megabytes. */
type MarketScope = 'spot' | 'all'

/** Exchanges in use, with their markets, for as long as somebody holds the context that they were opened with. */
const opened = new WeakMap<VendorContext, Map<string, Promise<CcxtExchange>>>()

/**
 * An exchange by ccxt's id. Loads ccxt at the first call in a thread (0.5 s, 100 MiB); the same context gets the same
 * exchange again, so that its markets are fetched once per operation.
 * @throws {Problem} 'params-invalid' when ccxt has no such exchange, or it offers no candles
 */
export function openExchange(id: string, scope: MarketScope, context: VendorContext): Promise<CcxtExchange> {
  const exchanges = opened.get(context) ?? new Map<string, Promise<CcxtExchange>>()
  opened.set(context, exchanges)
  const key = `${id} ${scope}`
  const exchange = exchanges.get(key) ?? create(id, scope, context)
  exchanges.set(key, exchange)
  return exchange
}

async function create(id: string, scope: MarketScope, context: VendorContext): Promise<CcxtExchange> {
  const ccxt = await import('ccxt')
  const exchange = construct(ccxt, id, context.settings.ccxt.intervalMs > 0)
  if (exchange.has.fetchOHLCV !== true) throw unusable(`${id} offers no candles`, 'Choose another exchange.')
  if (scope === 'spot') loadSpotOnly(exchange.options)
  return new CcxtExchange(ccxt, exchange, context)
}

/** @param isPaced by the exchange's own limit, which ccxt knows, beside ours */
function construct(ccxt: Ccxt, id: string, isPaced: boolean): InstanceType<Ccxt['Exchange']> {
  const make: unknown = Object.hasOwn(ccxt.exchanges, id) ? Reflect.get(ccxt.exchanges, id) : undefined
  if (typeof make !== 'function') {
    const ids = Object.keys(ccxt.exchanges)
    const [guess = 'binance'] = ids.toSorted((a, b) => distance(id, a) - distance(id, b))
    throw unusable(`ccxt has no exchange '${id}'`, `Did you mean '${guess}'?`)
  }
  const exchange: unknown = Reflect.construct(make, [{ enableRateLimit: isPaced }])
  if (exchange instanceof ccxt.Exchange) return exchange
  throw unusable(`'${id}' is not an exchange with candles`, 'Choose another exchange.')
}

/**
 * Exchanges that fetch one list per kind of market name the kinds in `options.fetchMarkets`, as a list or as a table of
 * booleans, alone or under `types`. Others have no such option: they send one list of everything.
 */
function loadSpotOnly(options: Record<string, unknown>): void {
  const { fetchMarkets } = options
  const spot = onlySpot(fetchMarkets)
  if (spot !== null) options.fetchMarkets = spot
  else if (isRecord(fetchMarkets)) {
    const types = onlySpot(fetchMarkets.types)
    if (types !== null) options.fetchMarkets = { ...fetchMarkets, types }
  }
}

function onlySpot(kinds: unknown): readonly string[] | Record<string, boolean> | null {
  if (Array.isArray(kinds)) return kinds.includes('spot') ? ['spot'] : null
  if (!isRecord(kinds) || kinds.spot !== true) return null
  return Object.fromEntries(Object.keys(kinds).map(kind => [kind, kind === 'spot']))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unusable(message: string, hint: string): Problem {
  return new Problem('params-invalid', message, {
    hint,
    errors: [{ pointer: '/body/params/exchange', code: 'exchange', message: `${message}. ${hint}` }],
  })
}
