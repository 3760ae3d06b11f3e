import type { Series } from './series.ts'

/*
 * Sliding windows in O(1) per value and without subtracting what leaves, so that no rounding error outlives its window
 * and no value leaves a trace. The values are cut into blocks of `period`. A window is the end of one block and the
 * beginning of the next: each end of the finished block is summed once, backwards; the beginning grows with each value.
 * The ends are NaN before a block is finished, which makes the warm-up, and there is an empty one at index `period`.
 * Source for extremes: van Herk 1992, Gil and Werman 1993; it works for everything that can be joined.
 */

/** Sum of the last `period` values. First at value period − 1. */
export function createWindowSum(period: number): Series {
  const values = new Float64Array(period)
  const ends = createEnds(period, 0)
  const held = { at: 0, sum: 0 }
  return input => {
    const output = new Float64Array(input.length)
    let { at, sum } = held
    for (let i = 0; i < output.length; ) {
      for (const stop = Math.min(output.length, i + period - at); i < stop; i++) {
        const value = input[i] as number
        if (Number.isNaN(value)) {
          output[i] = value
          continue
        }
        values[at] = value
        at++
        sum += value
        output[i] = sum + (ends[at] as number)
      }
      if (at < period) continue
      sumEnds(values, ends, 0)
      at = 0
      sum = 0
    }
    held.at = at
    held.sum = sum
    return output
  }
}

/** Greatest (sign 1) or least (sign −1) of the last `period` values. First at value period − 1. */
export function createWindowExtreme(period: number, sign: 1 | -1): Series {
  const values = new Float64Array(period)
  const ends = createEnds(period, Number.NEGATIVE_INFINITY)
  const held = { at: 0, best: Number.NEGATIVE_INFINITY }
  return input => {
    const output = new Float64Array(input.length)
    let { at, best } = held
    for (let i = 0; i < output.length; ) {
      for (const stop = Math.min(output.length, i + period - at); i < stop; i++) {
        const value = sign * (input[i] as number)
        if (Number.isNaN(value)) {
          output[i] = value
          continue
        }
        values[at] = value
        at++
        best = Math.max(best, value)
        output[i] = sign * Math.max(best, ends[at] as number)
      }
      if (at < period) continue
      for (let j = period - 1, end = Number.NEGATIVE_INFINITY; j >= 0; j--) {
        end = Math.max(end, values[j] as number)
        ends[j] = end
      }
      at = 0
      best = Number.NEGATIVE_INFINITY
    }
    held.at = at
    held.best = best
    return output
  }
}

/** Σ i·xᵢ of the last `period` values, i from 1 for the oldest to `period` for the newest. First at value period − 1. */
export function createWindowWeighted(period: number): Series {
  const values = new Float64Array(period)
  const ends = createEnds(period, 0)
  const held = { at: 0, plain: 0, weighted: 0 }
  return input => {
    const output = new Float64Array(input.length)
    let { at, plain, weighted } = held
    for (let i = 0; i < output.length; ) {
      for (const stop = Math.min(output.length, i + period - at); i < stop; i++) {
        const value = input[i] as number
        if (Number.isNaN(value)) {
          output[i] = value
          continue
        }
        values[at] = value
        at++
        plain += value
        weighted += at * value
        // The beginning stands behind the end, so each of its values weighs so many more.
        output[i] = (ends[at] as number) + weighted + (period - at) * plain
      }
      if (at < period) continue
      for (let j = period - 1, sum = 0, end = 0; j >= 0; j--) {
        sum += values[j] as number
        end += sum
        ends[j] = end
      }
      at = 0
      plain = 0
      weighted = 0
    }
    Object.assign(held, { at, plain, weighted })
    return output
  }
}

/** Sums of the ends of the finished block that starts at `from`: index j has the values from its j-th on. */
export function sumEnds(values: Float64Array, ends: Float64Array, from: number): void {
  for (let j = ends.length - 2, end = 0; j >= 0; j--) {
    end += values[from + j] as number
    ends[j] = end
  }
}

/** NaN for the ends of a block that is not finished, and the empty end. */
export function createEnds(period: number, empty: number): Float64Array {
  const ends = new Float64Array(period + 1).fill(Number.NaN)
  ends[period] = empty
  return ends
}
