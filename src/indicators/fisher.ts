import { defineIndicator } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { createDelay } from './series.ts'
import { priceColumn } from './source.ts'
import { createWindowExtreme } from './window.ts'

/** Fisher transform. Source: Ehlers, Stocks & Commodities 20:11 (2002). */
export const fisher = defineIndicator({
  type: 'fisher',
  title: 'Fisher transform',
  description:
    'x: where (high + low) / 2 stands between its lowest and highest of `period` bars, −1–1 (0 where they are equal), ' +
    'as 0.33·now + 0.67·x before, and ±0.999 where that is beyond ±0.99. fisher: ½·ln((1 + x) / (1 − x)) + ½·fisher ' +
    'before, within ±7.6. signal: fisher of the bar before. Both start from 0 before the first full window (Ehlers 2002).',
  params: { period: periodParam(10, 2) },
  outputs: [
    { name: 'fisher', title: 'Fisher', unit: 'number' },
    { name: 'signal', title: 'Signal', unit: 'number' },
  ],
  pane: 'separate',
  lookback: params => ({ fisher: periodOf(params) - 1, signal: periodOf(params) }),
  // Weights 0.33 and 0.5, one upon the other; the logarithm is up to 500 times steeper near ±1.
  settling: () => 80,
  start(params) {
    const highest = createWindowExtreme(periodOf(params), 1)
    const lowest = createWindowExtreme(periodOf(params), -1)
    const transform = createTransform()
    const before = createDelay(1)
    return input => {
      const prices = priceColumn(input, 'hl2')
      const fisher = transform(prices, lowest(prices), highest(prices))
      return { fisher, signal: before(fisher) }
    }
  },
})

function createTransform(): (prices: Float64Array, lows: Float64Array, highs: Float64Array) => Float64Array {
  let smooth = 0
  let value = 0
  return (prices, lows, highs) => {
    const output = new Float64Array(prices.length)
    for (let i = 0; i < output.length; i++) {
      const low = lows[i] as number
      const range = (highs[i] as number) - low
      if (Number.isNaN(range)) {
        output[i] = Number.NaN
        continue
      }
      const place = range === 0 ? 0 : 2 * (((prices[i] as number) - low) / range) - 1
      smooth = 0.33 * place + 0.67 * smooth
      if (Math.abs(smooth) > 0.99) smooth = Math.sign(smooth) * 0.999
      value = 0.5 * Math.log((1 + smooth) / (1 - smooth)) + 0.5 * value
      output[i] = value
    }
    return output
  }
}
