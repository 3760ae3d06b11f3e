import { defineIndicator } from './indicator.ts'
import { moneyFlow } from './money-flow.ts'
import { periodOf, periodParam } from './params.ts'
import { divide } from './series.ts'
import { createWindowSum } from './window.ts'

/** Chaikin money flow, −1–1. Source: Chaikin; StockCharts “Chaikin Money Flow” (with 20 bars). */
export const cmf = defineIndicator({
  type: 'cmf',
  title: 'Chaikin money flow',
  description:
    'cmf: sum of mf_volume over `period` bars divided by that of the volume, −1–1; 0 without volume. mf_multiplier: ' +
    '((close − low) − (high − close)) / (high − low), −1–1, 0 without range. mf_volume: that times the volume. First ' +
    'value of cmf at bar period − 1 (Chaikin).',
  params: { period: periodParam(21, 1) },
  outputs: [
    { name: 'cmf', title: 'CMF', unit: 'ratio', min: -1, max: 1 },
    { name: 'mf_multiplier', title: 'Money flow multiplier', unit: 'ratio', min: -1, max: 1 },
    { name: 'mf_volume', title: 'Money flow volume', unit: 'volume' },
  ],
  pane: 'separate',
  lookback: params => ({ cmf: periodOf(params) - 1, mf_multiplier: 0, mf_volume: 0 }),
  start(params) {
    const sumFlow = createWindowSum(periodOf(params))
    const sumVolume = createWindowSum(periodOf(params))
    return input => {
      const { multiplier, flow } = moneyFlow(input)
      const value = divide(sumFlow(flow), sumVolume(input.volume), 1, 0)
      return { cmf: value, mf_multiplier: multiplier, mf_volume: flow }
    }
  },
})
