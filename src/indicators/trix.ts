import { createEma, emaSettling } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { numberOf, periodOf, periodParam } from './params.ts'
import { createDelay, divide, subtract } from './series.ts'
import { sourceColumn, sourceParam } from './source.ts'

/**
 * TRIX. Source: Hutson, Stocks & Commodities 1:5; StockCharts “TRIX”; TA-Lib and technicalindicators agree.
 * trading-signals divides the change by the new value instead of the old one.
 */
export const trix = defineIndicator({
  type: 'trix',
  title: 'TRIX',
  description:
    'value: change of the EMA of the EMA of the EMA of the source since the bar before, in percent, from bar ' +
    '3·(period − 1) + 1; 0 where it was 0. signal: EMA of that (Hutson; as StockCharts).',
  params: {
    period: periodParam(15, 1, 'Length of each EMA'),
    signal_period: periodParam(9, 1, 'Length of the EMA that makes the signal'),
    source: sourceParam,
  },
  outputs: [
    { name: 'value', title: 'TRIX', unit: 'percent' },
    { name: 'signal', title: 'Signal', unit: 'percent' },
  ],
  pane: 'separate',
  lookback(params) {
    const value = 3 * periodOf(params) - 2
    return { value, signal: value + numberOf(params, 'signal_period') - 1 }
  },
  settling: params => 3 * emaSettling(periodOf(params)) + emaSettling(numberOf(params, 'signal_period')),
  start(params) {
    const [first, second, third] = [
      createEma(periodOf(params)),
      createEma(periodOf(params)),
      createEma(periodOf(params)),
    ]
    const before = createDelay(1)
    const smooth = createEma(numberOf(params, 'signal_period'))
    return input => {
      const triple = third(second(first(sourceColumn(input, params))))
      const past = before(triple)
      const value = divide(subtract(triple, past), past, 100, 0)
      return { value, signal: smooth(value) }
    }
  },
})
