import { OrderLog } from './order-log.ts'
import { StepSeries } from './step-series.ts'
import { TradeList } from './trades.ts'

/**
 * Memory of a run, handed from run to run, so that only the longest allocates. What a run has returned is overwritten by
 * the next that is given the same memory.
 */
export class RunBuffers {
  readonly trades = new TradeList()
  private kept: OrderLog | null = null
  private column = new Float64Array(0)
  private readonly steps: StepSeries[] = []

  /** `length` numbers to be overwritten. */
  equity(length: number): Float64Array {
    if (this.column.length < length) this.column = new Float64Array(length)
    return this.column.subarray(0, length)
  }

  /** Gives all of it back at once: a garbage collector that sees small objects alone would wait. */
  release(): void {
    this.column.buffer.transfer(0)
    this.column = new Float64Array(0)
    this.trades.release()
    for (const series of this.steps) series.release()
    this.steps.length = 0
  }

  /** The series of this number, beginning with `first`. */
  series(index: number, first: number): StepSeries {
    const series = this.steps[index] ?? new StepSeries()
    this.steps[index] = series
    series.begin(first)
    return series
  }

  /** An empty list of orders, which forgets every order unless it is kept. */
  orders(isKept: boolean): OrderLog {
    if (!isKept) return new OrderLog(false)
    this.kept ??= new OrderLog(true)
    this.kept.clear()
    return this.kept
  }
}
