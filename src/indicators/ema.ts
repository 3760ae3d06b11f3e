import { type IndicatorSpec, periodOf, periodParam } from './indicator.ts'
import { sourceColumn, sourceOf, sourceParam } from './source.ts'

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
  compute(bars, params) {
    const input = sourceColumn(bars, params)
    const step = createEma(periodOf(params))
    const value = new Float64Array(bars.length)
    for (let i = 0; i < value.length; i++) value[i] = step(input[i] as number)
    return { value }
  },
  incremental(params) {
    const source = sourceOf(params)
    const step = createEma(periodOf(params))
    return { next: bar => step(source(bar)) }
  },
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
