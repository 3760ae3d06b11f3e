import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { divide } from './series.ts'
import { createTrueRange } from './true-range.ts'
import { createWindowSum } from './window.ts'

/** Vortex indicator. Source: Botes and Siepman, Stocks & Commodities 28:1; StockCharts “Vortex Indicator”. */
export const vortex = defineIndicator({
  type: 'vortex',
  title: 'Vortex indicator',
  description:
    'plus: sum of |high − previous low| over `period` bars divided by that of the true range; minus: the same of ' +
    '|low − previous high|. Around 1, ≥ 0; 1 where there is no range. First value at bar `period` (Botes and Siepman 2010).',
  params: { period: periodParam(14, 2) },
  outputs: [
    { name: 'plus', title: '+VI', unit: 'ratio', min: 0 },
    { name: 'minus', title: '−VI', unit: 'ratio', min: 0 },
  ],
  pane: 'separate',
  lookback: periodOf,
  start(params) {
    const trueRange = createTrueRange()
    const movement = createVortexMovement()
    const period = periodOf(params)
    const [sumUp, sumDown, sumRange] = [
      createWindowSum(period),
      createWindowSum(period),
      createWindowSum(period),
    ]
    return input => {
      const { up, down } = movement(input)
      const range = sumRange(trueRange(input))
      return { plus: divide(sumUp(up), range, 1, 1), minus: divide(sumDown(down), range, 1, 1) }
    }
  },
})

function createVortexMovement(): (input: IndicatorInput) => {
  readonly up: Float64Array
  readonly down: Float64Array
} {
  let previousHigh = Number.NaN
  let previousLow = Number.NaN
  return ({ length, high, low }) => {
    const up = new Float64Array(length)
    const down = new Float64Array(length)
    for (let i = 0; i < length; i++) {
      up[i] = Math.abs((high[i] as number) - previousLow)
      down[i] = Math.abs((low[i] as number) - previousHigh)
      previousHigh = high[i] as number
      previousLow = low[i] as number
    }
    return { up, down }
  }
}
