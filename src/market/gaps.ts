import type { Bars } from './bars.ts'
import type { Calendar } from './calendar.ts'
import { findClosures } from './gap-closures.ts'
import { type Gap, type GapClass, type GapCounts, GapList, gapClasses, gapClassNames } from './gap-list.ts'
import { matchSlots } from './gap-match.ts'
import type { FailedInterval, Interval } from './intervals.ts'
import type { Timeframe } from './timeframe.ts'

export type GapOptions = {
  readonly calendar: Calendar
  readonly timeframe: Timeframe
  /** Epoch ms UTC, half-open. Give no `end` in the future: bars that cannot exist yet would be missing. */
  readonly start: number
  readonly end: number
  /** Open times a vendor was asked for and answered, oldest first, apart from each other. */
  readonly fetched: readonly Interval[]
  /** Open times a vendor was asked for in vain; where they overlap, the later entry holds. */
  readonly failed: readonly FailedInterval[]
  /** Lists weekends, holidays and the hours between sessions as well. They are counted in any case. */
  readonly includeExpected: boolean
  /** Lists only gaps of these classes; all are counted. Absent: all. */
  readonly classes?: readonly GapClass[]
  /** Gaps listed at most. */
  readonly limit: number
}

/** Times are epoch ms UTC. */
export type GapReport = {
  readonly coverage: {
    /** Bars that the calendar expects: open time ≥ start and close time ≤ end, so no unfinished bar. */
    readonly expected_bars: number
    /** Expected bars that are there; with the missing ones they make the expected ones. */
    readonly present_bars: number
    readonly missing_bars: number
    /** Bars at times for which the calendar expects none. */
    readonly unscheduled_bars: number
    /** present ÷ expected, 0–1; null when nothing is expected. */
    readonly fraction: number | null
  }
  readonly by_class: GapCounts
  /** Oldest first. */
  readonly gaps: readonly Gap[]
  /** There are more gaps than are listed. */
  readonly truncated: boolean
}

/**
 * What the bars of a range lack, measured against the calendar.
 *
 * A bar fills the slot that holds its open time, on the grid or not; several in one slot fill it once. Missing
 * slots in a row are one gap as long as their cause is the same, also across a closure: Friday and Monday
 * missing is one gap of two bars. A slot that was fetched once counts as fetched, whatever failed since.
 * O(bars + sessions of the range), memory O(limit): long stretches without bars are counted, not walked.
 * @param bars oldest first; those outside the range are ignored
 */
export function findGaps(bars: Bars, options: GapOptions): GapReport {
  const { calendar, timeframe, limit, includeExpected, classes } = options
  const missing = new GapList(limit, classes)
  const counts = matchSlots(bars, options, missing)
  const closures = new GapList(limit, classes)
  for (const closure of findClosures(calendar, timeframe, options))
    closures.addClosure(closure, includeExpected)
  const [unforeseen, expected] = [missing.end(), closures.end()]
  const { weekend, holiday, outside_hours } = expected.by_class
  const by_class = { ...unforeseen.by_class, weekend, holiday, outside_hours }
  const isListed = (name: GapClass) =>
    (classes?.includes(name) ?? true) && (includeExpected || !gapClasses[name].expected)
  const total = gapClassNames.filter(isListed).reduce((sum, name) => sum + by_class[name].gaps, 0)
  return {
    coverage: {
      expected_bars: counts.expected,
      present_bars: counts.present,
      missing_bars: counts.expected - counts.present,
      unscheduled_bars: counts.unscheduled,
      fraction: counts.expected === 0 ? null : counts.present / counts.expected,
    },
    by_class,
    gaps: [...unforeseen.gaps, ...expected.gaps].sort((a, b) => a.start - b.start).slice(0, limit),
    truncated: total > limit,
  }
}
