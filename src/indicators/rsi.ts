import { wilderSettling } from './average.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import type { Series } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/**
 * Wilder's relative strength index, 0–100. Source: Wilder 1978, section VI; test/fixtures/rsi.ts.
 * technicalindicators rounds it to two decimals; indicatorts seeds the averages otherwise.
 */
export const rsi = defineOverSource({
  type: 'rsi',
  title: 'Relative strength index (Wilder)',
  description:
    'Share of gains in all changes of the source, 0–100, smoothed by Wilder’s average. First value at bar `period`, ' +
    'from the simple means of the first `period` gains and losses. 100 without losses; 50 when nothing moved.',
  params: {
    period: periodParam(14, 2),
    source: sourceParam,
    convention: conventionParam('gives 0 when nothing moved'),
  },
  output: { title: 'RSI', unit: 'percent', min: 0, max: 100 },
  pane: 'separate',
  lookback: periodOf,
  settling: params => wilderSettling(periodOf(params)),
  series: params => createRsi(periodOf(params), isTalib(params) ? 0 : 50),
})

/** @param flat value when nothing moved, 0–100 */
export function createRsi(period: number, flat: number): Series {
  const weight = 1 / period
  const held = { previous: Number.NaN, changes: -1, gain: 0, loss: 0 }
  return input => {
    const output = new Float64Array(input.length)
    let { previous, changes, gain, loss } = held
    for (let i = 0; i < output.length; i++) {
      output[i] = Number.NaN
      const value = input[i] as number
      if (Number.isNaN(value)) continue
      const change = value - previous
      previous = value
      if (changes < period) {
        changes++
        if (changes === 0) continue
      }
      const share = changes < period ? 1 / changes : weight
      gain += share * ((change > 0 ? change : 0) - gain)
      loss += share * ((change < 0 ? -change : 0) - loss)
      // gain / (gain + loss) is 1 − 1 / (1 + RS) without the division by a loss of zero.
      if (changes === period) output[i] = gain === 0 && loss === 0 ? flat : 100 * (gain / (gain + loss))
    }
    Object.assign(held, { previous, changes, gain, loss })
    return output
  }
}
