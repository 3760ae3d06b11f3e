import type { Series } from './series.ts'

/**
 * Standard deviation of the last `period` values, ≥ 0, exactly 0 when they are equal. First at value period − 1.
 * Means and squares are updated value by value (Welford 1962) and the two parts of a window joined (Chan, Golub and
 * LeVeque 1979) as in `window.ts`, so that neither large means nor values that have left cost digits.
 * @param freedom subtracted from the count: 0 for the population, 1 for a sample
 */
export function createDeviation(period: number, freedom: 0 | 1): Series {
  const block = createBlock(period, freedom)
  return input => {
    const output = new Float64Array(input.length)
    let i = 0
    while (i < input.length) {
      if (block.at === 0) i = measureBlocks(block, input, output, i)
      i = measureSingly(block, input, output, i)
    }
    return output
  }
}

/** A block of which `at` values are known, with the moments of these and of the ends of the block before. */
type MomentBlock = Moments & {
  readonly values: Float64Array
  readonly ends: MomentEnds
  readonly weights: Weights
  readonly divisor: number
  at: number
}

type Moments = { mean: number; square: number }

/** Mean and sum of squared distances from it, of the ends of a finished block: index j has the values from j on. */
type MomentEnds = { readonly means: Float64Array; readonly squares: Float64Array }

/** By how many values begin the window: 1 / count, and what the distance between the two means weighs. */
type Weights = { readonly inverse: Float64Array; readonly between: Float64Array }

/** The ends are NaN before a block is finished; the empty end at index `period` weighs nothing. */
function createBlock(period: number, freedom: 0 | 1): MomentBlock {
  const inverse = Float64Array.from({ length: period + 1 }, (_, i) => 1 / i)
  const between = inverse.map((_, i) => (period - i) * i * (inverse[period] as number))
  const means = new Float64Array(period + 1)
  const squares = new Float64Array(period + 1).fill(Number.NaN)
  squares[period] = 0
  return {
    values: new Float64Array(period),
    ends: { means, squares },
    weights: { inverse, between },
    divisor: period - freedom,
    at: 0,
    mean: 0,
    square: 0,
  }
}

/** Whole blocks without a NaN. @returns index of the first value that is left */
function measureBlocks(block: MomentBlock, input: Float64Array, output: Float64Array, from: number): number {
  const { values, ends, weights, divisor } = block
  const { means, squares } = ends
  const { inverse, between } = weights
  const period = values.length
  let i = from
  for (; i + period <= input.length; i += period) {
    let mean = 0
    let square = 0
    for (let at = 1, j = i; at <= period; at++, j++) {
      const value = input[j] as number
      const distance = value - mean
      mean += distance * (inverse[at] as number)
      square += distance * (value - mean)
      const apart = mean - (means[at] as number)
      // Multiplied one by one: a mean far from an empty end must not overflow.
      const joined = (squares[at] as number) + square + apart * (apart * (between[at] as number))
      output[j] = Math.sqrt(joined / divisor)
    }
    if (Number.isNaN(square)) break
    measureEnds(input, i, inverse, ends)
  }
  return i
}

/** Goes on to the end of the block or of the input. @returns index of the first value that is left */
function measureSingly(block: MomentBlock, input: Float64Array, output: Float64Array, from: number): number {
  const { values, ends, weights, divisor } = block
  const period = values.length
  let i = from
  for (; i < input.length && block.at < period; i++) {
    const value = input[i] as number
    output[i] = value
    if (Number.isNaN(value)) continue
    values[block.at] = value
    block.at++
    const { at } = block
    const distance = value - block.mean
    block.mean += distance * (weights.inverse[at] as number)
    block.square += distance * (value - block.mean)
    const apart = block.mean - (ends.means[at] as number)
    const between = apart * (apart * (weights.between[at] as number))
    output[i] = Math.sqrt(((ends.squares[at] as number) + block.square + between) / divisor)
  }
  if (block.at === period) {
    measureEnds(values, 0, weights.inverse, ends)
    Object.assign(block, { at: 0, mean: 0, square: 0 })
  }
  return i
}

/** The moments of the ends of the finished block that starts at `from`. */
function measureEnds(
  values: Float64Array,
  from: number,
  inverse: Float64Array,
  { means, squares }: MomentEnds,
): void {
  const period = means.length - 1
  let mean = 0
  let square = 0
  for (let j = period - 1; j >= 0; j--) {
    const value = values[from + j] as number
    const distance = value - mean
    mean += distance * (inverse[period - j] as number)
    square += distance * (value - mean)
    means[j] = mean
    squares[j] = square
  }
}
