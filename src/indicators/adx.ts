import { createWilder, wilderSettling } from './average.ts'
import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import { divide, startLater } from './series.ts'
import { createTrueRange } from './true-range.ts'

/**
 * Directional movement. Source: Wilder 1978, section IV; start as StockCharts and Skender. TA-Lib’s first averages are a
 * step behind (as if bar 0 had ranges of 0): the DIs differ by up to 0.6 and the ADX by 0.8 at the start, then converge.
 */
export const adx = defineIndicator({
  type: 'adx',
  title: 'Average directional index (Wilder)',
  description:
    'plus_di and minus_di: Wilder’s averages of the upward and the downward movement in percent of that of the true ' +
    'range, 0–100, from bar `period`; 0 without any range. adx: Wilder’s average of 100·|+DI − −DI| / (+DI + −DI), ' +
    '0–100, from bar 2·period − 1; that is 0 where neither moved (Wilder 1978).',
  params: {
    period: periodParam(14, 2),
    convention: conventionParam('starts the averages from period − 1 bars, divided by period'),
  },
  outputs: [
    { name: 'adx', title: 'ADX', unit: 'percent', min: 0, max: 100 },
    { name: 'plus_di', title: '+DI', unit: 'percent', min: 0, max: 100 },
    { name: 'minus_di', title: '−DI', unit: 'percent', min: 0, max: 100 },
  ],
  pane: 'separate',
  lookback(params) {
    const period = periodOf(params)
    return { adx: 2 * period - 1, plus_di: period, minus_di: period }
  },
  settling: params => 2 * wilderSettling(periodOf(params)),
  start(params) {
    const period = periodOf(params)
    const movement = createMovement(isTalib(params) ? 0 : Number.NaN)
    const [plus, minus, range, index] = [
      createWilder(period),
      createWilder(period),
      createWilder(period),
      createWilder(period),
    ]
    // The zeros of bar 0 make the averages begin a bar early: that bar is not shown.
    const shown = isTalib(params) ? startLater(1, column => column) : (column: Float64Array) => column
    return input => {
      const { up, down, ranges } = movement(input)
      const averageRange = shown(range(ranges))
      const plusDi = divide(plus(up), averageRange, 100, 0)
      const minusDi = divide(minus(down), averageRange, 100, 0)
      return { adx: index(directionalIndex(plusDi, minusDi)), plus_di: plusDi, minus_di: minusDi }
    }
  },
})

type Movement = {
  readonly up: Float64Array
  readonly down: Float64Array
  readonly ranges: Float64Array
}

/** Directional movements and true range. @param onBarZero what bar 0, which has none, is given */
function createMovement(onBarZero: number): (input: IndicatorInput) => Movement {
  const trueRange = createTrueRange()
  let previousHigh = Number.NaN
  let previousLow = Number.NaN
  return input => {
    const { length, high, low } = input
    const movement = {
      up: new Float64Array(length),
      down: new Float64Array(length),
      ranges: trueRange(input),
    }
    for (let i = 0; i < length; i++) {
      const rise = (high[i] as number) - previousHigh
      const fall = previousLow - (low[i] as number)
      if (Number.isNaN(rise)) {
        movement.up[i] = onBarZero
        movement.down[i] = onBarZero
        movement.ranges[i] = onBarZero
      } else {
        movement.up[i] = rise > fall && rise > 0 ? rise : 0
        movement.down[i] = fall > rise && fall > 0 ? fall : 0
      }
      previousHigh = high[i] as number
      previousLow = low[i] as number
    }
    return movement
  }
}

function directionalIndex(plusDi: Float64Array, minusDi: Float64Array): Float64Array {
  const output = new Float64Array(plusDi.length)
  for (let i = 0; i < output.length; i++) {
    const sum = (plusDi[i] as number) + (minusDi[i] as number)
    output[i] = sum === 0 ? 0 : (100 * Math.abs((plusDi[i] as number) - (minusDi[i] as number))) / sum
  }
  return output
}
