import { Problem } from '../problems.ts'

/** Indexes `from` ≤ i < `to` of a column: what something is fitted on, and nothing outside it. */
export type FitRange = { readonly from: number; readonly to: number }

/** The range something was fitted on, stored with it. */
export type FittedOn = FitRange & {
  /** Finite values in the range. */
  readonly values: number
}

/**
 * The finite values of a range, ascending. Only elements `from` to `to − 1` are read.
 * @throws {Problem} 'params-invalid' when the range is empty or not within the column
 */
export function sortedValuesIn(values: Float64Array, { from, to }: FitRange): Float64Array {
  checkFitRange({ from, to }, values.length)
  return values.slice(from, to).filter(Number.isFinite).sort()
}

/** @throws {Problem} 'params-invalid' unless 0 ≤ from < to ≤ length, all whole numbers */
export function checkFitRange({ from, to }: FitRange, length: number): void {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= length) return
  throw new Problem('params-invalid', `cannot fit on [${from}, ${to}) of ${length} bars`, {
    hint: 'The range is half-open: 0 ≤ from < to ≤ number of bars.',
  })
}
