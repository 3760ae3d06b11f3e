import { defineIndicator } from './indicator.ts'
import { conventionParam, isTalib } from './params.ts'

/** On-balance volume. Source: Granville 1963; starts at 0 as StockCharts and Skender. */
export const obv = defineIndicator({
  type: 'obv',
  title: 'On-balance volume',
  description:
    'Running sum of the volume, added where the close rose and taken off where it fell, in units traded. 0 on bar 0, so ' +
    'only differences mean something (Granville 1963).',
  params: { convention: conventionParam('starts at the volume of bar 0') },
  outputs: [{ name: 'value', title: 'OBV', unit: 'volume' }],
  pane: 'separate',
  lookback: () => 0,
  settling: () => null,
  start(params) {
    let previous = Number.NaN
    let total = 0
    return ({ length, close, volume }) => {
      const value = new Float64Array(length)
      for (let i = 0; i < length; i++) {
        const now = close[i] as number
        const first = Number.isNaN(previous) && isTalib(params)
        if (now > previous || first) total += volume[i] as number
        else if (now < previous) total -= volume[i] as number
        value[i] = total
        previous = now
      }
      return { value }
    }
  },
})
