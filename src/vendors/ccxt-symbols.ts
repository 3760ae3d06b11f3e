import { distance } from 'fastest-levenshtein'
import type { VendorSymbol } from './vendor.ts'

/** What ccxt says of a market, as far as it is used here. */
export type MarketFacts = {
  /** ccxt's own: `BTC/USDT` on the spot market, `BTC/USDT:USDT` of a contract settled in USDT. */
  readonly symbol: string
  readonly spot: boolean
  /** False when it is closed or was removed; many exchanges do not say. */
  readonly active: boolean
  /** `spot`, `swap`, `future`, `option`. */
  readonly type: string
}

/** Our name of a market: ccxt's with `-` for `/` and `:`, as in `BTC-USDT` and `BTC-USDT-USDT`. */
function symbolOf(market: Pick<MarketFacts, 'symbol'>): string {
  return market.symbol.replaceAll(/[/:]/g, '-')
}

/** Whether only a spot market can be meant: a contract's symbol has a third part, what it is settled in. */
export function isSpotSymbol(symbol: string): boolean {
  return symbol.split('-').length <= 2
}

/** The market with our name; of several the one that is spot, then the one that is active. Case matters. */
export function findMarket(markets: readonly MarketFacts[], symbol: string): MarketFacts | null {
  const [first = null] = markets.filter(market => symbolOf(market) === symbol).toSorted(spotAndActiveFirst)
  return first
}

/** Up to five of our names that look most like one that is not there, whatever the case and the dashes. */
export function nearestSymbols(markets: readonly MarketFacts[], symbol: string): string[] {
  const plain = (name: string) => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
  const wanted = plain(symbol)
  return markets
    .map(market => ({ name: symbolOf(market), edits: distance(wanted, plain(symbolOf(market))), market }))
    .toSorted((a, b) => a.edits - b.edits || spotAndActiveFirst(a.market, b.market))
    .slice(0, 5)
    .map(({ name }) => name)
}

/** All markets as symbols to choose from: spot before contracts, active before closed, then by name. */
export function describeMarkets(markets: readonly MarketFacts[]): VendorSymbol[] {
  return markets
    .toSorted((a, b) => spotAndActiveFirst(a, b) || (a.symbol < b.symbol ? -1 : 1))
    .map(market => ({
      symbol: symbolOf(market),
      description: `${market.symbol}, ${market.type}${market.active ? '' : ', not active'}`,
    }))
}

function spotAndActiveFirst(a: MarketFacts, b: MarketFacts): number {
  return Number(b.spot) - Number(a.spot) || Number(b.active) - Number(a.active)
}
