import { createSma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { conventionParam, isTalib, numberOf, periodParam } from './params.ts'
import { createWindowExtreme } from './window.ts'

/** Stochastic oscillator. Source: Lane; StockCharts “Stochastic Oscillator” (slow: smooth_k 3, full: any). */
export const stochastic = defineIndicator({
  type: 'stochastic',
  title: 'Stochastic oscillator',
  description:
    'Where the close stands between the lowest low and the highest high of `k_period` bars, 0–100: k is its simple ' +
    'mean over `smooth_k` bars, d the simple mean of k over `d_period`. 50 where low and high are equal (Lane).',
  params: {
    k_period: periodParam(14, 1, 'Bars of which lowest low and highest high are taken'),
    d_period: periodParam(3, 1, 'Bars of the mean of k that makes d'),
    smooth_k: periodParam(3, 1, 'Bars of the mean that makes k; 1 is the fast stochastic'),
    convention: conventionParam('gives 0 where low and high are equal'),
  },
  outputs: [
    { name: 'k', title: '%K', unit: 'percent', min: 0, max: 100 },
    { name: 'd', title: '%D', unit: 'percent', min: 0, max: 100 },
  ],
  pane: 'separate',
  lookback(params) {
    const k = numberOf(params, 'k_period') + numberOf(params, 'smooth_k') - 2
    return { k, d: k + numberOf(params, 'd_period') - 1 }
  },
  start(params) {
    const flat = isTalib(params) ? 0 : 50
    const highest = createWindowExtreme(numberOf(params, 'k_period'), 1)
    const lowest = createWindowExtreme(numberOf(params, 'k_period'), -1)
    const smooth = createSma(numberOf(params, 'smooth_k'))
    const signal = createSma(numberOf(params, 'd_period'))
    return ({ high, low, close }) => {
      const k = smooth(stochasticOf(close, lowest(low), highest(high), flat))
      return { k, d: signal(k) }
    }
  },
})

/** 100 · (value − low) / (high − low), element by element. @param flat value where low and high are equal */
export function stochasticOf(
  values: Float64Array,
  lows: Float64Array,
  highs: Float64Array,
  flat: number,
): Float64Array {
  const output = new Float64Array(values.length)
  for (let i = 0; i < output.length; i++) {
    const low = lows[i] as number
    const range = (highs[i] as number) - low
    output[i] = range === 0 ? flat : 100 * (((values[i] as number) - low) / range)
  }
  return output
}
