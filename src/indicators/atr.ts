import { type IndicatorBar, type IndicatorSpec, periodOf, periodParam } from './indicator.ts'

/** Wilder's average true range, in price units, ≥ 0. Source: Wilder 1978, section III; test/fixtures/atr.ts */
export const atr: IndicatorSpec = {
  type: 'atr',
  title: 'Average true range (Wilder)',
  description:
    'Wilder’s average of the true range: the largest of high − low, |high − previous close| and ' +
    '|low − previous close|, in price units. Bar 0 has no true range; the first value, at bar `period`, is the mean of the first `period`.',
  params: { period: periodParam(14, 1) },
  outputs: ['value'],
  pane: 'separate',
  lookback: params => periodOf(params),
  compute(bars, params) {
    const step = createAtr(periodOf(params))
    const value = new Float64Array(bars.length)
    const { high, low, close } = bars
    for (let i = 0; i < value.length; i++)
      value[i] = step(high[i] as number, low[i] as number, close[i] as number)
    return { value }
  },
  incremental(params) {
    const step = createAtr(periodOf(params))
    return { next: (bar: IndicatorBar) => step(bar.high, bar.low, bar.close) }
  },
}

function createAtr(period: number): (high: number, low: number, close: number) => number {
  let previousClose = Number.NaN
  let ranges = -1
  let average = 0
  return (high, low, close) => {
    const range = Math.max(high - low, Math.abs(high - previousClose), Math.abs(low - previousClose))
    previousClose = close
    ranges++
    if (ranges === 0) return Number.NaN
    if (ranges <= period) {
      average += range
      if (ranges < period) return Number.NaN
      average /= period
    } else {
      average = (average * (period - 1) + range) / period
    }
    return average
  }
}
