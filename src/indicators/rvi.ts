import { createSma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { numberOf, type ParamSpec, periodOf, periodParam } from './params.ts'
import { divide, type Series, subtract } from './series.ts'

/** Its weights are applied one by one to every bar, so the length is kept short. */
const signalParam: ParamSpec = {
  type: 'integer',
  default: 4,
  min: 1,
  max: 50,
  description: 'Values of the triangular mean that makes the signal',
}

/** Relative vigor index. Source: Ehlers, Stocks & Commodities 20:1 (2002). */
export const rvi = defineIndicator({
  type: 'rvi',
  title: 'Relative vigor index',
  description:
    'rvi: close − open, averaged over four bars with the weights 1 2 2 1 and summed over `period`, divided by the same of ' +
    'high − low, −1–1; 0 without range. First value at bar period + 2. signal: triangular mean of the last ' +
    '`signal_period` values, 1 2 2 1 for four (Ehlers 2002).',
  params: { period: periodParam(10, 1), signal_period: signalParam },
  outputs: [
    { name: 'rvi', title: 'RVI', unit: 'ratio', min: -1, max: 1 },
    { name: 'signal', title: 'Signal', unit: 'ratio', min: -1, max: 1 },
  ],
  pane: 'separate',
  lookback(params) {
    const value = periodOf(params) + 2
    return { rvi: value, signal: value + numberOf(params, 'signal_period') - 1 }
  },
  start(params) {
    const period = periodOf(params)
    const [weighBody, weighRange] = [createTriangularMean(4), createTriangularMean(4)]
    const [meanBody, meanRange] = [createSma(period), createSma(period)]
    const smooth = createTriangularMean(numberOf(params, 'signal_period'))
    return ({ open, high, low, close }) => {
      const body = meanBody(weighBody(subtract(close, open)))
      const range = meanRange(weighRange(subtract(high, low)))
      const value = divide(body, range, 1, 0)
      return { rvi: value, signal: smooth(value) }
    }
  },
})

/** Mean with weights that rise from 1 to the middle and fall back to 1. First at value size − 1. */
function createTriangularMean(size: number): Series {
  const weights = Array.from({ length: size }, (_, i) => Math.min(i + 1, size - i))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const window = new Float64Array(size)
  let at = 0
  let count = 0
  return input => {
    const output = new Float64Array(input.length)
    for (let i = 0; i < output.length; i++) {
      output[i] = Number.NaN
      const value = input[i] as number
      if (Number.isNaN(value)) continue
      window[at] = value
      at = at + 1 === size ? 0 : at + 1
      if (count < size) count++
      if (count < size) continue
      let sum = 0
      for (let j = 0; j < size; j++) sum += (weights[j] as number) * (window[(at + j) % size] as number)
      output[i] = sum / total
    }
    return output
  }
}
