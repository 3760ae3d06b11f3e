import type { DecidingBars } from './cut-points.ts'
import { barsKnownAt, windowAt } from './market-view.ts'
import {
  type ColumnKind,
  type ColumnSource,
  columnId,
  type MarketView,
  type NamedColumn,
} from './named-column.ts'

/** Lengths that are looked at besides those declared, in bars: those freqtrade's recursive analysis looks at. */
export const commonLengths: readonly number[] = [199, 399, 499, 999, 1999]

/** More lengths than this tell nothing new. */
const maxLengths = 32

/** How a column's values at the deciding bars change with the history they are given, as plain JSON. */
export type WarmupTally = {
  readonly id: string
  /** Among the columns of the source. */
  readonly place: number
  readonly name: string
  readonly kind: ColumnKind
  readonly symbol: string
  readonly timeframe: string
  /** Declared, in bars of the column's timeframe. */
  readonly lookback: number
  readonly lookback_is_least: boolean
  readonly stable_after: number | null
  /** Shortest first. */
  readonly lengths: readonly LengthTally[]
}

/** Values with some history against values with all of it. */
export type LengthTally = {
  /** Bars of the column's timeframe before the deciding bar. */
  readonly history_bars: number
  /** Deciding bars that have so much history before them. */
  readonly compared: number
  /** Of those, how many have another value, in any bit. */
  readonly changed: number
  /** Of those, how many have none although they have one with all history. */
  readonly missing: number
  /** As a fraction of the greatest magnitude the column has on any bar; 0 where nothing could be compared. */
  readonly largest_relative_difference: number
}

export type WarmupRequest = {
  readonly market: MarketView
  readonly source: ColumnSource
  /** What the source makes of the whole market. */
  readonly whole: readonly NamedColumn[]
  /** In bars, rising. */
  readonly lengths: readonly number[]
  /** Close times of the deciding bars, epoch ms. */
  readonly instants: readonly number[]
  /** Called before every deciding bar and length; it may throw to stop the work. */
  readonly checkpoint?: (done: number, total: number) => void
}

/**
 * The lengths of history worth looking at, rising: every declared look-back and settling, 2 and 4 times the longest
 * look-back, and the common ones; at most 32, and none longer than there are bars.
 * @param available bars before the last deciding bar
 */
export function warmupLengths(columns: readonly NamedColumn[], available: number): readonly number[] {
  const lookbacks = columns.map(({ history }) => history.lookback)
  const longest = lookbacks.reduce((most, bars) => Math.max(most, bars), 0)
  const settled = columns.flatMap(({ history }) => history.stableAfter ?? [])
  const most = settled.reduce((a, b) => Math.max(a, b), 0)
  const wanted = [longest, 2 * longest, 4 * longest, most, ...commonLengths]
  const declared = [...new Set([...lookbacks, ...settled])].sort((a, b) => a - b)
  const step = Math.ceil(declared.length / (maxLengths - wanted.length))
  const thinned = declared.filter((_, i) => i % step === 0)
  return [...new Set([...wanted, ...thinned])].filter(bars => bars <= available).sort((a, b) => a - b)
}

/** The part of a range whose bars have the longest history before them, as far as half of the range is left. */
export function barsWithHistory(
  { close_time, from, to }: DecidingBars,
  lengths: readonly number[],
): DecidingBars {
  const longest = lengths[lengths.length - 1] ?? 0
  return { close_time, from: Math.max(from, Math.min(longest, to - Math.ceil((to - from) / 2))), to }
}

/** Computes every column at every deciding bar with each length of history. Costs one short computation for each pair. */
export function measureWarmup(request: WarmupRequest): readonly WarmupTally[] {
  const { market, source, whole, lengths, instants, checkpoint = () => {} } = request
  const measures = whole.map(column => ({
    column,
    magnitude: magnitudeOf(column),
    cells: lengths.map(() => ({ compared: 0, changed: 0, missing: 0, largest: 0 })),
  }))
  let done = 0
  for (const timeMs of instants) {
    lengths.forEach((length, at) => {
      checkpoint(done++, instants.length * lengths.length)
      const short = new Map(source(windowAt(market, timeMs, length)).map(made => [columnId(made), made]))
      for (const { column, magnitude, cells } of measures) {
        const cell = cells[at]
        const part = short.get(columnId(column))
        if (cell === undefined || part === undefined) continue
        if (!hasHistory(market, column, timeMs, length)) continue
        compareAt(cell, [valueAt(column, timeMs), valueAt(part, timeMs)], magnitude)
      }
    })
  }
  return measures.map(({ column, cells }, place) => describe(column, { place, lengths, cells }))
}

/** Puts together what was measured with different lengths. @param parts of the same columns */
export function mergeWarmups(parts: readonly (readonly WarmupTally[])[]): readonly WarmupTally[] {
  const merged = new Map<string, WarmupTally>()
  for (const tally of parts.flat()) {
    const before = merged.get(tally.id)
    const lengths = [...(before?.lengths ?? []), ...tally.lengths]
    lengths.sort((a, b) => a.history_bars - b.history_bars)
    merged.set(tally.id, { ...tally, lengths })
  }
  return [...merged.values()].sort((a, b) => a.place - b.place)
}

type Cell = { compared: number; changed: number; missing: number; largest: number }

function compareAt(cell: Cell, [all, some]: readonly [number, number], magnitude: number): void {
  cell.compared++
  if (Object.is(all, some)) return
  cell.changed++
  if (Number.isNaN(some)) cell.missing++
  const share = Math.abs(all - some) / (magnitude === 0 ? 1 : magnitude)
  if (share > cell.largest) cell.largest = share
}

/** Whether the column's own bars reach so far back. */
function hasHistory(market: MarketView, column: NamedColumn, timeMs: number, length: number): boolean {
  const own = market.find(({ symbol }) => symbol === column.symbol)?.bars[column.timeframe]
  return own !== undefined && barsKnownAt(own.close_time, timeMs) > length
}

/** The value that is known at an instant; NaN where there is none. */
function valueAt({ bars, values }: NamedColumn, timeMs: number): number {
  return values[barsKnownAt(bars.close_time, timeMs) - 1] ?? Number.NaN
}

function magnitudeOf({ values }: NamedColumn): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number)
    if (size > most && size < Number.POSITIVE_INFINITY) most = size
  }
  return most
}

function describe(
  column: NamedColumn,
  { place, lengths, cells }: { place: number; lengths: readonly number[]; cells: readonly Cell[] },
): WarmupTally {
  const { name, kind, symbol, timeframe, history } = column
  return {
    ...{ id: columnId(column), place, name, kind, symbol, timeframe },
    lookback: history.lookback,
    lookback_is_least: history.isLeast,
    stable_after: history.stableAfter,
    lengths: cells.map(({ largest, ...counts }, at) => ({
      history_bars: lengths[at] ?? 0,
      ...counts,
      largest_relative_difference: largest,
    })),
  }
}
