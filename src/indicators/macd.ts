import { createEma, emaSettling } from './average.ts'
import { defineIndicator } from './indicator.ts'
import {
  checkFastBelowSlow,
  conventionParam,
  type IndicatorParams,
  isTalib,
  numberOf,
  periodParam,
} from './params.ts'
import { eachPiece, type SeriesInto, startLater, subtract } from './series.ts'
import { sourceColumn, sourceParam } from './source.ts'

/** The parameters that MACD and PPO have. */
export const macdParams = {
  fast_period: periodParam(12, 1, 'Length of the fast EMA'),
  slow_period: periodParam(26, 2, 'Length of the slow EMA'),
  signal_period: periodParam(9, 1, 'Length of the EMA that makes the signal'),
  source: sourceParam,
  convention: conventionParam('starts the fast EMA later, from the bars just before bar slow_period'),
}

/** Moving average convergence/divergence. Source: Appel; StockCharts “MACD”. */
export const macd = defineIndicator({
  type: 'macd',
  title: 'Moving average convergence/divergence',
  description:
    'line: EMA(fast_period) − EMA(slow_period), in the unit of the source, from bar slow_period − 1. signal: EMA of ' +
    'the line. histogram: line − signal. Every EMA is seeded with the mean of its first values (Appel; as ' +
    'StockCharts and Skender). TA-Lib’s start is up to some 10% away and converges.',
  params: macdParams,
  outputs: [
    { name: 'line', title: 'MACD', unit: 'source' },
    { name: 'signal', title: 'Signal', unit: 'source' },
    { name: 'histogram', title: 'Histogram', unit: 'source' },
  ],
  pane: 'separate',
  check: checkFastBelowSlow,
  lookback: macdLookback,
  settling: macdSettling,
  start(params) {
    const { fast, slow } = createFastAndSlow(params)
    const smooth = createEma(numberOf(params, 'signal_period'))
    return input => {
      const source = sourceColumn(input, params)
      const column = () => new Float64Array(source.length)
      const [line, signal, histogram] = [column(), column(), column()]
      eachPiece(source.length, (from, to) => {
        const values = source.subarray(from, to)
        const difference = line.subarray(from, to)
        const rest = histogram.subarray(from, to)
        subtract(fast(values, difference), slow(values, rest), difference)
        subtract(difference, smooth(difference, signal.subarray(from, to)), rest)
      })
      return { line, signal, histogram }
    }
  },
})

/** Look-back of line, signal and histogram. */
export function macdLookback(params: IndicatorParams): Record<'line' | 'signal' | 'histogram', number> {
  const line = numberOf(params, 'slow_period') - 1
  const signal = line + numberOf(params, 'signal_period') - 1
  return { line, signal, histogram: signal }
}

/** Bars until both EMAs, and the signal upon them, have forgotten their seeds. */
export function macdSettling(params: IndicatorParams): number {
  return emaSettling(numberOf(params, 'slow_period')) + emaSettling(numberOf(params, 'signal_period'))
}

/** The two EMAs, the fast one seeded as the convention says. */
export function createFastAndSlow(params: IndicatorParams): {
  readonly fast: SeriesInto
  readonly slow: SeriesInto
} {
  const slowPeriod = numberOf(params, 'slow_period')
  const fastPeriod = numberOf(params, 'fast_period')
  const slow = createEma(slowPeriod)
  const plain = createEma(fastPeriod)
  return { fast: isTalib(params) ? startLater(slowPeriod - fastPeriod, plain) : plain, slow }
}
