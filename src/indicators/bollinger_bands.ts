import { createSma } from './average.ts'
import { createDeviation } from './deviation.ts'
import { defineIndicator } from './indicator.ts'
import { numberOf, numberParam, periodOf, periodParam } from './params.ts'
import { spread } from './series.ts'
import { sourceColumn, sourceParam } from './source.ts'

/** The parameters that the bands and their width have. */
export const bollingerParams = {
  period: periodParam(20, 2, 'Length of mean and deviation, in bars'),
  multiplier: numberParam(2, 0.01, 10, 'Standard deviations between the middle and a band'),
  source: sourceParam,
}

/** Bollinger bands. Source: Bollinger 2001; StockCharts “Bollinger Bands”: the deviation is that of the population. */
export const bollingerBands = defineIndicator({
  type: 'bollinger_bands',
  title: 'Bollinger bands',
  description:
    'middle: simple mean of the last `period` values of the source, in its unit. upper and lower: `multiplier` ' +
    'population standard deviations (divided by period, not period − 1) above and below; equal to the middle where ' +
    'nothing moved. First value at bar period − 1 (Bollinger).',
  params: bollingerParams,
  outputs: [
    { name: 'upper', title: 'Upper band', unit: 'source' },
    { name: 'middle', title: 'Middle band', unit: 'source' },
    { name: 'lower', title: 'Lower band', unit: 'source' },
  ],
  pane: 'overlay',
  lookback: params => periodOf(params) - 1,
  start(params) {
    const bands = createBollinger(periodOf(params), numberOf(params, 'multiplier'))
    return input => bands(sourceColumn(input, params))
  },
})

export type Bands = {
  readonly upper: Float64Array
  readonly middle: Float64Array
  readonly lower: Float64Array
}

/** The bands of a column. */
export function createBollinger(period: number, multiplier: number): (input: Float64Array) => Bands {
  const mean = createSma(period)
  const deviation = createDeviation(period, 0)
  return input => {
    const middle = mean(input)
    const { upper, lower } = spread(middle, multiplier, deviation(input))
    return { upper, middle, lower }
  }
}
