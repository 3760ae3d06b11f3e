import { createWilder, wilderSettling } from './average.ts'
import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { periodOf, periodParam } from './params.ts'
import { eachPiece } from './series.ts'
import { createTrueRange } from './true-range.ts'

/**
 * Wilder's average true range, in price units, ≥ 0. Source: Wilder 1978, section III; test/fixtures/atr.ts.
 * TA-Lib, Skender and technicalindicators agree; indicatorts averages simply, trading-signals counts bar 0.
 */
export const atr = defineIndicator({
  type: 'atr',
  title: 'Average true range (Wilder)',
  description:
    'Wilder’s average of the true range: the largest of high − low, |high − previous close| and ' +
    '|low − previous close|, in price units. Bar 0 has no true range; the first value, at bar `period`, is the mean of the first `period`.',
  params: { period: periodParam(14, 1, 'Length of the average, in bars') },
  outputs: [{ name: 'value', title: 'ATR', unit: 'price', min: 0 }],
  pane: 'separate',
  lookback: periodOf,
  settling: params => wilderSettling(periodOf(params)),
  start(params) {
    const advance = createAtr(periodOf(params))
    return (input, into) => ({ value: advance(input, into?.value) })
  },
})

/** The true range smoothed. First value at bar `period`. */
export function createAtr(period: number): (input: IndicatorInput, output?: Float64Array) => Float64Array {
  const trueRange = createTrueRange()
  const average = createWilder(period)
  return ({ length, high, low, close }, output = new Float64Array(length)) => {
    eachPiece(length, (from, to) => {
      const part = (column: Float64Array) => column.subarray(from, to)
      const bars = { length: to - from, high: part(high), low: part(low), close: part(close) }
      const range = trueRange(bars, part(output))
      average(range, range)
    })
    return output
  }
}
