import { createSma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { createWindowExtreme } from './window.ts'

/**
 * Ulcer index. Source: Martin and McCann 1989; StockCharts “Ulcer Index”. trading-signals and ta4j measure each
 * drawdown of a window from the highest close of that window so far, which forgets the high just before it.
 */
export const ulcerIndex = defineIndicator({
  type: 'ulcer_index',
  title: 'Ulcer index',
  description:
    'Root of the mean square of the last `period` drawdowns, each in percent of the highest close of the `period` bars up ' +
    'to it, 0–100. First value at bar 2·(period − 1) (Martin and McCann 1989; as StockCharts).',
  params: { period: periodParam(14, 1) },
  outputs: [{ name: 'value', title: 'Ulcer index', unit: 'percent', min: 0, max: 100 }],
  pane: 'separate',
  lookback: params => 2 * (periodOf(params) - 1),
  start(params) {
    const highest = createWindowExtreme(periodOf(params), 1)
    const mean = createSma(periodOf(params))
    return ({ close }) => {
      const squares = highest(close)
      for (let i = 0; i < squares.length; i++) {
        const drawdown = (100 * ((close[i] as number) - (squares[i] as number))) / (squares[i] as number)
        squares[i] = drawdown * drawdown
      }
      return { value: mean(squares).map(Math.sqrt) }
    }
  },
})
