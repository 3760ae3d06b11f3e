import { createDeviation } from './deviation.ts'
import { defineIndicator } from './indicator.ts'
import { numberOf, numberParam, periodOf, periodParam } from './params.ts'
import { createChange } from './series.ts'

/** Annualised standard deviation of log returns. Source: StockCharts and Hull, “Options, Futures”, historical volatility. */
export const realisedVolatility = defineIndicator({
  type: 'realised_volatility',
  title: 'Realised volatility',
  description:
    'Sample standard deviation (divided by period − 1) of the last `period` changes of ln(close), times ' +
    '√periods_per_year: a fraction a year (0.2 is 20%), 0 where nothing moved. First value at bar `period` (Hull).',
  params: {
    period: periodParam(20, 2, 'Returns of which the deviation is taken'),
    periods_per_year: numberParam(252, 1, 1_000_000, 'Bars a year; 252 for daily bars of shares'),
  },
  outputs: [{ name: 'value', title: 'Realised volatility', unit: 'ratio', min: 0 }],
  pane: 'separate',
  lookback: periodOf,
  start(params) {
    const change = createChange()
    const deviation = createDeviation(periodOf(params), 1)
    const factor = Math.sqrt(numberOf(params, 'periods_per_year'))
    return ({ close }) => {
      const value = deviation(change(close.map(Math.log)))
      for (let i = 0; i < value.length; i++) value[i] = factor * (value[i] as number)
      return { value }
    }
  },
})
