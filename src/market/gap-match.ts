import { barDateMs } from './adjust.ts'
import { type BarGrid, gridOf, type Slot } from './bar-grid.ts'
import { type Bars, firstBarAt } from './bars.ts'
import type { Calendar } from './calendar.ts'
import { makeCauses } from './gap-causes.ts'
import type { GapList } from './gap-list.ts'
import type { FailedInterval, Interval } from './intervals.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

type Range = {
  readonly calendar: Calendar
  readonly timeframe: Timeframe
  readonly start: number
  readonly end: number
  readonly fetched: readonly Interval[]
  readonly failed: readonly FailedInterval[]
}

/** Expected slots, those that hold bars, and bars in no slot. */
export type SlotCounts = { expected: number; present: number; unscheduled: number }

/** Slots without a bar from which a stretch is counted instead of walked. */
const longStretch = 2_000

/** Walks the slots and the bars of a range side by side, and hands what is missing to `missing`. */
export function matchSlots(bars: Bars, range: Range, missing: GapList): SlotCounts {
  const match = new SlotMatch(bars, range, missing)
  for (let from = range.start; from < range.end; ) from = match.walk(from)
  return match.end()
}

class SlotMatch {
  private readonly range: Range
  private readonly missing: GapList
  private readonly grid: BarGrid
  private readonly causeAt: ReturnType<typeof makeCauses>
  private readonly isInSlot: (timeMs: number) => boolean
  private readonly times: Float64Array
  private readonly longMs: number
  private readonly counts: SlotCounts = { expected: 0, present: 0, unscheduled: 0 }
  private next = 0

  constructor(bars: Bars, range: Range, missing: GapList) {
    this.range = range
    this.missing = missing
    this.grid = gridOf(range.calendar, range.timeframe)
    this.causeAt = makeCauses(range)
    this.isInSlot = makeIsInSlot(this.grid, range.timeframe)
    this.times = placeBars(bars, range)
    const { durationMs } = timeframes[range.timeframe]
    this.longMs = isIntraday(durationMs) ? longStretch * durationMs : Number.POSITIVE_INFINITY
  }

  /** @returns where to go on: the end of the range, or of a stretch that was skipped */
  walk(fromMs: number): number {
    const { start, end } = this.range
    const { times, counts } = this
    for (const slot of this.grid.slots(fromMs, end)) {
      if (slot.closeTime > end) break
      if (slot.time < start) continue
      this.passStrays(slot.time)
      let i = this.next
      if (i < times.length && (times[i] as number) < slot.closeTime) {
        while (i < times.length && (times[i] as number) < slot.closeTime) i++
        this.next = i
        counts.present++
        counts.expected++
        continue
      }
      const stretchEnd = this.stretchEnd(slot)
      const bars = stretchEnd === slot.closeTime ? 1 : this.grid.count(slot.time, stretchEnd)
      const last = bars === 1 ? slot : lastSlot(this.grid, slot, stretchEnd)
      const run = { start: slot.time, end: last.closeTime, bars }
      this.missing.addRun(run, counts.expected, this.causeAt(slot.time).cause)
      counts.expected += bars
      if (stretchEnd !== slot.closeTime) return stretchEnd
    }
    return end
  }

  end(): SlotCounts {
    // After the last finished slot an unfinished one may hold bars: neither expected nor out of place.
    for (; this.next < this.times.length; this.next++) this.countStray()
    return this.counts
  }

  private passStrays(untilMs: number): void {
    for (; (this.times[this.next] as number) < untilMs; this.next++) {
      // Before the first slot a bar may belong to one that began before the range.
      if (this.counts.expected > 0) this.counts.unscheduled++
      else this.countStray()
    }
  }

  private countStray(): void {
    if (!this.isInSlot(this.times[this.next] as number)) this.counts.unscheduled++
  }

  /** Where the slots after a missing one need a look again; its close time unless that is far. */
  private stretchEnd(slot: Slot): number {
    const { grid, range, longMs } = this
    const nextMs = this.times[this.next] ?? range.end
    if (nextMs - slot.time <= longMs) return slot.closeTime
    // The slot of the next bar, or the one that the range ends in the middle of, is not part of the stretch.
    const atNext = grid.slotAt(nextMs)?.time ?? nextMs
    const end = Math.min(atNext, this.causeAt(slot.time).until)
    return end - slot.time <= longMs ? slot.closeTime : end
  }
}

/** The last slot of a stretch that begins with `first` and ends before `toMs`. */
function lastSlot(grid: BarGrid, first: Slot, toMs: number): Slot {
  let last = first
  // Most markets are open on the last day of a stretch; after a holiday one has to look further back.
  for (let reachMs = dayMs; last === first; reachMs *= 4) {
    const fromMs = Math.max(first.time, toMs - reachMs)
    for (const slot of grid.slots(fromMs, toMs)) last = slot
    if (fromMs === first.time) break
  }
  return last
}

/**
 * Open times of the bars in the range. Daily and longer bars may be dated anywhere within their session, even
 * on the evening before: they are placed by their date, as the labels of slots are.
 */
function placeBars(bars: Bars, { calendar, timeframe, start, end }: Range): Float64Array {
  const times = bars.time.subarray(firstBarAt(bars, start), firstBarAt(bars, end))
  if (isIntraday(timeframes[timeframe].durationMs)) return times
  return times.map(time => barDateMs(time, timeframe, calendar))
}

/** Whether a slot holds a time as `placeBars` answers it. */
function makeIsInSlot(grid: BarGrid, timeframe: Timeframe): (timeMs: number) => boolean {
  if (isIntraday(timeframes[timeframe].durationMs)) return timeMs => grid.slotAt(timeMs) !== null
  return timeMs => {
    // No slot is longer than a month. Grids find labelled slots by session, which a label need not be in.
    for (const slot of grid.slots(timeMs - 31 * dayMs, timeMs + 1)) if (timeMs < slot.closeTime) return true
    return false
  }
}

function isIntraday(durationMs: number | null): durationMs is number {
  return durationMs !== null && durationMs < dayMs
}
