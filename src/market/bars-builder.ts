import { type Bar, type Bars, barFields } from './bars.ts'

/** The columns of `Bars`, to be filled. */
export type BarColumns = Record<(typeof barFields)[number], Float64Array>

/**
 * Seven columns of zeros.
 * @param length values of each
 * @param allocate memory for one column, e.g. one that threads share
 */
export function emptyColumns(
  length: number,
  allocate: (bytes: number) => ArrayBufferLike = bytes => new ArrayBuffer(bytes),
): BarColumns {
  const column = () => new Float64Array(allocate(length * Float64Array.BYTES_PER_ELEMENT))
  return {
    time: column(),
    close_time: column(),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
  }
}

/** The same bars in memory that threads can share; what lies in such memory already is not copied. */
export function shareBars(bars: Bars): Bars {
  const { length } = bars
  if (bars.time.buffer instanceof SharedArrayBuffer) return bars
  const columns = emptyColumns(length, bytes => new SharedArrayBuffer(bytes))
  for (const field of barFields) columns[field].set(bars[field])
  return { length, ...columns }
}

/** Columns that grow by doubling: appending n bars costs O(n) and at most twice their memory. */
export class BarsBuilder {
  private capacity: number
  private count = 0
  private columns: BarColumns

  /** @param capacity bars expected; more are accepted */
  constructor(capacity = 1024) {
    this.capacity = Math.max(16, capacity)
    this.columns = emptyColumns(this.capacity)
  }

  get length(): number {
    return this.count
  }

  /** Adds one bar after the others, unchecked: `checkBars` judges the result. */
  append(row: Bar): void {
    if (this.count === this.capacity) this.grow()
    for (const field of barFields) this.columns[field][this.count] = row[field]
    this.count++
  }

  /** Turns newest-first into oldest-first, in place. */
  reverse(): void {
    for (const field of barFields) this.columns[field].subarray(0, this.count).reverse()
  }

  /** The bars so far. The columns are views of the builder's memory: append nothing afterwards. */
  build(): Bars {
    const { time, close_time, open, high, low, close, volume } = this.columns
    const view = (column: Float64Array) => column.subarray(0, this.count)
    return {
      length: this.count,
      time: view(time),
      close_time: view(close_time),
      open: view(open),
      high: view(high),
      low: view(low),
      close: view(close),
      volume: view(volume),
    }
  }

  private grow(): void {
    const larger = emptyColumns(this.capacity * 2)
    for (const field of barFields) larger[field].set(this.columns[field])
    this.columns = larger
    this.capacity *= 2
  }
}
