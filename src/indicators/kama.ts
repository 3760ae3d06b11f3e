import { settlingOf } from './average.ts'
import { checkFastBelowSlow, type IndicatorParams, numberOf, periodOf, periodParam } from './params.ts'
import { createChange, createDelay, type Series } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'
import { createWindowSum } from './window.ts'

/**
 * Kaufman’s adaptive moving average. Source: Kaufman, Smarter Trading, 1995; start as TA-Lib and Skender, which shows the
 * seed as a value one bar earlier. Where nothing moved for `period` bars TA-Lib takes the efficiency for 1, we for 0.
 */
export const kama = defineOverSource({
  type: 'kama',
  title: 'Kaufman’s adaptive moving average',
  description:
    'Moves towards each value of the source by c² of the distance, c between 2 / (slow_period + 1) and ' +
    '2 / (fast_period + 1) by the efficiency: the change over `period` bars divided by the sum of the changes within ' +
    '(0 where nothing moved). Starts from the value of bar period − 1; first value at bar `period` (Kaufman 1995).',
  params: {
    period: periodParam(10, 1, 'Bars over which efficiency is measured'),
    fast_period: periodParam(2, 1, 'Length of the average in a straight trend'),
    slow_period: periodParam(30, 2, 'Length of the average without any trend'),
    source: sourceParam,
  },
  output: { title: 'KAMA', unit: 'source' },
  pane: 'overlay',
  check: checkFastBelowSlow,
  lookback: periodOf,
  // As if there were never a trend: with one it forgets faster.
  settling: params => settlingOf((2 / (numberOf(params, 'slow_period') + 1)) ** 2),
  series: createKama,
})

function createKama(params: IndicatorParams): Series {
  const period = periodOf(params)
  const fast = 2 / (numberOf(params, 'fast_period') + 1)
  const slow = 2 / (numberOf(params, 'slow_period') + 1)
  const before = createDelay(period)
  const change = createChange()
  const sum = createWindowSum(period)
  let seen = 0
  let average = 0
  return input => {
    const past = before(input)
    const path = sum(change(input).map(Math.abs))
    for (let i = 0; i < input.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) continue
      seen++
      if (seen === period) average = value
      if (seen <= period) continue
      const travelled = path[i] as number
      const efficiency = travelled === 0 ? 0 : Math.min(1, Math.abs(value - (past[i] as number)) / travelled)
      average += (efficiency * (fast - slow) + slow) ** 2 * (value - average)
      path[i] = average
    }
    return path
  }
}
