import { defineIndicator, type IndicatorInput } from './indicator.ts'
import {
  conventionParam,
  type IndicatorParams,
  isTalib,
  numberOf,
  type ParamFault,
  periodParam,
} from './params.ts'
import { divide } from './series.ts'
import { createTrueRange } from './true-range.ts'
import { createWindowSum } from './window.ts'

/** Ultimate oscillator, 0–100. Source: Larry Williams 1985; StockCharts “Ultimate Oscillator”; TA-Lib alike. */
export const ultimateOscillator = defineIndicator({
  type: 'ultimate_oscillator',
  title: 'Ultimate oscillator',
  description:
    'Buying pressure (close − the lower of low and previous close) as a share of the true range, summed over three ' +
    'lengths and averaged with the weights 4, 2 and 1, 0–100; 50 for a length without range. First value at bar ' +
    'long_period (Williams 1985).',
  params: {
    short_period: periodParam(7, 1, 'Length weighted 4'),
    medium_period: periodParam(14, 1, 'Length weighted 2'),
    long_period: periodParam(28, 1, 'Length weighted 1'),
    convention: conventionParam('counts a length without range as 0'),
  },
  outputs: [{ name: 'value', title: 'Ultimate oscillator', unit: 'percent', min: 0, max: 100 }],
  pane: 'separate',
  check: checkOrder,
  lookback: params => numberOf(params, 'long_period'),
  start(params) {
    const trueRange = createTrueRange()
    const pressure = createPressure()
    const flat = isTalib(params) ? 0 : 0.5
    const shares = ['short_period', 'medium_period', 'long_period'].map(name => {
      const sums = [createWindowSum(numberOf(params, name)), createWindowSum(numberOf(params, name))] as const
      return (part: Float64Array, whole: Float64Array) => divide(sums[0](part), sums[1](whole), 1, flat)
    })
    return input => {
      const ranges = trueRange(input)
      const pressures = pressure(input)
      const value = new Float64Array(input.length)
      shares.forEach((share, k) => {
        const column = share(pressures, ranges)
        const percent = ([4, 2, 1][k] as number) * (100 / 7)
        for (let i = 0; i < value.length; i++)
          value[i] = (value[i] as number) + percent * (column[i] as number)
      })
      return { value }
    }
  },
})

function createPressure(): (input: IndicatorInput) => Float64Array {
  let previous = Number.NaN
  return ({ length, low, close }) => {
    const output = new Float64Array(length)
    for (let i = 0; i < length; i++) {
      output[i] = (close[i] as number) - Math.min(low[i] as number, previous)
      previous = close[i] as number
    }
    return output
  }
}

function checkOrder(params: IndicatorParams): ParamFault | null {
  const [short, medium, long] = ['short_period', 'medium_period', 'long_period'].map(name =>
    numberOf(params, name),
  )
  if (short === undefined || medium === undefined || long === undefined) return null
  if (medium <= short)
    return {
      param: 'medium_period',
      message: `${medium} should be longer than short_period, which is ${short}`,
    }
  if (long > medium) return null
  return { param: 'long_period', message: `${long} should be longer than medium_period, which is ${medium}` }
}
