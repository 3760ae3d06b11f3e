import type { Bar } from './bars.ts'
import type { RowOrder } from './csv-order.ts'
import type { AmbiguousTime, DateOrder } from './csv-time.ts'

/** A row whose date waits until it is known whether the day or the month comes first. */
export type HeldRow = Omit<Bar, 'time' | 'close_time'> & {
  readonly line: number
  readonly time: number | AmbiguousTime
}

/** Rows that may be held: minute bars of two months. */
export const maxHeldRows = 100_000

export function timeOf(time: number | AmbiguousTime, order: DateOrder): number {
  return typeof time === 'number' ? time : time[order]
}

/**
 * Judges by the order of the rows how their dates are written: the reading that leaves them in order while the other
 * one does not.
 * @param state of the rows before them
 * @returns null when both or none do
 */
export function orderThatFits(rows: readonly HeldRow[], state: RowOrder): DateOrder | null {
  const fits = (order: DateOrder) => {
    const watch = state.copy()
    return rows.every(row => watch.next(timeOf(row.time, order)) === null)
  }
  const [dayFirst, monthFirst] = [fits('day_first'), fits('month_first')]
  if (dayFirst === monthFirst) return null
  return dayFirst ? 'day_first' : 'month_first'
}
