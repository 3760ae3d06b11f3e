import { mean, negligible } from './moments.ts'

/** The straight line through pairs with the least squared error. */
export type LinearFit = {
  readonly slope: number
  readonly intercept: number
  /** Pearson's, −1–1; null where y does not vary. */
  readonly correlation: number | null
}

/**
 * Ordinary least squares of y on x. @param x, y at least two pairs, of equal length
 * @returns null where x does not vary: every line through it fits as well
 */
export function fitLine(x: Float64Array, y: Float64Array): LinearFit | null {
  const { length } = x
  const meanX = mean(x)
  const meanY = mean(y)
  let xx = 0
  let yy = 0
  let xy = 0
  for (let i = 0; i < length; i++) {
    const dx = (x[i] as number) - meanX
    const dy = (y[i] as number) - meanY
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  const least = negligible * negligible * length
  if (length < 2 || !(xx > least)) return null
  const slope = xy / xx
  return {
    slope,
    intercept: meanY - slope * meanX,
    correlation: yy > least ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))) : null,
  }
}
