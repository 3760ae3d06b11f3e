import { defineIndicator } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { type Series, subtract } from './series.ts'

/**
 * Aroon. Source: Chande 1995; StockCharts “Aroon”: the window holds period + 1 bars, so 0 is reached. Of equal extremes
 * the latest counts, as in TA-Lib.
 */
export const aroon = defineIndicator({
  type: 'aroon',
  title: 'Aroon',
  description:
    'up: 100·(period − bars since the highest high of the last period + 1 bars) / period, 0–100; of equal highs the ' +
    'latest counts. down: the same of the lowest low. oscillator: up − down, −100–100. First value at bar `period` (Chande 1995).',
  params: { period: periodParam(14, 1) },
  outputs: [
    { name: 'up', title: 'Aroon up', unit: 'percent', min: 0, max: 100 },
    { name: 'down', title: 'Aroon down', unit: 'percent', min: 0, max: 100 },
    { name: 'oscillator', title: 'Aroon oscillator', unit: 'percent', min: -100, max: 100 },
  ],
  pane: 'separate',
  lookback: periodOf,
  start(params) {
    const period = periodOf(params)
    const sinceHigh = createBarsSinceExtreme(period + 1, 1)
    const sinceLow = createBarsSinceExtreme(period + 1, -1)
    return ({ high, low }) => {
      const up = toPercent(sinceHigh(high), period)
      const down = toPercent(sinceLow(low), period)
      return { up, down, oscillator: subtract(up, down) }
    }
  },
})

/** Turns bars since an extreme into its nearness, in place. */
function toPercent(bars: Float64Array, period: number): Float64Array {
  for (let i = 0; i < bars.length; i++) bars[i] = (100 * (period - (bars[i] as number))) / period
  return bars
}

/**
 * Bars since the greatest (sign 1) or least (sign −1) of the last `size` values. Kept are the values that can still
 * become the extreme, in falling order, in a ring: each value enters and leaves once.
 */
function createBarsSinceExtreme(size: number, sign: 1 | -1): Series {
  const values = new Float64Array(size)
  const bars = new Float64Array(size)
  const held = { first: 0, count: 0, bar: 0 }
  return input => {
    const output = new Float64Array(input.length)
    let { first, count, bar } = held
    for (let i = 0; i < output.length; i++, bar++) {
      const value = sign * (input[i] as number)
      if (count > 0 && (bars[first] as number) <= bar - size) {
        first = first + 1 === size ? 0 : first + 1
        count--
      }
      while (count > 0 && (values[ringIndex(first + count - 1, size)] as number) <= value) count--
      const at = ringIndex(first + count, size)
      values[at] = value
      bars[at] = bar
      count++
      output[i] = bar < size - 1 ? Number.NaN : bar - (bars[first] as number)
    }
    Object.assign(held, { first, count, bar })
    return output
  }
}

function ringIndex(index: number, size: number): number {
  return index < size ? index : index - size
}
