import type { Series } from './series.ts'
import { createEnds, createWindowWeighted, sumEnds } from './window.ts'

/**
 * Mean of the last `period` values; of equal values exactly that value: rounding would make a flat market cross its own
 * average. First at value period − 1. The sum is that of `createWindowSum`, in one loop because everybody uses it.
 */
export function createSma(period: number): Series {
  const values = new Float64Array(period)
  const ends = createEnds(period, 0)
  const held = { at: 0, sum: 0, last: Number.NaN, run: 0 }
  return input => {
    const output = new Float64Array(input.length)
    let { at, sum, last, run } = held
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
        run = value === last ? run + 1 : 1
        last = value
        output[i] = run < period ? (sum + (ends[at] as number)) / period : value
      }
      if (at < period) continue
      sumEnds(values, ends)
      at = 0
      sum = 0
    }
    Object.assign(held, { at, sum, last, run })
    return output
  }
}

/** Mean weighted 1 for the oldest to `period` for the newest; of equal values exactly that value. First at period − 1. */
export function createWma(period: number): Series {
  const sumUp = createWindowWeighted(period)
  const divisor = (period * (period + 1)) / 2
  const held = { last: Number.NaN, run: 0 }
  return input => {
    const output = sumUp(input)
    let { last, run } = held
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) continue
      run = value === last ? run + 1 : 1
      last = value
      output[i] = run < period ? (output[i] as number) / divisor : value
    }
    held.last = last
    held.run = run
    return output
  }
}

/**
 * Moves 2 / (period + 1) of the way to each value. First at value period − 1: the mean of the first `period`
 * (StockCharts, Skender, TA-Lib).
 */
export function createEma(period: number): Series {
  return createSmoothing(period, 2 / (period + 1))
}

/** Wilder's average: moves 1 / period of the way. First at value period − 1: the mean of the first `period`. */
export function createWilder(period: number): Series {
  return createSmoothing(period, 1 / period)
}

/**
 * Exponential smoothing whose first value is the mean of the first `seedBars` values. Of equal values it is
 * exactly that value.
 * @param weight 0–1, share of the newest value
 */
export function createSmoothing(seedBars: number, weight: number): Series {
  const held: Smoothing = { count: 0, average: 0 }
  return input => {
    const output = new Float64Array(input.length)
    const from = seed(held, seedBars, input, output)
    smooth(held, weight, input, output, from)
    return output
  }
}

/** How many values made the average, counted up to the seed. */
type Smoothing = { count: number; average: number }

/** Takes values for the seed until it is complete. @returns index of the first value that is left */
function seed(held: Smoothing, seedBars: number, input: Float64Array, output: Float64Array): number {
  let i = 0
  for (; i < input.length && held.count < seedBars; i++) {
    const value = input[i] as number
    output[i] = Number.NaN
    if (Number.isNaN(value)) continue
    held.count++
    held.average += (value - held.average) / held.count
    if (held.count === seedBars) output[i] = held.average
  }
  return i
}

/** Runs without a look at each value; a NaN among them shows at the end, and then they are gone through again. */
function smooth(
  held: Smoothing,
  weight: number,
  input: Float64Array,
  output: Float64Array,
  from: number,
): void {
  let { average } = held
  for (let i = from; i < input.length; i++) {
    average += weight * ((input[i] as number) - average)
    output[i] = average
  }
  if (Number.isNaN(average)) passOver(held, weight, input, output, from)
  else held.average = average
}

function passOver(
  held: Smoothing,
  weight: number,
  input: Float64Array,
  output: Float64Array,
  from: number,
): void {
  for (let i = from; i < input.length; i++) {
    const value = input[i] as number
    if (!Number.isNaN(value)) held.average += weight * (value - held.average)
    output[i] = Number.isNaN(value) ? value : held.average
  }
}

/** Bars until an average that moves 1 / period per bar keeps 1e-8 of a disagreement at its start. */
export function wilderSettling(period: number): number {
  return settlingOf(1 / period)
}

/** The same for one that moves 2 / (period + 1). */
export function emaSettling(period: number): number {
  return settlingOf(2 / (period + 1))
}

/** The same for any weight, 0–1. */
export function settlingOf(weight: number): number {
  return weight >= 1 ? 0 : Math.ceil(Math.log(1e-8) / Math.log1p(-weight))
}
