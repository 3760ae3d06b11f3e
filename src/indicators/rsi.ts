import { type IndicatorSpec, periodOf, periodParam } from './indicator.ts'
import { overSource, sourceParam } from './source.ts'

/** Wilder's relative strength index, 0–100. Source: Wilder 1978, section VI; test/fixtures/rsi.ts */
export const rsi: IndicatorSpec = {
  type: 'rsi',
  title: 'Relative strength index (Wilder)',
  description:
    'Share of gains in all changes of the source, 0–100, smoothed by Wilder’s average. First value at bar `period`, ' +
    'from the simple means of the first `period` gains and losses. 100 without losses; 50 when nothing moved.',
  params: { period: periodParam(14, 2), source: sourceParam },
  outputs: ['value'],
  pane: 'separate',
  lookback: params => periodOf(params),
  ...overSource(createRsi),
}

function createRsi(period: number): (value: number) => number {
  let previous = Number.NaN
  let changes = -1
  let gain = 0
  let loss = 0
  return value => {
    const change = value - previous
    previous = value
    changes++
    if (changes === 0) return Number.NaN
    const up = change > 0 ? change : 0
    const down = change < 0 ? -change : 0
    if (changes <= period) {
      gain += up
      loss += down
      if (changes < period) return Number.NaN
      gain /= period
      loss /= period
    } else {
      gain = (gain * (period - 1) + up) / period
      loss = (loss * (period - 1) + down) / period
    }
    // gain / (gain + loss) is 1 − 1 / (1 + RS) without the division by a loss of zero.
    return gain === 0 && loss === 0 ? 50 : 100 * (gain / (gain + loss))
  }
}
