import { formatTime } from './bars.ts'
import { closeTimeMs, dayMs, type Timeframe, timeframes } from './timeframe.ts'

const hourMs = 3_600_000

/** Watches that rows are oldest first or newest first throughout and at least a timeframe apart. */
export class RowOrder {
  private readonly timeframe: Timeframe
  private readonly toleranceMs: number
  private previousMs = Number.NaN
  private isDescending: boolean | null = null

  constructor(timeframe: Timeframe) {
    this.timeframe = timeframe
    const { durationMs } = timeframes[timeframe]
    // Days stamped at local midnight are 23 hours apart when the clocks change.
    this.toleranceMs = durationMs === null || durationMs >= dayMs ? hourMs : 0
  }

  /** Decided by the first two different times; false while unknown. */
  get descending(): boolean {
    return this.isDescending === true
  }

  /** The fault of the next row's open time, or null. */
  next(timeMs: number): { code: string; message: string } | null {
    const previousMs = this.previousMs
    this.previousMs = timeMs
    if (Number.isNaN(previousMs)) return null
    if (timeMs === previousMs) return { code: 'duplicate', message: `${formatTime(timeMs)} occurs twice` }
    this.isDescending ??= timeMs < previousMs
    if (this.isDescending !== timeMs < previousMs) {
      const order = this.isDescending ? 'newest first' : 'oldest first'
      return { code: 'order', message: `${formatTime(timeMs)} is out of order: the rows are ${order}` }
    }
    const earlierMs = Math.min(timeMs, previousMs)
    if (closeTimeMs(earlierMs, this.timeframe) <= Math.max(timeMs, previousMs) + this.toleranceMs) return null
    const question = 'is that the timeframe of this file?'
    return {
      code: 'overlap',
      message: `${formatTime(timeMs)} is closer to its neighbour than ${this.timeframe}: ${question}`,
    }
  }
}
