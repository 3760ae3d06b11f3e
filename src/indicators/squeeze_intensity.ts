import { emaSettling, wilderSettling } from './average.ts'
import { createBollinger } from './bollinger_bands.ts'
import { defineIndicator } from './indicator.ts'
import { createKeltner } from './keltner.ts'
import { numberOf, numberParam, periodParam } from './params.ts'

/** How far the Bollinger bands lie inside the Keltner channels. Source of the idea: Carter 2005 (“TTM squeeze”). */
export const squeezeIntensity = defineIndicator({
  type: 'squeeze_intensity',
  title: 'Squeeze intensity',
  description:
    'The smaller of the gaps between Keltner channel and Bollinger band above and below, as a share of half the ' +
    'channel’s width, 0–1: 0 where a band reaches a channel line or there is no range, 1 where the bands have closed in ' +
    'the channel’s middle. Both of the close; ATR of kc_period.',
  params: {
    bb_period: periodParam(20, 2, 'Length of the Bollinger bands'),
    bb_multiplier: numberParam(2, 0.01, 5, 'Standard deviations of the Bollinger bands'),
    kc_period: periodParam(20, 1, 'Length of EMA and ATR of the Keltner channels'),
    kc_multiplier: numberParam(2, 0.01, 5, 'ATRs of the Keltner channels'),
  },
  outputs: [{ name: 'value', title: 'Squeeze', unit: 'ratio', min: 0, max: 1 }],
  pane: 'separate',
  lookback: params => Math.max(numberOf(params, 'bb_period') - 1, numberOf(params, 'kc_period')),
  settling(params) {
    const period = numberOf(params, 'kc_period')
    return Math.max(emaSettling(period), wilderSettling(period))
  },
  start(params) {
    const period = numberOf(params, 'kc_period')
    const bollinger = createBollinger(numberOf(params, 'bb_period'), numberOf(params, 'bb_multiplier'))
    const keltner = createKeltner(period, period, numberOf(params, 'kc_multiplier'))
    return input => {
      const bands = bollinger(input.close)
      const channels = keltner(input)
      const value = new Float64Array(input.length)
      for (let i = 0; i < value.length; i++) {
        const half = ((channels.upper[i] as number) - (channels.lower[i] as number)) / 2
        const above = (channels.upper[i] as number) - (bands.upper[i] as number)
        const below = (bands.lower[i] as number) - (channels.lower[i] as number)
        const inside = Math.max(0, Math.min(above, below))
        value[i] = half > 0 ? Math.min(1, inside / half) : inside
      }
      return { value }
    }
  },
})
