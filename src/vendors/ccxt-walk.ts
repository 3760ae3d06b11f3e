import { closeTimeMs, dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import type { VendorRow } from './page.ts'

/** Who is asked for candles: one market of one exchange. */
export type CandleSource = {
  readonly timeframe: Timeframe
  /** The exchange looks at no more than this many candles per answer. */
  readonly limit: number
  /** Whether it has daily candles too. */
  readonly hasDays: boolean
  /** Candles from `sinceMs` on, in any order; some may be older, repeated, missing or unfinished. */
  readonly ask: (timeframe: Timeframe, sinceMs: number) => Promise<readonly VendorRow[]>
}

/** Candles of one answer, in the order they came, and the open time (exclusive) up to which all are told. */
export type CandlePage = { readonly rows: readonly VendorRow[]; readonly untilMs: number }

/**
 * Everything a market has in [startMs, endMs), answer by answer; each answer begins where the last one ended.
 *
 * An answer without candles has two meanings. Of an exchange that answers "the next n candles from then on" it is the
 * end. Of one that looks at n periods from then on it says only that nobody traded in these: a market listed in 2021 and
 * asked from 2010 on has years of them. So after such an answer daily candles are asked, hundreds per answer, for the
 * next day with a trade, and the walk goes on at that day; when there is none, that is the end. Where there are no
 * daily candles, and for timeframes of a day and longer, the walk steps over the n periods. Either way each answer moves
 * the walk on by at least one period or one answer's worth of days, so it ends.
 */
export async function* walkCandles(
  source: CandleSource,
  startMs: number,
  endMs: number,
): AsyncGenerator<CandlePage, void, undefined> {
  let cursorMs = startMs
  while (cursorMs < endMs) {
    const rows = await source.ask(source.timeframe, cursorMs)
    const last = latestInside(rows, cursorMs, endMs)
    cursorMs = last === null ? await findNext(source, cursorMs, endMs) : closeTimeMs(last, source.timeframe)
    yield { rows: last === null ? [] : rows, untilMs: Math.min(cursorMs, endMs) }
  }
}

function latestInside(rows: readonly VendorRow[], fromMs: number, toMs: number): number | null {
  let latest: number | null = null
  for (const { time } of rows) {
    if (time >= fromMs && time < toMs && (latest === null || time > latest)) latest = time
  }
  return latest
}

/** Where to ask next when there is no candle at `cursorMs`; `endMs` when there is none any more. */
async function findNext(source: CandleSource, cursorMs: number, endMs: number): Promise<number> {
  const { durationMs } = timeframes[source.timeframe]
  const steppedMs = cursorMs + source.limit * (durationMs ?? 28 * dayMs)
  if (!source.hasDays || durationMs === null || durationMs >= dayMs) return steppedMs
  // A day that began before the cursor may have its trades after it.
  for (let dayFromMs = cursorMs - dayMs; dayFromMs < endMs; dayFromMs += source.limit * dayMs) {
    const days = await source.ask('1d', dayFromMs)
    const opens = days.map(day => day.time).filter(time => time + dayMs > cursorMs && time < endMs)
    if (opens.length > 0) {
      const firstMs = Math.min(...opens)
      return firstMs > cursorMs ? firstMs : steppedMs
    }
  }
  return endMs
}
