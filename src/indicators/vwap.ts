import { defineIndicator } from './indicator.ts'
import { flagOf, type ParamSpec, periodOf } from './params.ts'
import type { Series } from './series.ts'
import { priceColumn } from './source.ts'
import { createWindowSum } from './window.ts'

const periodParam: ParamSpec = {
  type: 'integer',
  default: 20,
  min: 0,
  max: 5000,
  description: 'Length, in bars; 0 takes all bars from the first on',
}

/** Volume-weighted average price over the last bars; anchored to sessions it is `session_vwap`. */
export const vwap = defineIndicator({
  type: 'vwap',
  title: 'Volume-weighted average price (rolling)',
  description:
    'Sum of price · volume over `period` bars divided by that of the volume, in price units; the price of the bar where ' +
    'there was no volume. First value at bar period − 1.',
  params: {
    period: periodParam,
    use_typical_price: {
      type: 'boolean',
      default: true,
      description: 'Take (high + low + close) / 3 for the price, else the close',
    },
  },
  outputs: [{ name: 'value', title: 'VWAP', unit: 'price' }],
  pane: 'overlay',
  lookback: params => Math.max(0, periodOf(params) - 1),
  settling: params => (periodOf(params) === 0 ? null : 0),
  start(params) {
    const sum = () => (periodOf(params) === 0 ? createRunningSum() : createWindowSum(periodOf(params)))
    const [sumValue, sumVolume] = [sum(), sum()]
    return input => {
      const prices = flagOf(params, 'use_typical_price') ? priceColumn(input, 'hlc3') : input.close
      const value = new Float64Array(input.length)
      for (let i = 0; i < value.length; i++) value[i] = (prices[i] as number) * (input.volume[i] as number)
      const values = sumValue(value)
      const volumes = sumVolume(input.volume)
      for (let i = 0; i < value.length; i++) {
        const volume = volumes[i] as number
        value[i] = volume === 0 ? (prices[i] as number) : (values[i] as number) / volume
      }
      return { value }
    }
  },
})

function createRunningSum(): Series {
  let total = 0
  return input =>
    input.map(value => {
      total += value
      return total
    })
}
