import type { MarketInput } from '../backtest/backtest-run.ts'
import type { ColumnCache } from '../features/column-cache.ts'
import { IndicatorColumns, type SessionBars } from '../features/pipeline-columns.ts'
import { keepSessions } from '../features/pipeline-sessions.ts'
import { type Bars, firstBarAt, sliceBars } from '../market/bars.ts'
import { measureOf } from './remarks.ts'
import { computeSignals, namesRead, type SignalOptions, type Signals } from './signals.ts'
import type { RuleStrategy } from './strategy.ts'

/** The stored bars of one symbol, all of them. */
export type StoredMarket = {
  readonly symbol: string
  readonly bars: SessionBars
  /** Bars of a shorter timeframe, or null. */
  readonly finer: Bars | null
}

/** What one symbol is traded on in a range, before anything is decided. */
export type MarketBars = Omit<MarketInput, 'signals'> & { readonly bars: SessionBars }

/** A market as the engine takes it, with what the strategy decides on each of its bars. */
export type DecidedMarket = MarketBars & { readonly signals: Signals }

/**
 * The part of a market that a run over a range may see. Bars before the range stay: they warm the indicators up.
 * Views, no copies. Cut once for all strategies that are tried on it: a `ColumnCache` knows bars by identity.
 * @param range open times, epoch ms, half-open; null is unbounded
 * @returns with `from` = the number of bars where the range holds none
 */
export function cutMarket(
  { symbol, bars: stored, finer }: StoredMarket,
  { start, end }: { readonly start: number | null; readonly end: number | null },
): MarketBars {
  const bars = keepSessions(sliceBars(stored, null, end), stored)
  const from = firstBarAt(bars, start ?? Number.NEGATIVE_INFINITY)
  return { symbol, bars, from, finer: finer === null ? null : sliceBars(finer, start, end) }
}

/** What a strategy decides on a market. Cheap to call again with a cache and memory of its own, see `SignalOptions`. */
export function decideOn(
  strategy: RuleStrategy,
  market: MarketBars,
  options: SignalOptions = {},
): DecidedMarket {
  return { ...market, signals: computeSignals(strategy, market.bars, options) }
}

/** What rules or distances read: one value per bar. */
export type ReadIndicator = {
  /** `id` or `id.output`. */
  readonly name: string
  readonly unit: string
  readonly values: Float64Array
}

/** The indicators and outputs that the rules and distances of a strategy read. Values are not to be written to. */
export function readIndicators(
  strategy: RuleStrategy,
  bars: SessionBars,
  cache: ColumnCache,
): readonly ReadIndicator[] {
  const columns = new IndicatorColumns(strategy, bars, undefined, cache)
  return namesRead(strategy).map(name => {
    const { unit } = measureOf(name, strategy)
    return { name, unit, values: columns.read(name) }
  })
}
