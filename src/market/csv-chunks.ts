import { type Bars, barFields } from './bars.ts'
import { type BarColumns, emptyColumns } from './bars-builder.ts'

/** Bars on their way out, in the order in which they were written; given out a chunk at a time. */
export class BarChunks {
  private readonly size: number
  private readonly closeTimeOf: (openMs: number) => number
  private readonly full: BarColumns[] = []
  private last: BarColumns
  private count = 0

  /** @param size bars of a chunk */
  constructor(size: number, closeTimeOf: (openMs: number) => number) {
    this.size = size
    this.closeTimeOf = closeTimeOf
    this.last = emptyColumns(256)
  }

  add(row: Omit<Record<(typeof barFields)[number], number>, 'close_time'>): void {
    if (this.count === this.last.time.length) this.grow()
    const { last, count } = this
    last.time[count] = row.time
    last.open[count] = row.open
    last.high[count] = row.high
    last.low[count] = row.low
    last.close[count] = row.close
    last.volume[count] = row.volume
    this.count++
  }

  /** The chunk written longest ago, oldest bar first, or null when none is full. It belongs to the caller. */
  take(descending: boolean): Bars | null {
    const columns = this.full.shift()
    return columns === undefined ? null : this.finish(columns, this.size, descending)
  }

  /** All that is left, oldest first. */
  rest(descending: boolean): Bars {
    const chunks = this.full.splice(0).map(columns => this.finish(columns, this.size, descending))
    chunks.push(this.finish(this.last, this.count, descending))
    this.last = emptyColumns(0)
    this.count = 0
    if (descending) chunks.reverse()
    return joined(chunks)
  }

  private grow(): void {
    const { last, count, size } = this
    if (count === size) {
      this.full.push(last)
      this.last = emptyColumns(size)
      this.count = 0
      return
    }
    this.last = emptyColumns(Math.min(size, Math.max(256, count * 4)))
    for (const field of barFields) this.last[field].set(last[field])
  }

  private finish(columns: BarColumns, length: number, descending: boolean): Bars {
    for (let i = 0; i < length; i++) columns.close_time[i] = this.closeTimeOf(columns.time[i] as number)
    const bars = { length, ...columns }
    for (const field of barFields) {
      bars[field] = columns[field].subarray(0, length)
      if (descending) bars[field].reverse()
    }
    return bars
  }
}

function joined(chunks: readonly Bars[]): Bars {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const columns = emptyColumns(length)
  let at = 0
  for (const chunk of chunks) {
    for (const field of barFields) columns[field].set(chunk[field], at)
    at += chunk.length
  }
  return { length, ...columns }
}
