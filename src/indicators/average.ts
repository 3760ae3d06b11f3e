import type { Series } from './series.ts'
import { createWindowSum, createWindowWeighted } from './window.ts'

/** Mean of the last `period` values; of equal values exactly that value. First at value period − 1. */
export function createSma(period: number): Series {
  return createWindowMean(createWindowSum(period), period, period)
}

/** Mean weighted 1 for the oldest to `period` for the newest; of equal values exactly that value. First at period − 1. */
export function createWma(period: number): Series {
  return createWindowMean(createWindowWeighted(period), period, (period * (period + 1)) / 2)
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
  let count = 0
  let held = 0
  return input => {
    const output = new Float64Array(input.length)
    let average = held
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) {
        output[i] = Number.NaN
      } else if (count >= seedBars) {
        average += weight * (value - average)
        output[i] = average
      } else {
        count++
        average += (value - average) / count
        output[i] = count < seedBars ? Number.NaN : average
      }
    }
    held = average
    return output
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

/** Rounding would make a flat market cross its own average: a window of equal values is told apart. */
function createWindowMean(sumUp: Series, period: number, divisor: number): Series {
  const held = { last: Number.NaN, run: 0 }
  return input => {
    const output = sumUp(input)
    let { last, run } = held
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) continue
      run = value === last ? run + 1 : 1
      last = value
      output[i] = run >= period ? value : (output[i] as number) / divisor
    }
    Object.assign(held, { last, run })
    return output
  }
}
