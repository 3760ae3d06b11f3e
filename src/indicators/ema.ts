import { type IndicatorSpec, periodOf, periodParam } from './indicator.ts'
import { overSource, sourceParam } from './source.ts'

/** Exponential moving average with k = 2 / (period + 1), seeded with the mean of the first `period` values. */
export const ema: IndicatorSpec = {
  type: 'ema',
  title: 'Exponential moving average',
  description:
    'Moves towards each value of the source by 2 / (period + 1) of the distance, in the unit of the source. ' +
    'First value at bar period − 1: the simple mean of the first `period` values (StockCharts’ convention).',
  params: { period: periodParam(20, 1), source: sourceParam },
  outputs: ['value'],
  pane: 'overlay',
  lookback: params => periodOf(params) - 1,
  ...overSource(createEma),
}

function createEma(period: number): (value: number) => number {
  const weight = 2 / (period + 1)
  let count = 0
  let sum = 0
  let average = Number.NaN
  return value => {
    if (count < period) {
      count++
      sum += value
      if (count === period) average = sum / period
    } else {
      average += weight * (value - average)
    }
    return average
  }
}
