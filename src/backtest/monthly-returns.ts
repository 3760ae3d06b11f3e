import type { EquityCurve } from './equity.ts'

/** Returns of the months of a year, UTC, as fractions; null for months without a bar, and after the equity was lost. */
export type YearOfReturns = {
  readonly year: number
  /** January first, 12 elements. */
  readonly months: (number | null)[]
  /** Of the whole year, or of the part of it that the run has. */
  readonly year_return_fraction: number | null
}

/**
 * A row per year with bars, oldest first. A month's return goes from the last close before it, or the initial capital,
 * to its last close; a bar that closes at midnight on the first belongs to the month that ends.
 * @param ends the points at which the return periods end: every month of the curve ends at one of them
 */
export function monthlyReturns(
  curve: EquityCurve,
  initialCapital: number,
  ends: Int32Array,
): YearOfReturns[] {
  const years: { year: number; months: (number | null)[]; year_return_fraction: number | null }[] = []
  let beforeMonth = initialCapital
  let beforeYear = initialCapital
  for (let k = 0; k < ends.length; k++) {
    const month = monthAt(curve, ends, k)
    if (k + 1 < ends.length && monthAt(curve, ends, k + 1) === month) continue
    const equity = curve.equity[ends[k] as number] as number
    const year = Math.floor(month / 12)
    let row = years.at(-1)
    if (row === undefined || row.year !== year) {
      beforeYear = beforeMonth
      row = { year, months: new Array<number | null>(12).fill(null), year_return_fraction: null }
      years.push(row)
    }
    row.months[month - year * 12] = beforeMonth > 0 ? equity / beforeMonth - 1 : null
    row.year_return_fraction = beforeYear > 0 ? equity / beforeYear - 1 : null
    beforeMonth = equity
  }
  return years
}

/** Months since the year 0. */
function monthAt({ time }: EquityCurve, ends: Int32Array, k: number): number {
  const date = new Date((time[ends[k] as number] as number) - 1)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
