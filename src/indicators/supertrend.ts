import { createAtr } from './atr.ts'
import { defineIndicator, type IndicatorInput, type OutputColumns } from './indicator.ts'
import { numberOf, numberParam, periodOf, periodParam } from './params.ts'

/** Supertrend. Source: Seban; Skender and TradingView alike, with Wilder’s ATR. */
export const supertrend = defineIndicator({
  type: 'supertrend',
  title: 'Supertrend',
  description:
    'A trailing line `multiplier` Wilder ATRs from (high + low) / 2: below the prices (direction 1) it only rises, ' +
    'above them (direction −1) it only falls, until a close crosses it. The first direction, at bar `period`, is that of ' +
    'the close against the middle of its bar. Unbounded memory: the side depends on every turn before.',
  params: {
    period: periodParam(10, 1, 'Length of the ATR'),
    multiplier: numberParam(3, 0.01, 100, 'ATRs between the middle of the bar and the line'),
  },
  outputs: [
    { name: 'trend', title: 'Supertrend', unit: 'price' },
    { name: 'direction', title: 'Direction', unit: 'sign', min: -1, max: 1 },
  ],
  pane: 'overlay',
  lookback: periodOf,
  settling: () => null,
  start(params) {
    const range = createAtr(periodOf(params))
    const follow = createTrail(numberOf(params, 'multiplier'))
    return input => follow(input, range(input))
  },
})

function createTrail(multiplier: number): (input: IndicatorInput, ranges: Float64Array) => OutputColumns {
  const held = { upper: Number.NaN, lower: Number.NaN, close: Number.NaN, direction: 0 }
  return ({ length, high, low, close }, ranges) => {
    const trend = new Float64Array(length).fill(Number.NaN)
    const directions = new Float64Array(length).fill(Number.NaN)
    let { upper, lower, close: previous, direction } = held
    for (let i = 0; i < length; i++) {
      const range = ranges[i] as number
      if (Number.isNaN(range)) continue
      const middle = ((high[i] as number) + (low[i] as number)) / 2
      const now = close[i] as number
      const upperNow = middle + multiplier * range
      const lowerNow = middle - multiplier * range
      // A line moves towards the prices, or anywhere once a close has been beyond it.
      if (direction === 0 || upperNow < upper || previous > upper) upper = upperNow
      if (direction === 0 || lowerNow > lower || previous < lower) lower = lowerNow
      if (direction === 0) direction = now >= middle ? 1 : -1
      direction = now > (direction === 1 ? lower : upper) ? 1 : -1
      trend[i] = direction === 1 ? lower : upper
      directions[i] = direction
      previous = now
    }
    Object.assign(held, { upper, lower, close: previous, direction })
    return { trend, direction: directions }
  }
}
