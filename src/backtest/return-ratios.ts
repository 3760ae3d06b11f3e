import { mean, negligible, standardDeviation } from '../statistics/moments.ts'
import { quantileOf } from '../statistics/quantile.ts'

/** √(mean of min(return − required, 0)² over all returns), per period. Source: empyrical `downside_risk`. */
export function downsideDeviation(returns: Float64Array, required = 0): number {
  let squares = 0
  for (let i = 0; i < returns.length; i++) {
    const below = (returns[i] as number) - required
    if (below < 0) squares += below * below
  }
  return Math.sqrt(squares / returns.length)
}

/** Σ of what returns are above the threshold / Σ of what they are below; null without any below. Source: empyrical. */
export function omegaOf(returns: Float64Array, threshold = 0): number | null {
  let above = 0
  let below = 0
  for (let i = 0; i < returns.length; i++) {
    const difference = (returns[i] as number) - threshold
    if (difference > 0) above += difference
    else below -= difference
  }
  return below < negligible ? null : above / below
}

/** |95th percentile / 5th percentile|; null where the 5th is 0. Source: empyrical `tail_ratio`. */
export function tailRatioOf(sorted: Float64Array): number | null {
  const low = Math.abs(quantileOf(sorted, 0.05))
  return low < negligible ? null : Math.abs(quantileOf(sorted, 0.95)) / low
}

/** Mean of the lowest ⌊(n − 1) · fraction⌋ + 1 values. @param sorted ascending  Source: empyrical. */
export function expectedShortfall(sorted: Float64Array, fraction: number): number {
  return mean(sorted.subarray(0, Math.floor((sorted.length - 1) * fraction) + 1))
}

/** Mean of the differences / their standard deviation (n − 1), per period; null where they do not vary. */
export function informationRatio(returns: Float64Array, benchmark: Float64Array): number | null {
  const active = returns.map((value, i) => value - (benchmark[i] as number))
  const deviation = standardDeviation(active)
  return deviation >= negligible ? mean(active) / deviation : null
}

/** Geometric mean of 1 + return, less 1; null where a return is −100 % or worse. */
export function geometricMean(returns: Float64Array): number | null {
  let logs = 0
  for (let i = 0; i < returns.length; i++) {
    const growth = 1 + (returns[i] as number)
    if (!(growth > 0)) return null
    logs += Math.log(growth)
  }
  return Math.expm1(logs / returns.length)
}

/**
 * R² of a straight line through the logarithm of the growth, 0–1: 1 for growth as steady as a clock. Null where it
 * does not grow or fall at all. Source: empyrical `stability_of_timeseries`.
 */
export function stabilityOf(returns: Float64Array): number | null {
  const { length } = returns
  const logs = new Float64Array(length)
  let total = 0
  for (let i = 0; i < length; i++) {
    total += Math.log1p(returns[i] as number)
    logs[i] = total
  }
  const average = mean(logs)
  const middle = (length - 1) / 2
  let xy = 0
  let yy = 0
  for (let i = 0; i < length; i++) {
    const difference = (logs[i] as number) - average
    xy += (i - middle) * difference
    yy += difference * difference
  }
  const xx = (length * (length * length - 1)) / 12
  return yy < negligible * negligible ? null : Math.min(1, (xy * xy) / (xx * yy))
}

/** √(mean of the squared drawdowns at the ends of the periods). Source: Martin and McCann 1989, the ulcer index. */
export function ulcerIndex(returns: Float64Array): number {
  let value = 1
  let peak = 1
  let squares = 0
  for (let i = 0; i < returns.length; i++) {
    value *= 1 + (returns[i] as number)
    if (value > peak) peak = value
    squares += ((peak - value) / peak) ** 2
  }
  return Math.sqrt(squares / returns.length)
}
