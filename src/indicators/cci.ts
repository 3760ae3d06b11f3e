import { createSma } from './average.ts'
import { defineIndicator } from './indicator.ts'
import { type ParamSpec, periodOf } from './params.ts'
import type { Series } from './series.ts'
import { priceColumn } from './source.ts'

/** The mean distance is summed anew for every bar, so the length is kept short. */
const periodParam: ParamSpec = {
  type: 'integer',
  default: 20,
  min: 2,
  max: 500,
  description: 'Length of mean and mean distance, in bars',
}

/**
 * Commodity channel index. Source: Lambert 1980; StockCharts “CCI”; TA-Lib, technicalindicators and trading-signals
 * agree. indicatorts takes the mean distance from each bar’s own average, which is another number.
 */
export const cci = defineIndicator({
  type: 'cci',
  title: 'Commodity channel index',
  description:
    '(typical price − its simple mean) / (0.015 · mean distance of the last `period` typical prices from that mean); ' +
    'a number mostly within ±100; 0 where the typical price did not move. First value at bar period − 1 (Lambert 1980).',
  params: { period: periodParam },
  outputs: [{ name: 'value', title: 'CCI', unit: 'number' }],
  pane: 'separate',
  lookback: params => periodOf(params) - 1,
  start(params) {
    const advance = createCci(periodOf(params))
    return input => ({ value: advance(priceColumn(input, 'hlc3')) })
  },
})

function createCci(period: number): Series {
  const mean = createSma(period)
  const window = new Float64Array(period)
  let at = 0
  return input => {
    const output = mean(input)
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      window[at] = value
      at = at + 1 === period ? 0 : at + 1
      const centre = output[i] as number
      let distance = 0
      for (let j = 0; j < period; j++) distance += Math.abs((window[j] as number) - centre)
      const unit = 0.015 * (distance / period)
      output[i] = unit === 0 ? 0 : (value - centre) / unit
    }
    return output
  }
}
