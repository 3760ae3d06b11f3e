import { formatTime } from './bars.ts'
import { closeTimeMs, dayMs, type Timeframe, timeframes } from './timeframe.ts'

const hourMs = 3_600_000

/** Watches that rows are oldest first or newest first throughout and at least a timeframe apart. */
export class RowOrder {
  private readonly timeframe: Timeframe
  private readonly durationMs: number | null
  private readonly toleranceMs: number
  private previousMs = Number.NaN
  private isDescending: boolean | null = null

  constructor(timeframe: Timeframe) {
    this.timeframe = timeframe
    const { durationMs } = timeframes[timeframe]
    this.durationMs = durationMs
    // Days stamped at local midnight are 23 hours apart when the clocks change.
    this.toleranceMs = durationMs === null || durationMs >= dayMs ? hourMs : 0
  }

  /** Decided by the first two different times; false while unknown. */
  get descending(): boolean {
    return this.isDescending === true
  }

  /** One in the same state, to try rows with. */
  copy(): RowOrder {
    const copy = new RowOrder(this.timeframe)
    copy.previousMs = this.previousMs
    copy.isDescending = this.isDescending
    return copy
  }

  /** The fault of the next row's open time, or null. */
  next(timeMs: number): { code: string; message: string } | null {
    const previousMs = this.previousMs
    this.previousMs = timeMs
    if (Number.isNaN(previousMs)) return null
    if (timeMs === previousMs) return { code: 'duplicate', message: `${formatTime(timeMs)} occurs twice` }
    const isDescending = timeMs < previousMs
    this.isDescending ??= isDescending
    if (this.isDescending !== isDescending) {
      const order = this.isDescending ? 'newest first' : 'oldest first'
      return { code: 'order', message: `${formatTime(timeMs)} is out of order: the rows are ${order}` }
    }
    const earlierMs = isDescending ? timeMs : previousMs
    const laterMs = isDescending ? previousMs : timeMs
    const closeMs =
      this.durationMs === null ? closeTimeMs(earlierMs, this.timeframe) : earlierMs + this.durationMs
    if (closeMs <= laterMs + this.toleranceMs) return null
    const question = 'is that the timeframe of this file?'
    return {
      code: 'overlap',
      message: `${formatTime(timeMs)} is closer to its neighbour than ${this.timeframe}: ${question}`,
    }
  }
}
