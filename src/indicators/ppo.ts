import { createEma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { createFastAndSlow, macdLookback, macdParams, macdSettling } from './macd.ts'
import { checkFastBelowSlow, numberOf } from './params.ts'
import { divide, subtract } from './series.ts'
import { sourceColumn } from './source.ts'

/** Percentage price oscillator. Source: StockCharts “PPO”. TA-Lib’s default uses simple averages; here they are EMAs. */
export const ppo = defineIndicator({
  type: 'ppo',
  title: 'Percentage price oscillator',
  description:
    'line: 100·(EMA(fast_period) − EMA(slow_period)) / EMA(slow_period), in percent, from bar slow_period − 1; ' +
    '0 where the slow EMA is 0. signal: EMA of the line. histogram: line − signal (as StockCharts).',
  params: macdParams,
  outputs: [
    { name: 'line', title: 'PPO', unit: 'percent' },
    { name: 'signal', title: 'Signal', unit: 'percent' },
    { name: 'histogram', title: 'Histogram', unit: 'percent' },
  ],
  pane: 'separate',
  check: checkFastBelowSlow,
  lookback: macdLookback,
  settling: macdSettling,
  start(params) {
    const averages = createFastAndSlow(params)
    const smooth = createEma(numberOf(params, 'signal_period'))
    return input => {
      const source = sourceColumn(input, params)
      const slow = averages.slow(source)
      const line = divide(subtract(averages.fast(source), slow), slow, 100, 0)
      const signal = smooth(line)
      return { line, signal, histogram: subtract(line, signal) }
    }
  },
})
