import { createEma, emaSettling } from './average.ts'
import { periodOf, periodParam } from './params.ts'
import { defineOverSource, sourceParam } from './source.ts'

/**
 * Exponential moving average with weight 2 / (period + 1), seeded with the mean of the first `period` values as
 * StockCharts, Skender and TA-Lib do. Libraries that seed with the first value (trading-signals, indicatorts, pandas)
 * differ at the start, by (1 − weight)^bars of the distance between the seeds.
 */
export const ema = defineOverSource({
  type: 'ema',
  title: 'Exponential moving average',
  description:
    'Moves towards each value of the source by 2 / (period + 1) of the distance, in the unit of the source. ' +
    'First value at bar period − 1: the simple mean of the first `period` values (StockCharts’ convention).',
  params: { period: periodParam(20, 1), source: sourceParam },
  output: { title: 'EMA', unit: 'source' },
  pane: 'overlay',
  lookback: params => periodOf(params) - 1,
  settling: params => emaSettling(periodOf(params)),
  series: params => createEma(periodOf(params)),
})
