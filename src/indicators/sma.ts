import { type IndicatorSpec, periodOf, periodParam } from './indicator.ts'
import { overSource, sourceParam } from './source.ts'

/** Simple moving average: the mean of the last `period` values, in the unit of its source. */
export const sma: IndicatorSpec = {
  type: 'sma',
  title: 'Simple moving average',
  description:
    'Arithmetic mean of the last `period` values of the source, in its unit. First value at bar period − 1.',
  params: { period: periodParam(20, 1), source: sourceParam },
  outputs: ['value'],
  pane: 'overlay',
  lookback: params => periodOf(params) - 1,
  ...overSource(createSma),
}

/**
 * A running sum, summed anew each time the window has been replaced once, so that rounding errors live
 * for one window at most and the cost stays O(1) per bar on average.
 */
function createSma(period: number): (value: number) => number {
  const window = new Float64Array(period)
  let at = 0
  let count = 0
  let sum = 0
  return value => {
    sum += value - (window[at] as number)
    window[at] = value
    at++
    if (at === period) {
      at = 0
      sum = 0
      for (let i = 0; i < period; i++) sum += window[i] as number
    }
    if (count < period) count++
    return count < period ? Number.NaN : sum / period
  }
}
