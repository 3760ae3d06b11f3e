import { compareColumns, type Difference } from './compare-columns.ts'
import { viewAt } from './market-view.ts'
import {
  type ColumnKind,
  type ColumnSource,
  columnId,
  type MarketView,
  type NamedColumn,
} from './named-column.ts'

/** What was found wrong with one column over some cuts, as plain JSON. Values that are no number are null. */
export type ColumnTally = {
  readonly id: string
  /** Among the columns of the source. */
  readonly place: number
  readonly name: string
  readonly kind: ColumnKind
  readonly symbol: string
  readonly timeframe: string
  readonly depends_on: readonly string[]
  readonly cuts_differing: number
  /** Cuts at which nothing it depends on differed at this bar or before: it is itself at fault. */
  readonly cuts_unexplained: number
  /** At the earliest cut that disagrees, the oldest bar that does. Epoch ms. */
  readonly first: {
    readonly cut_time: number
    readonly bar_time: number
    readonly whole: number | null
    readonly truncated: number | null
  }
  /** How many bars before the last known one a value still changed, at most: it reads at least one bar more ahead. */
  readonly bars_back: number
  /** Bars that changed at one cut, at most. */
  readonly bars_differing: number
  /** Null where numbers stood against no numbers only. */
  readonly largest_difference: number | null
}

export type TallyRequest = {
  readonly market: MarketView
  readonly source: ColumnSource
  /** What the source makes of the whole market. */
  readonly whole: readonly NamedColumn[]
  /** Close times, epoch ms, rising. */
  readonly cuts: readonly number[]
  /** Called before every cut; it may throw to stop the work. */
  readonly checkpoint?: (done: number, total: number) => void
}

/**
 * Takes the bars after each cut away, computes every column again, and compares all bars up to the cut. Costs one
 * computation per cut.
 * @returns the columns that differ at one cut at least, in the order of the source; none when nothing looks ahead
 */
export function tallyCuts(request: TallyRequest): readonly ColumnTally[] {
  const { market, source, whole, cuts, checkpoint = () => {} } = request
  const byId = new Map(whole.map(column => [columnId(column), column]))
  const places = new Map([...byId.keys()].map((id, place) => [id, place]))
  const tallies = new Map<string, ColumnTally>()
  cuts.forEach((cutTimeMs, done) => {
    checkpoint(done, cuts.length)
    const differences = differencesAt(byId, source(viewAt(market, cutTimeMs)))
    for (const [id, difference] of differences) {
      const column = byId.get(id)
      if (column === undefined) continue
      const tally = tallyOne(column, difference, {
        cutTimeMs,
        place: places.get(id) ?? 0,
        isExplained: isExplained(column, byId, differences),
      })
      const before = tallies.get(id)
      tallies.set(id, before === undefined ? tally : addTallies(before, tally))
    }
  })
  return inOrder(tallies)
}

/** Puts together what was found over different cuts; the order of the parts does not matter. */
export function mergeTallies(parts: readonly (readonly ColumnTally[])[]): readonly ColumnTally[] {
  const merged = new Map<string, ColumnTally>()
  for (const tally of parts.flat()) {
    const before = merged.get(tally.id)
    merged.set(tally.id, before === undefined ? tally : addTallies(before, tally))
  }
  return inOrder(merged)
}

function inOrder(tallies: ReadonlyMap<string, ColumnTally>): readonly ColumnTally[] {
  return [...tallies.values()].sort((a, b) => a.place - b.place)
}

function differencesAt(
  whole: ReadonlyMap<string, NamedColumn>,
  truncated: readonly NamedColumn[],
): ReadonlyMap<string, Difference> {
  const differences = new Map<string, Difference>()
  for (const column of truncated) {
    const id = columnId(column)
    const same = whole.get(id)
    if (same === undefined) throw new TypeError(`${id} is computed from a part of the bars, but not from all`)
    const difference = compareColumns(same, column)
    if (difference !== null) differences.set(id, difference)
  }
  return differences
}

/** Whether something the column reads had already changed when it did. */
function isExplained(
  column: NamedColumn,
  byId: ReadonlyMap<string, NamedColumn>,
  differences: ReadonlyMap<string, Difference>,
): boolean {
  const changedAt = closeOfFirst(column, differences)
  return column.depends_on.some(id => {
    const read = byId.get(id)
    return read !== undefined && closeOfFirst(read, differences) <= changedAt
  })
}

/** When the oldest bar that changed was complete; +∞ when none did. */
function closeOfFirst(column: NamedColumn, differences: ReadonlyMap<string, Difference>): number {
  const difference = differences.get(columnId(column))
  return difference === undefined
    ? Number.POSITIVE_INFINITY
    : (column.bars.close_time[difference.firstBar] as number)
}

function tallyOne(
  column: NamedColumn,
  difference: Difference,
  { cutTimeMs, place, isExplained }: { cutTimeMs: number; place: number; isExplained: boolean },
): ColumnTally {
  const { name, kind, symbol, timeframe, depends_on, bars } = column
  return {
    id: columnId(column),
    place,
    name,
    kind,
    symbol,
    timeframe,
    depends_on,
    cuts_differing: 1,
    cuts_unexplained: isExplained ? 0 : 1,
    first: {
      cut_time: cutTimeMs,
      bar_time: bars.time[difference.firstBar] as number,
      whole: numberOrNull(difference.whole),
      truncated: numberOrNull(difference.truncated),
    },
    bars_back: difference.barsBack,
    bars_differing: difference.barsDiffering,
    largest_difference: difference.largest,
  }
}

function addTallies(a: ColumnTally, b: ColumnTally): ColumnTally {
  const earlier = a.first.cut_time <= b.first.cut_time ? a : b
  const largest = [a.largest_difference, b.largest_difference].filter(size => size !== null)
  return {
    ...earlier,
    cuts_differing: a.cuts_differing + b.cuts_differing,
    cuts_unexplained: a.cuts_unexplained + b.cuts_unexplained,
    bars_back: Math.max(a.bars_back, b.bars_back),
    bars_differing: Math.max(a.bars_differing, b.bars_differing),
    largest_difference: largest.length === 0 ? null : Math.max(...largest),
  }
}

/** JSON has neither NaN nor infinities. */
function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
