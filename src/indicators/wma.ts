import { createWma } from './average.ts'
import { periodOf, periodParam } from './params.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Linearly weighted moving average, in the unit of its source. */
export const wma = defineOverSource({
  type: 'wma',
  title: 'Weighted moving average',
  description:
    'Mean of the last `period` values of the source, the oldest weighted 1 and the newest `period`, in its unit; ' +
    'of equal values exactly that value. First value at bar period − 1.',
  params: { period: periodParam(20, 1), source: sourceParam },
  output: { title: 'WMA', unit: 'source' },
  pane: 'overlay',
  lookback: params => periodOf(params) - 1,
  series: params => createWma(periodOf(params)),
})
