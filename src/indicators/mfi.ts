import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import { priceColumn } from './source.ts'
import { createWindowSum } from './window.ts'

/**
 * Money flow index, 0–100. Source: Quong and Soudack 1989; StockCharts “MFI”; TA-Lib alike. technicalindicators counts
 * ties as negative and indicatorts takes the sign from the change of the flow: neither is this index.
 */
export const mfi = defineIndicator({
  type: 'mfi',
  title: 'Money flow index',
  description:
    'Typical price · volume of the bars whose typical price rose, as a share of that of the bars where it rose or fell, ' +
    'over `period` changes, 0–100; bars where it stayed count to neither. 50 without any flow. First value at bar ' +
    '`period` (Quong and Soudack 1989).',
  params: {
    period: periodParam(14, 1),
    convention: conventionParam('gives 0 where the flow of all bars is below 1'),
  },
  outputs: [{ name: 'value', title: 'MFI', unit: 'percent', min: 0, max: 100 }],
  pane: 'separate',
  lookback: periodOf,
  start(params) {
    const flows = createFlows()
    const [sumPositive, sumNegative] = [createWindowSum(periodOf(params)), createWindowSum(periodOf(params))]
    const [floor, flat] = isTalib(params) ? [1, 0] : [0, 50]
    return input => {
      const { positive, negative } = flows(input)
      const value = sumPositive(positive)
      const against = sumNegative(negative)
      for (let i = 0; i < value.length; i++) {
        const total = (value[i] as number) + (against[i] as number)
        value[i] = total < floor || total === 0 ? flat : 100 * ((value[i] as number) / total)
      }
      return { value }
    }
  },
})

/** Money flow of rising and of falling bars. NaN on bar 0, which has no change. */
function createFlows(): (input: IndicatorInput) => {
  readonly positive: Float64Array
  readonly negative: Float64Array
} {
  let previous = Number.NaN
  return input => {
    const prices = priceColumn(input, 'hlc3')
    const positive = new Float64Array(input.length)
    const negative = new Float64Array(input.length)
    for (let i = 0; i < input.length; i++) {
      const price = prices[i] as number
      const flow = price * (input.volume[i] as number)
      const unknown = Number.isNaN(previous) ? Number.NaN : 0
      positive[i] = price > previous ? flow : unknown
      negative[i] = price < previous ? flow : unknown
      previous = price
    }
    return { positive, negative }
  }
}
