import { createSma } from './average.ts'
import { periodOf, periodParam } from './params.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Simple moving average: the mean of the last `period` values, in the unit of its source. */
export const sma = defineOverSource({
  type: 'sma',
  title: 'Simple moving average',
  description:
    'Arithmetic mean of the last `period` values of the source, in its unit; of equal values exactly that value. ' +
    'First value at bar period − 1.',
  params: { period: periodParam(20, 1), source: sourceParam },
  output: { title: 'SMA', unit: 'source' },
  pane: 'overlay',
  lookback: params => periodOf(params) - 1,
  series: params => createSma(periodOf(params)),
})
