import { emaSettling, fuseThrough, isBeforePair, type Smoothing, seriesOf, startEma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import {
  checkFastBelowSlow,
  conventionParam,
  type IndicatorParams,
  isTalib,
  numberOf,
  periodParam,
} from './params.ts'
import { type SeriesInto, startLater, subtract } from './series.ts'
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
    const states = startAverages(params)
    const { fast, slow } = fastAndSlowOf(states, params)
    const smooth = seriesOf(states.signal)
    return input => {
      const source = sourceColumn(input, params)
      const column = () => new Float64Array(source.length)
      const columns = { line: column(), signal: column(), histogram: column() }
      const { line, signal, histogram } = columns
      const averages = [states.fast, states.slow, states.signal]
      const fuse = (from: number) => fusePairs(states, source, columns, from)
      fuseThrough(source.length, averages, fuse, (from, to) => {
        const values = source.subarray(from, to)
        const difference = line.subarray(from, to)
        const rest = histogram.subarray(from, to)
        subtract(fast(values, difference), slow(values, rest), difference)
        subtract(difference, smooth(difference, signal.subarray(from, to)), rest)
      })
      return columns
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

type Averages = { readonly fast: Smoothing; readonly slow: Smoothing; readonly signal: Smoothing }

function startAverages(params: IndicatorParams): Averages {
  const start = (name: string) => startEma(numberOf(params, name))
  return { fast: start('fast_period'), slow: start('slow_period'), signal: start('signal_period') }
}

type FastAndSlow = { readonly fast: SeriesInto; readonly slow: SeriesInto }

/** The two EMAs, the fast one seeded as the convention says. */
export function createFastAndSlow(params: IndicatorParams): FastAndSlow {
  return fastAndSlowOf(startAverages(params), params)
}

function fastAndSlowOf(states: Averages, params: IndicatorParams): FastAndSlow {
  const plain = seriesOf(states.fast)
  const later = numberOf(params, 'slow_period') - numberOf(params, 'fast_period')
  return { fast: isTalib(params) ? startLater(later, plain) : plain, slow: seriesOf(states.slow) }
}

type Columns = {
  readonly line: Float64Array
  readonly signal: Float64Array
  readonly histogram: Float64Array
}

/**
 * All three averages at once where each is before a pair of values: the same bits as one after the other, and the
 * processor works on three chains at the same time.
 * @returns index of the first value that is left
 */
function fusePairs(
  states: Averages,
  source: Float64Array,
  { line, signal, histogram }: Columns,
  from: number,
): number {
  const { fast, slow, signal: smooth } = states
  if (!(isBeforePair(fast) && isBeforePair(slow) && isBeforePair(smooth))) return from
  let [a, b, c] = [fast.average, slow.average, smooth.average]
  let i = from
  for (; i + 1 < source.length; i += 2) {
    const first = source[i] as number
    const second = source[i + 1] as number
    const nextA = a + fast.both * (first + fast.newer * (second - first) - a)
    const nextB = b + slow.both * (first + slow.newer * (second - first) - b)
    const difference = a + fast.weight * (first - a) - (b + slow.weight * (first - b))
    const nextDifference = nextA - nextB
    const nextC = c + smooth.both * (difference + smooth.newer * (nextDifference - difference) - c)
    if (Number.isNaN(nextC)) break
    const smoothed = c + smooth.weight * (difference - c)
    line[i] = difference
    line[i + 1] = nextDifference
    signal[i] = smoothed
    signal[i + 1] = nextC
    histogram[i] = difference - smoothed
    histogram[i + 1] = nextDifference - nextC
    a = nextA
    b = nextB
    c = nextC
  }
  fast.average = a
  slow.average = b
  smooth.average = c
  return i
}
