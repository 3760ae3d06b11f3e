/** Standard deviations below this are rounding: a ratio over one would be a ratio of noise. */
export const negligible = 1e-12

/** Arithmetic mean of at least one value; NaN of none. */
export function mean(values: Float64Array): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i] as number
  return total / values.length
}

/** Sample standard deviation (n − 1) of at least two values, in two passes; NaN of fewer. */
export function standardDeviation(values: Float64Array): number {
  if (values.length < 2) return Number.NaN
  const average = mean(values)
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - average) ** 2
  return Math.sqrt(squares / (values.length - 1))
}

/** What a sample looks like. */
export type Moments = {
  readonly count: number
  readonly mean: number
  /** Sample standard deviation (n − 1). */
  readonly standard_deviation: number
  /** Moment estimator g₁ = m₃ / m₂^1.5; null where the sample does not vary. */
  readonly skewness: number | null
  /** Moment estimator b₂ = m₄ / m₂², 3 for a normal distribution (not the excess over it); null as `skewness`. */
  readonly kurtosis: number | null
}

/**
 * Moments of at least two values, about their mean, in two passes. Skewness and kurtosis divide by n, without the
 * small-sample corrections of pandas: those are the estimators of Bailey and López de Prado 2012 and SciPy's default.
 */
export function momentsOf(values: Float64Array): Moments {
  const { length } = values
  const average = mean(values)
  let second = 0
  let third = 0
  let fourth = 0
  for (let i = 0; i < length; i++) {
    const difference = (values[i] as number) - average
    const square = difference * difference
    second += square
    third += square * difference
    fourth += square * square
  }
  const standard_deviation = length < 2 ? Number.NaN : Math.sqrt(second / (length - 1))
  const varies = standard_deviation >= negligible
  const variance = second / length
  return {
    count: length,
    mean: average,
    standard_deviation,
    skewness: varies ? third / length / (variance * Math.sqrt(variance)) : null,
    kurtosis: varies ? fourth / length / (variance * variance) : null,
  }
}
