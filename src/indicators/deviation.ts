import type { Series } from './series.ts'

/**
 * Standard deviation of the last `period` values, ≥ 0, exactly 0 when they are equal. First at value period − 1.
 * Means and squares are updated value by value (Welford 1962) and the two parts of a window joined (Chan, Golub and
 * LeVeque 1979) as in `window.ts`, so that neither large means nor values that have left cost digits.
 * @param freedom subtracted from the count: 0 for the population, 1 for a sample
 */
export function createDeviation(period: number, freedom: 0 | 1): Series {
  const inverse = Float64Array.from({ length: period + 1 }, (_, i) => 1 / i)
  const values = new Float64Array(period)
  const ends = createMomentEnds(period)
  const { means, squares } = ends
  const held = { at: 0, mean: 0, square: 0 }
  const divisor = period - freedom
  return input => {
    const output = new Float64Array(input.length)
    let { at, mean, square } = held
    for (let i = 0; i < output.length; ) {
      for (const stop = Math.min(output.length, i + period - at); i < stop; i++) {
        const value = input[i] as number
        if (Number.isNaN(value)) {
          output[i] = value
          continue
        }
        values[at] = value
        at++
        const distance = value - mean
        mean += distance * (inverse[at] as number)
        square += distance * (value - mean)
        const apart = mean - (means[at] as number)
        // Divided before it is squared: a mean far from an empty end must not overflow.
        const between = apart * (apart * ((period - at) * at * (inverse[period] as number)))
        output[i] = Math.sqrt(((squares[at] as number) + square + between) / divisor)
      }
      if (at < period) continue
      finishBlock(values, inverse, ends)
      at = 0
      mean = 0
      square = 0
    }
    Object.assign(held, { at, mean, square })
    return output
  }
}

/** Mean and sum of squared distances from it, of the ends of a finished block: index j has the values from j on. */
type MomentEnds = { readonly means: Float64Array; readonly squares: Float64Array }

/** NaN before a block is finished; the empty end at index `period` weighs nothing. */
function createMomentEnds(period: number): MomentEnds {
  const means = new Float64Array(period + 1)
  const squares = new Float64Array(period + 1).fill(Number.NaN)
  squares[period] = 0
  return { means, squares }
}

function finishBlock(values: Float64Array, inverse: Float64Array, { means, squares }: MomentEnds): void {
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
