import { periodOf, periodParam } from './params.ts'
import { createDelay, subtract } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Change over `period` bars, in the unit of its source. */
export const momentum = defineOverSource({
  type: 'momentum',
  title: 'Momentum',
  description: 'Change of the source over `period` bars, in its unit. First value at bar `period`.',
  params: { period: periodParam(10, 1), source: sourceParam },
  output: { title: 'Momentum', unit: 'source' },
  pane: 'separate',
  lookback: periodOf,
  series(params) {
    const before = createDelay(periodOf(params))
    return input => subtract(input, before(input))
  },
})
