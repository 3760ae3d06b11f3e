import type { SymbolBars } from '../features/pipeline.ts'
import type { Bars } from '../market/bars.ts'
import type { Timeframe } from '../market/timeframe.ts'

/** What is known of the market at some instant: bars of every symbol, by timeframe. */
export type MarketView = readonly SymbolBars[]

/** THE table of what a column can be. */
export const columnKinds = {
  indicator: 'an output of an indicator on the bars of its own timeframe',
  membership: 'a term of a fuzzy set, joined to the base bars',
  feature: 'an indicator joined to the base bars, as it is or normalised',
  rule: 'a decision, 1 or 0',
  distance: 'how far a stop, a target or an order lies from the close',
} as const

export type ColumnKind = keyof typeof columnKinds

/** What is declared of a column before any bars are seen. In bars of the column's timeframe. */
export type DeclaredHistory = {
  /** Bars before its first value. */
  readonly lookback: number
  /** True where it may take more bars than `lookback`, because the warm-up ends with a session. */
  readonly isLeast: boolean
  /** Bars after which more history changes nothing that matters; null: there is no bound. */
  readonly stableAfter: number | null
}

/** One column that a strategy computes on its way to a decision. */
export type NamedColumn = {
  /** Unique among the columns of its symbol, timeframe and kind. */
  readonly name: string
  readonly kind: ColumnKind
  readonly symbol: string
  /** The timeframe it was calculated on. */
  readonly timeframe: Timeframe
  /** The bars its values stand on, oldest first. */
  readonly bars: Pick<Bars, 'length' | 'time' | 'close_time'>
  /** One per bar; NaN where it is not known. */
  readonly values: Float64Array | Uint8Array
  /** Ids (`columnId`) of the columns it is calculated from; what reads prices alone has none. */
  readonly depends_on: readonly string[]
  readonly history: DeclaredHistory
}

/**
 * Everything a strategy computes from the bars it is given: the same columns for every view, but that a column may be
 * left out of views that end before it can be made.
 */
export type ColumnSource = (view: MarketView) => readonly NamedColumn[]

/** Tells a column apart from every other one of a strategy. */
export function columnId({
  symbol,
  timeframe,
  kind,
  name,
}: Pick<NamedColumn, 'symbol' | 'timeframe' | 'kind' | 'name'>): string {
  return `${symbol} ${timeframe} ${kind} ${name}`
}
