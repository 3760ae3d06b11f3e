import { formatTime } from '../market/bars.ts'
import { Problem } from '../problems.ts'

/** Columns over bars of another timeframe or source, one element per bar, with the bars' close times. */
export type JoinedColumns = {
  /** Epoch ms UTC at which each value may be used, never decreasing. */
  readonly close_time: Float64Array
  readonly columns: readonly Float64Array[]
}

/**
 * For every base bar the other bar it may look at: the last one with close time ≤ the base bar's close time, −1 before
 * the first. One merge over both: O(base + other). Open times play no part: a bar stamped 00:00 is not known at 00:00.
 * @param baseCloseTime, otherCloseTime epoch ms UTC, never decreasing
 * @throws {Problem} 'bars-invalid' when close times decrease or are not numbers, in the part that is read
 */
export function asOfIndexes(baseCloseTime: Float64Array, otherCloseTime: Float64Array): Int32Array {
  const indexes = new Int32Array(baseCloseTime.length)
  let last = -1
  let previous = Number.NEGATIVE_INFINITY
  let lastClose = Number.NEGATIVE_INFINITY
  for (let i = 0; i < baseCloseTime.length; i++) {
    const now = baseCloseTime[i] as number
    if (!(now >= previous)) throw outOfOrder('base', i, now)
    previous = now
    while (last + 1 < otherCloseTime.length) {
      const next = otherCloseTime[last + 1] as number
      if (!(next >= lastClose)) throw outOfOrder('joined', last + 1, next)
      if (next > now) break
      lastClose = next
      last++
    }
    indexes[i] = last
  }
  return indexes
}

/**
 * The columns of `other` as they were known at the close of every base bar; NaN before its first bar has closed, and
 * NaN where its value is NaN: nothing is filled, neither from before nor from after.
 * @returns one column per column of `other`, as long as the base
 * @throws {Problem} 'bars-invalid' when close times decrease
 * @throws {RangeError} when a column and its close times differ in length
 */
export function asOfJoin(base: { readonly close_time: Float64Array }, other: JoinedColumns): Float64Array[] {
  const { close_time, columns } = other
  for (const column of columns) {
    if (column.length !== close_time.length)
      throw new RangeError(`a column of ${column.length} values does not fit ${close_time.length} bars`)
  }
  const indexes = asOfIndexes(base.close_time, close_time)
  return columns.map(column => takeAt(column, indexes))
}

/** The values at `indexes` of `asOfIndexes`; NaN where the index is −1. */
export function takeAt(column: Float64Array, indexes: Int32Array): Float64Array {
  const taken = new Float64Array(indexes.length)
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] as number
    taken[i] = index < 0 ? Number.NaN : (column[index] as number)
  }
  return taken
}

function outOfOrder(which: string, bar: number, timeMs: number): Problem {
  const detail = `the ${which} bars are not in the order of their close times: bar ${bar} closes at ${formatTime(timeMs)}`
  return new Problem('bars-invalid', detail, {
    hint: 'Sort the bars by time and remove duplicates, then import them again.',
  })
}
