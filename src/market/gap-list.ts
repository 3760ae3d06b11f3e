import type { Interval } from './intervals.ts'

/**
 * THE list of gap classes; openapi.yaml says what they mean. In `expected` ones the market is closed: no bar is
 * missing there.
 */
export const gapClasses = {
  weekend: { expected: true },
  holiday: { expected: true },
  outside_hours: { expected: true },
  vendor_had_none: { expected: false },
  fetch_failed: { expected: false },
  unexpected: { expected: false },
} as const satisfies Record<string, { expected: boolean }>

export type GapClass = keyof typeof gapClasses
export const gapClassNames = Object.keys(gapClasses) as GapClass[]

/** A span without bars. Times are epoch ms UTC, half-open. */
export type Gap = {
  /** Open time of the first missing bar; of an expected gap, when the market closes. */
  readonly start: number
  /** Close time of the last missing bar; of an expected gap, when the market opens again. */
  readonly end: number
  readonly class: GapClass
  /** Bars missing inside; 0 in expected gaps. */
  readonly missing_bars: number
  readonly note: string
}

export type GapCounts = Readonly<Record<GapClass, { readonly gaps: number; readonly bars: number }>>

/** Why a slot has no bar. */
export type Cause = { readonly class: GapClass; readonly note: string }

/** Missing bars in a row: open time of the first, close time of the last, and how many. */
export type MissingRun = Interval & { readonly bars: number }

/** Joins missing slots to gaps, counts all of them and keeps the first `limit`. */
export class GapList {
  private readonly limit: number
  private readonly classes: readonly GapClass[]
  private readonly gaps: Gap[] = []
  private readonly counts: Record<GapClass, { gaps: number; bars: number }> = {
    weekend: { gaps: 0, bars: 0 },
    holiday: { gaps: 0, bars: 0 },
    outside_hours: { gaps: 0, bars: 0 },
    vendor_had_none: { gaps: 0, bars: 0 },
    fetch_failed: { gaps: 0, bars: 0 },
    unexpected: { gaps: 0, bars: 0 },
  }
  private run: { start: number; end: number; bars: number; cause: Cause; nextIndex: number } | null = null

  /** @param classes the ones that are kept; all are counted */
  constructor(limit: number, classes: readonly GapClass[] = gapClassNames) {
    this.limit = limit
    this.classes = classes
  }

  /**
   * Missing slots in a row, of one cause. Runs of one cause that follow each other make one gap.
   * @param index of the run's first slot among the expected ones
   */
  addRun(run: MissingRun, index: number, cause: Cause): void {
    const open = this.run
    const continues = open !== null && open.nextIndex === index
    if (continues && open.cause.class === cause.class && open.cause.note === cause.note) {
      open.end = run.end
      open.bars += run.bars
    } else {
      this.endRun()
      this.run = { ...run, cause, nextIndex: index }
    }
    if (this.run !== null) this.run.nextIndex += run.bars
  }

  /** A closure of the market. @param listed whether it may be among the gaps shown; it is always counted */
  addClosure(closure: Interval & Cause, listed: boolean): void {
    this.counts[closure.class].gaps++
    if (listed) this.keep({ ...closure, missing_bars: 0 })
  }

  /** The gaps in the order they were added, at most `limit`. */
  end(): { gaps: readonly Gap[]; by_class: GapCounts } {
    this.endRun()
    return { gaps: this.gaps, by_class: this.counts }
  }

  private endRun(): void {
    if (this.run === null) return
    const { start, end, cause, bars } = this.run
    this.run = null
    this.counts[cause.class].gaps++
    this.counts[cause.class].bars += bars
    this.keep({ start, end, ...cause, missing_bars: bars })
  }

  private keep(gap: Gap): void {
    if (this.gaps.length < this.limit && this.classes.includes(gap.class)) this.gaps.push(gap)
  }
}
