import { defineIndicator } from './indicator.ts'
import { type IndicatorParams, numberOf, periodParam } from './params.ts'
import { createDelay, midpoint, subtract } from './series.ts'
import { createWindowExtreme } from './window.ts'

/** Ichimoku cloud, as known at each bar. Source: Hosoda 1969; StockCharts and Skender. */
export const ichimoku = defineIndicator({
  type: 'ichimoku',
  title: 'Ichimoku cloud',
  description:
    'tenkan, kijun: mean of highest high and lowest low of tenkan_period and kijun_period bars. senkou_a, senkou_b: the ' +
    'cloud that stands at this bar, which is the mean of tenkan and kijun, and the middle of senkou_b_period bars, both ' +
    'of `displacement` bars before. chikou: a chart draws the close `displacement` bars back, where it was not known; here ' +
    'it is what one reads there, close − close of `displacement` bars before. All in price units (Hosoda 1969).',
  params: {
    tenkan_period: periodParam(9, 1, 'Bars of the conversion line'),
    kijun_period: periodParam(26, 1, 'Bars of the base line'),
    senkou_b_period: periodParam(52, 1, 'Bars of the second leading span'),
    displacement: periodParam(26, 1, 'Bars that the cloud stands ahead and the lagging span behind'),
  },
  outputs: [
    { name: 'tenkan', title: 'Conversion line', unit: 'price' },
    { name: 'kijun', title: 'Base line', unit: 'price' },
    { name: 'senkou_a', title: 'Leading span A', unit: 'price' },
    { name: 'senkou_b', title: 'Leading span B', unit: 'price' },
    { name: 'chikou', title: 'Lagging span − price', unit: 'price' },
  ],
  pane: 'overlay',
  lookback(params) {
    const tenkan = numberOf(params, 'tenkan_period') - 1
    const kijun = numberOf(params, 'kijun_period') - 1
    const displacement = numberOf(params, 'displacement')
    return {
      tenkan,
      kijun,
      senkou_a: Math.max(tenkan, kijun) + displacement,
      senkou_b: numberOf(params, 'senkou_b_period') - 1 + displacement,
      chikou: displacement,
    }
  },
  start(params) {
    const conversion = createMiddle(numberOf(params, 'tenkan_period'))
    const base = createMiddle(numberOf(params, 'kijun_period'))
    const wide = createMiddle(numberOf(params, 'senkou_b_period'))
    const [delayA, delayB, delayClose] = createDelays(params)
    return ({ high, low, close }) => {
      const tenkan = conversion(high, low)
      const kijun = base(high, low)
      return {
        tenkan,
        kijun,
        senkou_a: delayA(midpoint(tenkan, kijun)),
        senkou_b: delayB(wide(high, low)),
        chikou: subtract(close, delayClose(close)),
      }
    }
  },
})

/** Middle between the highest high and the lowest low of the last `period` bars. */
function createMiddle(period: number): (high: Float64Array, low: Float64Array) => Float64Array {
  const highest = createWindowExtreme(period, 1)
  const lowest = createWindowExtreme(period, -1)
  return (high, low) => midpoint(highest(high), lowest(low))
}

function createDelays(params: IndicatorParams) {
  const bars = numberOf(params, 'displacement')
  return [createDelay(bars), createDelay(bars), createDelay(bars)] as const
}
