import type { SymbolBars } from '../features/pipeline.ts'
import { keepSessions } from '../features/pipeline-sessions.ts'
import { type Bars, firstBarAt, sliceBars } from '../market/bars.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { type DecidingBars, decidingTimes } from './cut-points.ts'
import { barsKnownAt } from './market-view.ts'
import type { ColumnSource, MarketView, NamedColumn } from './named-column.ts'

/** What is analysed: a market up to the end of a range, and what a strategy makes of it. */
export type Subject = {
  readonly market: MarketView
  readonly source: ColumnSource
  readonly whole: readonly NamedColumn[]
  readonly deciding: DecidingBars
}

/**
 * Leaves out what opens after the range, computes all columns once, and finds the bars of the range.
 * @param range open times of bars, epoch ms, half-open; null is unbounded
 * @throws {Problem} 'bars-missing' when no bar of the base timeframe opens in the range
 */
export function openSubject(
  stored: MarketView,
  source: ColumnSource,
  {
    base,
    start,
    end,
  }: { readonly base: Timeframe; readonly start: number | null; readonly end: number | null },
): Subject {
  const market = stored.map(({ symbol, bars }) => ({ symbol, bars: cutBars(bars, end) }))
  const bases = market.flatMap(({ bars }) => bars[base] ?? [])
  const close_time = decidingTimes(bases)
  const from = firstDecision(bases, close_time, start ?? Number.NEGATIVE_INFINITY)
  if (from >= close_time.length)
    throw new Problem('bars-missing', `no ${base} bar opens in the requested range`)
  return { market, source, whole: source(market), deciding: { close_time, from, to: close_time.length } }
}

/** The bars of every timeframe that open before an instant. */
function cutBars(bars: SymbolBars['bars'], endMs: number | null): SymbolBars['bars'] {
  const cut = Object.entries(bars).map(([timeframe, all]) => [
    timeframe,
    keepSessions(sliceBars(all, null, endMs), all),
  ])
  return Object.fromEntries(cut)
}

/** Index of the earliest close of a bar that opens at `startMs` or later. */
function firstDecision(bases: readonly Bars[], closeTime: Float64Array, startMs: number): number {
  let first = Number.POSITIVE_INFINITY
  for (const bars of bases) {
    const at = firstBarAt(bars, startMs)
    if (at < bars.length) first = Math.min(first, bars.close_time[at] as number)
  }
  return first === Number.POSITIVE_INFINITY ? closeTime.length : barsKnownAt(closeTime, first) - 1
}
