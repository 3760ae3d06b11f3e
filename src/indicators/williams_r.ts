import { defineIndicator } from './indicator.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import { stochasticOf } from './stochastic.ts'
import { createWindowExtreme } from './window.ts'

/** Williams %R, −100–0. Source: Larry Williams; StockCharts “Williams %R”. */
export const williamsR = defineIndicator({
  type: 'williams_r',
  title: 'Williams %R',
  description:
    'How far the close is below the highest high of `period` bars, as a share of the range down to the lowest low, ' +
    '−100 (at the low) to 0 (at the high). −50 where low and high are equal. First value at bar period − 1 (Williams).',
  params: {
    period: periodParam(14, 1),
    convention: conventionParam('gives 0 where low and high are equal'),
  },
  outputs: [{ name: 'value', title: '%R', unit: 'percent', min: -100, max: 0 }],
  pane: 'separate',
  lookback: params => periodOf(params) - 1,
  start(params) {
    // Its distance from the stochastic is 100.
    const flat = isTalib(params) ? 100 : 50
    const highest = createWindowExtreme(periodOf(params), 1)
    const lowest = createWindowExtreme(periodOf(params), -1)
    return ({ high, low, close }) => {
      const value = stochasticOf(close, lowest(low), highest(high), flat)
      for (let i = 0; i < value.length; i++) value[i] = (value[i] as number) - 100
      return { value }
    }
  },
})
