import type { Series } from './series.ts'

/** Mean and sum of squared distances from it, of the ends of a finished block: index j has the values from j on. */
type Ends = { readonly means: Float64Array; readonly squares: Float64Array }

/**
 * Standard deviation of the last `period` values, ≥ 0, exactly 0 when they are equal. First at value period − 1.
 * Means and squares are updated value by value (Welford 1962) and the two parts of a window joined (Chan, Golub and
 * LeVeque 1979) as in `window.ts`, so that neither large means nor values that have left cost digits.
 * @param freedom subtracted from the count: 0 for the population, 1 for a sample
 */
export function createDeviation(period: number, freedom: 0 | 1): Series {
  const inverse = Float64Array.from({ length: period + 1 }, (_, i) => 1 / i)
  const values = new Float64Array(period)
  const ends: Ends = { means: new Float64Array(period), squares: new Float64Array(period) }
  const { means, squares } = ends
  const held = { at: 0, mean: 0, square: 0, ready: false }
  const divisor = period - freedom
  return input => {
    const output = new Float64Array(input.length)
    let { at, mean, square, ready } = held
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) {
        output[i] = Number.NaN
        continue
      }
      values[at] = value
      at++
      const distance = value - mean
      mean += distance * (inverse[at] as number)
      square += distance * (value - mean)
      if (at === period) {
        output[i] = Math.sqrt(square / divisor)
        finishBlock(values, inverse, ends)
        mean = 0
        square = 0
        at = 0
        ready = true
      } else if (ready) {
        const apart = mean - (means[at] as number)
        const between = apart * apart * (period - at) * at * (inverse[period] as number)
        output[i] = Math.sqrt(((squares[at] as number) + square + between) / divisor)
      } else {
        output[i] = Number.NaN
      }
    }
    Object.assign(held, { at, mean, square, ready })
    return output
  }
}

function finishBlock(values: Float64Array, inverse: Float64Array, { means, squares }: Ends): void {
  const period = values.length
  let mean = 0
  let square = 0
  for (let j = period - 1; j >= 0; j--) {
    const value = values[j] as number
    const distance = value - mean
    mean += distance * (inverse[period - j] as number)
    square += distance * (value - mean)
    means[j] = mean
    squares[j] = square
  }
}
