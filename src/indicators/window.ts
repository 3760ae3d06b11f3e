import type { Series } from './series.ts'

/**
 * Sliding windows in O(1) per value and without subtracting what leaves, so that no rounding error outlives its
 * window and no value leaves a trace. The values are cut into blocks of `period`. A window is the end of one block and
 * the beginning of the next: for the finished block every end is summed once, backwards; the beginning grows with each
 * value. Source for extremes: van Herk 1992, Gil and Werman 1993; it works for everything that can be joined.
 */
type Blocks = {
  /** Values of the block that is growing. */
  readonly values: Float64Array
  /** How many it has. */
  at: number
  /** Whether a block before it is finished. */
  ready: boolean
}

function createBlocks(period: number): Blocks {
  return { values: new Float64Array(period), at: 0, ready: false }
}

/** Sum of the last `period` values. First at value period − 1. */
export function createWindowSum(period: number): Series {
  const blocks = createBlocks(period)
  const { values } = blocks
  const ends = new Float64Array(period)
  let beginning = 0
  return input => {
    const output = new Float64Array(input.length)
    let { at, ready } = blocks
    let sum = beginning
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) {
        output[i] = Number.NaN
        continue
      }
      values[at] = value
      at++
      sum += value
      if (at < period) {
        output[i] = ready ? sum + (ends[at] as number) : Number.NaN
        continue
      }
      output[i] = sum
      for (let j = period - 1, end = 0; j >= 0; j--) {
        end += values[j] as number
        ends[j] = end
      }
      sum = 0
      at = 0
      ready = true
    }
    Object.assign(blocks, { at, ready })
    beginning = sum
    return output
  }
}

/** Greatest (sign 1) or least (sign −1) of the last `period` values. First at value period − 1. */
export function createWindowExtreme(period: number, sign: 1 | -1): Series {
  const blocks = createBlocks(period)
  const { values } = blocks
  const ends = new Float64Array(period)
  let beginning = Number.NEGATIVE_INFINITY
  return input => {
    const output = new Float64Array(input.length)
    let { at, ready } = blocks
    let best = beginning
    for (let i = 0; i < output.length; i++) {
      const value = sign * (input[i] as number)
      if (Number.isNaN(value)) {
        output[i] = Number.NaN
        continue
      }
      values[at] = value
      at++
      if (value > best) best = value
      if (at < period) {
        const end = ends[at] as number
        output[i] = ready ? sign * (end > best ? end : best) : Number.NaN
        continue
      }
      output[i] = sign * best
      for (let j = period - 1, end = Number.NEGATIVE_INFINITY; j >= 0; j--) {
        if ((values[j] as number) > end) end = values[j] as number
        ends[j] = end
      }
      best = Number.NEGATIVE_INFINITY
      at = 0
      ready = true
    }
    Object.assign(blocks, { at, ready })
    beginning = best
    return output
  }
}

/** Σ i·xᵢ of the last `period` values, i from 1 for the oldest to `period` for the newest. First at value period − 1. */
export function createWindowWeighted(period: number): Series {
  const blocks = createBlocks(period)
  const { values } = blocks
  const ends = new Float64Array(period)
  let plainBeginning = 0
  let weightedBeginning = 0
  return input => {
    const output = new Float64Array(input.length)
    let { at, ready } = blocks
    let plain = plainBeginning
    let weighted = weightedBeginning
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) {
        output[i] = Number.NaN
        continue
      }
      values[at] = value
      at++
      plain += value
      weighted += at * value
      if (at < period) {
        // The beginning stands behind the end, so each of its values weighs so many more.
        output[i] = ready ? (ends[at] as number) + weighted + (period - at) * plain : Number.NaN
        continue
      }
      output[i] = weighted
      for (let j = period - 1, sum = 0, end = 0; j >= 0; j--) {
        sum += values[j] as number
        end += sum
        ends[j] = end
      }
      plain = 0
      weighted = 0
      at = 0
      ready = true
    }
    Object.assign(blocks, { at, ready })
    plainBeginning = plain
    weightedBeginning = weighted
    return output
  }
}
