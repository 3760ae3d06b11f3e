import type { SessionBars } from '../features/pipeline-columns.ts'
import { type Bars, truncateBars } from '../market/bars.ts'
import { type Timeframe, timeframeNames } from '../market/timeframe.ts'
import type { MarketView } from './named-column.ts'

/**
 * What was known at `timeMs`: of every symbol and timeframe the bars that had closed, close time ≤ `timeMs`. A day that
 * is still forming is left out, whatever timeframe decides. The columns are views, nothing is copied.
 */
export function viewAt(view: MarketView, timeMs: number): MarketView {
  return mapBars(view, bars => cutSessions(bars, 0, barsKnownAt(bars.close_time, timeMs)))
}

/**
 * As `viewAt`, with no more history than `bars` of every timeframe before the last bar that had closed: what a run has
 * that loads so many bars before it decides.
 */
export function windowAt(view: MarketView, timeMs: number, bars: number): MarketView {
  return mapBars(view, all => {
    const known = barsKnownAt(all.close_time, timeMs)
    return cutSessions(all, Math.max(0, known - 1 - bars), known)
  })
}

/** How many bars had closed at `timeMs`. @param closeTime epoch ms, never decreasing */
export function barsKnownAt(closeTime: Float64Array, timeMs: number): number {
  let low = 0
  let high = closeTime.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((closeTime[middle] as number) <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function mapBars(view: MarketView, map: (bars: SessionBars) => SessionBars): MarketView {
  return view.map(({ symbol, bars }) => {
    const mapped: Partial<Record<Timeframe, SessionBars>> = {}
    for (const timeframe of timeframeNames) {
      const some = bars[timeframe]
      if (some !== undefined) mapped[timeframe] = map(some)
    }
    return { symbol, bars: mapped }
  })
}

function cutSessions(bars: SessionBars, from: number, to: number): SessionBars {
  const part = truncateBars(bars, to)
  const cut = from === 0 ? part : dropBars(part, from)
  return bars.session === undefined ? cut : { ...cut, session: bars.session.subarray(from, to) }
}

function dropBars(bars: Bars, from: number): Bars {
  return {
    length: bars.length - from,
    time: bars.time.subarray(from),
    close_time: bars.close_time.subarray(from),
    open: bars.open.subarray(from),
    high: bars.high.subarray(from),
    low: bars.low.subarray(from),
    close: bars.close.subarray(from),
    volume: bars.volume.subarray(from),
  }
}
