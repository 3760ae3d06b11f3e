import { createEma, emaSettling } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { numberOf, periodParam } from './params.ts'
import { createChange, divide } from './series.ts'
import { sourceColumn, sourceParam } from './source.ts'

/**
 * True strength index. Source: Blau 1991; StockCharts “True Strength Index”; pandas-ta agrees. trading-signals seeds its
 * EMAs with the first value and agrees once that is forgotten.
 */
export const tsi = defineIndicator({
  type: 'tsi',
  title: 'True strength index',
  description:
    'line: the change of the source, smoothed by an EMA of `long_period` and then one of `short_period`, as a share ' +
    'of its magnitude smoothed alike, −100–100; 0 where nothing moved. First value at bar long_period + short_period − 1. ' +
    'signal: EMA of the line (Blau 1991; as StockCharts).',
  params: {
    long_period: periodParam(25, 1, 'Length of the first EMA'),
    short_period: periodParam(13, 1, 'Length of the second EMA'),
    signal_period: periodParam(7, 1, 'Length of the EMA that makes the signal'),
    source: sourceParam,
  },
  outputs: [
    { name: 'line', title: 'TSI', unit: 'percent', min: -100, max: 100 },
    { name: 'signal', title: 'Signal', unit: 'percent', min: -100, max: 100 },
  ],
  pane: 'separate',
  lookback(params) {
    const line = numberOf(params, 'long_period') + numberOf(params, 'short_period') - 1
    return { line, signal: line + numberOf(params, 'signal_period') - 1 }
  },
  settling: params =>
    emaSettling(numberOf(params, 'long_period')) +
    emaSettling(numberOf(params, 'short_period')) +
    emaSettling(numberOf(params, 'signal_period')),
  start(params) {
    const change = createChange()
    const [long, longMagnitude] = twice(() => createEma(numberOf(params, 'long_period')))
    const [short, shortMagnitude] = twice(() => createEma(numberOf(params, 'short_period')))
    const smooth = createEma(numberOf(params, 'signal_period'))
    return input => {
      const changes = change(sourceColumn(input, params))
      const magnitude = shortMagnitude(longMagnitude(changes.map(Math.abs)))
      const line = divide(short(long(changes)), magnitude, 100, 0)
      return { line, signal: smooth(line) }
    }
  },
})

function twice<T>(create: () => T): readonly [T, T] {
  return [create(), create()]
}
