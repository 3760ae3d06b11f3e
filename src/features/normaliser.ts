import { checkFitRange, type FitRange, type FittedOn, sortedValuesIn } from '../fuzzy/fitted-range.ts'
import { createMembership } from '../fuzzy/registry.ts'
import { Problem } from '../problems.ts'
import { quantileOf } from '../statistics/quantile.ts'

/** How a raw feature is brought near the size of a membership. */
export const normalizations = {
  none: 'As it is',
  zscore: '(x − mean) / population standard deviation',
  minmax: '(x − least) / (greatest − least): 0–1 on the fitted range, beyond it outside',
  robust: '(x − median) / interquartile range: outliers move neither',
} as const

export type Normalization = keyof typeof normalizations

/** Whether `name` is in the table. */
export function isNormalization(name: string): name is Normalization {
  return Object.hasOwn(normalizations, name)
}

/** What was fitted for a feature as plain JSON: all that is needed to make its column of what it looks at. */
export type FittedNormaliser = FittedScale | FittedTerm

/** A term of a quantile set: y is the membership of x. */
export type FittedTerm = {
  readonly normalization: 'quantile'
  /** Of the membership, with its parameters in the unit of the column. */
  readonly type: string
  readonly parameters: readonly number[]
  readonly fitted_on: FittedOn
  readonly warning?: undefined
}

/** y = (x − offset) / scale, or 0 for every x where scale is 0. */
export type FittedScale = {
  readonly normalization: Normalization
  /** In the unit of the column. */
  readonly offset: number
  /** In the unit of the column; 0 for a constant column. */
  readonly scale: number
  /** Null with `none`, which is not fitted. */
  readonly fitted_on: FittedOn | null
  /** What a reader should know: a constant column, a scale that was replaced. */
  readonly warning?: string
}

/** Values that differ by less than this share of their size differ by rounding alone. */
const roundingShare = 1e-12

/**
 * Fits on the elements `from` to `to − 1` and nothing else; NaN is passed over. A constant column has scale 0: it
 * teaches nothing, so it is 0 everywhere, also where it moves later.
 * @throws {Problem} 'params-invalid' when the range is empty, outside the column, or holds no finite value
 */
export function fitNormaliser(
  values: Float64Array,
  normalization: Normalization,
  range: FitRange,
): FittedScale {
  checkFitRange(range, values.length)
  if (normalization === 'none') return { normalization, offset: 0, scale: 1, fitted_on: null }
  const sorted = sortedValuesIn(values, range)
  if (sorted.length === 0) {
    throw new Problem('params-invalid', `bars [${range.from}, ${range.to}) have no value to fit on`, {
      hint: 'Fit on a range that begins after the warm-up of the indicator.',
    })
  }
  const fitted_on = { from: range.from, to: range.to, values: sorted.length }
  // JSON has no −0: adding 0 makes the stored normaliser the fitted one, bit for bit.
  const least = (sorted[0] as number) + 0
  const greatest = sorted[sorted.length - 1] as number
  if (greatest - least <= roundingShare * Math.max(Math.abs(least), Math.abs(greatest))) {
    const warning = `constant (${least}) on the fitted range: the feature is 0 everywhere`
    return { normalization, offset: least, scale: 0, fitted_on, warning }
  }
  const { offset, scale, warning } = measure(sorted, normalization)
  if (!Number.isFinite(offset) || !Number.isFinite(scale))
    throw new Problem('params-invalid', `values up to ${greatest} are too large for ${normalization}`)
  return {
    normalization,
    offset: offset + 0,
    scale,
    fitted_on,
    ...(warning === undefined ? {} : { warning }),
  }
}

/**
 * The column on the fitted scale, or its memberships in the fitted term; the value at i depends on the input at i alone. NaN stays NaN.
 * @param out written and returned, same length as `values` (it may be `values`); a new column by default
 * @throws {RangeError} when the lengths differ
 */
export function applyNormaliser(
  values: Float64Array,
  fitted: FittedNormaliser,
  out: Float64Array = new Float64Array(values.length),
): Float64Array {
  if (fitted.normalization === 'quantile')
    return createMembership(fitted.type, fitted.parameters).evaluateAll(values, out)
  if (out.length !== values.length)
    throw new RangeError(`${values.length} values do not fit a column of ${out.length}`)
  const { offset, scale } = fitted
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (scale !== 0) out[i] = (value - offset) / scale
    // A constant column has a warm-up too.
    else out[i] = Number.isNaN(value) ? value : 0
  }
  return out
}

type Measured = { readonly offset: number; readonly scale: number; readonly warning?: string }

/** @param sorted ascending, not constant */
function measure(sorted: Float64Array, normalization: Exclude<Normalization, 'none'>): Measured {
  const least = sorted[0] as number
  switch (normalization) {
    case 'minmax':
      return { offset: least, scale: (sorted[sorted.length - 1] as number) - least }
    case 'zscore':
      return measureDeviation(sorted)
    case 'robust': {
      const offset = quantileOf(sorted, 0.5)
      const scale = quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)
      const spread = (sorted[sorted.length - 1] as number) - least
      if (scale > roundingShare * spread) return { offset, scale }
      const warning = `half of the values are about ${offset}, the interquartile range is 0: scaled by the standard deviation`
      return { offset, scale: measureDeviation(sorted).scale, warning }
    }
    default:
      return normalization satisfies never
  }
}

/**
 * Mean and population standard deviation, taken over the values moved and shrunk to 0–1: a large level costs no digits,
 * and squares neither overflow nor vanish.
 */
function measureDeviation(sorted: Float64Array): Measured {
  const least = sorted[0] as number
  const spread = (sorted[sorted.length - 1] as number) - least
  let sum = 0
  for (let i = 0; i < sorted.length; i++) sum += ((sorted[i] as number) - least) / spread
  const mean = sum / sorted.length
  let squares = 0
  for (let i = 0; i < sorted.length; i++) squares += (((sorted[i] as number) - least) / spread - mean) ** 2
  return { offset: least + mean * spread, scale: Math.sqrt(squares / sorted.length) * spread }
}
