import { createSma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { divide } from './series.ts'

/**
 * Volume against its usual. TA-Lib’s RVOL and trading-signals leave the bar itself out of the mean: a ratio r of theirs over
 * n bars is (n + 1) · r / (n + r) here over n + 1.
 */
export const volumeRatio = defineIndicator({
  type: 'volume_ratio',
  title: 'Volume ratio',
  description:
    'Volume divided by the simple mean of the last `period` volumes, its own among them, ≥ 0 and at most `period`; 1 ' +
    'where there was no volume at all. First value at bar period − 1.',
  params: { period: periodParam(20, 1) },
  outputs: [{ name: 'value', title: 'Volume ratio', unit: 'ratio', min: 0 }],
  pane: 'separate',
  lookback: params => periodOf(params) - 1,
  start(params) {
    const average = createSma(periodOf(params))
    return ({ volume }) => ({ value: divide(volume, average(volume), 1, 1) })
  },
})
