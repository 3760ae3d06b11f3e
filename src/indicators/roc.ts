import { periodOf, periodParam } from './params.ts'
import { createDelay, divide, subtract } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Rate of change in percent. */
export const roc = defineOverSource({
  type: 'roc',
  title: 'Rate of change',
  description:
    'Change of the source over `period` bars, in percent of the value then; 0 where that was 0. First value at bar `period`.',
  params: { period: periodParam(10, 1), source: sourceParam },
  output: { title: 'ROC', unit: 'percent' },
  pane: 'separate',
  lookback: periodOf,
  series(params) {
    const before = createDelay(periodOf(params))
    return input => {
      const past = before(input)
      return divide(subtract(input, past), past, 100, 0)
    }
  },
})
