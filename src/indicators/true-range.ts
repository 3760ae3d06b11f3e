import type { IndicatorInput } from './indicator.ts'

/** The columns that it reads. */
export type RangeInput = Pick<IndicatorInput, 'length' | 'high' | 'low' | 'close'>

/**
 * True range: the largest of high − low, |high − previous close| and |low − previous close|. NaN on bar 0, which has
 * no previous close. Source: Wilder 1978.
 */
export function createTrueRange(): (bars: RangeInput, output?: Float64Array) => Float64Array {
  let held = Number.NaN
  return ({ length, high, low, close }, output = new Float64Array(length)) => {
    let previous = held
    for (let i = 0; i < length; i++) {
      const top = high[i] as number
      const bottom = low[i] as number
      // A comparison with NaN is false, so bar 0 is NaN by the sum alone.
      const above = previous > top ? previous : top
      const below = previous < bottom ? previous : bottom
      output[i] = above - below + (previous - previous)
      previous = close[i] as number
    }
    held = previous
    return output
  }
}
