import { createAtr } from './atr.ts'
import { wilderSettling } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { divide } from './series.ts'

/** Average true range in percent of the close. Source: TA-Lib, Skender (AtrP). */
export const natr = defineIndicator({
  type: 'natr',
  title: 'Normalised average true range',
  description: '100·ATR / close, in percent of the price. First value at bar `period`.',
  params: { period: periodParam(14, 1, 'Length of the average, in bars') },
  outputs: [{ name: 'value', title: 'NATR', unit: 'percent', min: 0 }],
  pane: 'separate',
  lookback: periodOf,
  settling: params => wilderSettling(periodOf(params)),
  start(params) {
    const range = createAtr(periodOf(params))
    return input => ({ value: divide(range(input), input.close, 100, 0) })
  },
})
