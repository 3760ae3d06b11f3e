import { createSma, wilderSettling } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { conventionParam, type IndicatorParams, isTalib, numberOf, periodParam } from './params.ts'
import { createRsi } from './rsi.ts'
import { sourceColumn, sourceParam } from './source.ts'
import { stochasticOf } from './stochastic.ts'
import { createWindowExtreme } from './window.ts'

/**
 * Stochastic of the RSI. Source: Chande and Kroll 1994. TA-Lib and StockCharts do not smooth %K; StockCharts and
 * trading-signals show 0–1. technicalindicators takes it of an RSI rounded to two decimals.
 */
export const stochRsi = defineIndicator({
  type: 'stoch_rsi',
  title: 'Stochastic RSI',
  description:
    'Where the RSI stands between its lowest and highest of `stoch_period` bars, 0–100; k is that, averaged over ' +
    '`smooth_k` bars, d the simple mean of k over `d_period`. 50 where the RSI did not move (Chande and Kroll 1994).',
  params: {
    rsi_period: periodParam(14, 2, 'Length of the RSI'),
    stoch_period: periodParam(14, 1, 'Bars of which lowest and highest RSI are taken'),
    smooth_k: periodParam(1, 1, 'Bars of the mean that makes k; 1 does not smooth'),
    d_period: periodParam(3, 1, 'Bars of the mean of k that makes d'),
    source: sourceParam,
    convention: conventionParam('gives 0 where the RSI did not move'),
  },
  outputs: [
    { name: 'k', title: '%K', unit: 'percent', min: 0, max: 100 },
    { name: 'd', title: '%D', unit: 'percent', min: 0, max: 100 },
  ],
  pane: 'separate',
  lookback(params) {
    const k = lookbackOfK(params)
    return { k, d: k + numberOf(params, 'd_period') - 1 }
  },
  settling: params => wilderSettling(numberOf(params, 'rsi_period')),
  start(params) {
    const flat = isTalib(params) ? 0 : 50
    const rsi = createRsi(numberOf(params, 'rsi_period'), flat)
    const highest = createWindowExtreme(numberOf(params, 'stoch_period'), 1)
    const lowest = createWindowExtreme(numberOf(params, 'stoch_period'), -1)
    const smooth = createSma(numberOf(params, 'smooth_k'))
    const signal = createSma(numberOf(params, 'd_period'))
    return input => {
      const values = rsi(sourceColumn(input, params))
      const k = smooth(stochasticOf(values, lowest(values), highest(values), flat))
      return { k, d: signal(k) }
    }
  },
})

function lookbackOfK(params: IndicatorParams): number {
  return numberOf(params, 'rsi_period') + numberOf(params, 'stoch_period') + numberOf(params, 'smooth_k') - 2
}
