import { createEma, createSmoothing, emaSettling } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { createAdLine, moneyFlow } from './money-flow.ts'
import { checkFastBelowSlow, conventionParam, isTalib, numberOf, periodParam } from './params.ts'
import { type Series, subtract } from './series.ts'

/** Chaikin oscillator. Source: Chaikin; StockCharts “Chaikin Oscillator”. */
export const chaikinOscillator = defineIndicator({
  type: 'chaikin_oscillator',
  title: 'Chaikin oscillator',
  description:
    'EMA(fast_period) − EMA(slow_period) of the accumulation/distribution line, in units traded. Where the line starts ' +
    'cancels out. First value at bar slow_period − 1 (Chaikin; as StockCharts).',
  params: {
    fast_period: periodParam(3, 1, 'Length of the fast EMA'),
    slow_period: periodParam(10, 2, 'Length of the slow EMA'),
    convention: conventionParam('seeds both EMAs with the line’s value at bar 0'),
  },
  outputs: [{ name: 'value', title: 'Chaikin oscillator', unit: 'volume' }],
  pane: 'separate',
  check: checkFastBelowSlow,
  lookback: params => numberOf(params, 'slow_period') - 1,
  settling: params => emaSettling(numberOf(params, 'slow_period')),
  start(params) {
    const slowPeriod = numberOf(params, 'slow_period')
    const create = isTalib(params) ? createSeededByFirst : createEma
    const accumulate = createAdLine()
    const fast = create(numberOf(params, 'fast_period'))
    const slow = create(slowPeriod)
    let bars = 0
    return input => {
      const line = accumulate(moneyFlow(input).flow)
      const value = subtract(fast(line), slow(line))
      for (let i = 0; i < value.length && bars < slowPeriod - 1; i++, bars++) value[i] = Number.NaN
      return { value }
    }
  },
})

function createSeededByFirst(period: number): Series {
  return createSmoothing(1, 2 / (period + 1))
}
