import { bollingerParams, createBollinger } from './bollinger_bands.ts'
import { numberOf, periodOf } from './params.ts'
import { divide, subtract } from './series.ts'
import { defineOverSource } from './source.ts'

/** Width of the Bollinger bands as a fraction of the middle. Source: Bollinger 2001; Skender; StockCharts shows percent. */
export const bollingerBandWidth = defineOverSource({
  type: 'bollinger_band_width',
  title: 'Bollinger band width',
  description:
    '(upper − lower) / middle of the Bollinger bands, a ratio (0.05 is 5%); 0 where the middle is 0. ' +
    'First value at bar period − 1 (Bollinger).',
  params: bollingerParams,
  output: { title: 'Band width', unit: 'ratio' },
  pane: 'separate',
  lookback: params => periodOf(params) - 1,
  series(params) {
    const bands = createBollinger(periodOf(params), numberOf(params, 'multiplier'))
    return input => {
      const { upper, middle, lower } = bands(input)
      return divide(subtract(upper, lower), middle, 1, 0)
    }
  },
})
