import { defineIndicator } from './indicator.ts'
import { flagOf, periodOf, periodParam } from './params.ts'
import { createDelay, midpoint } from './series.ts'
import { createWindowExtreme } from './window.ts'

/** Donchian channels. Source: Donchian; StockCharts “Price Channels” leaves the current bar out. */
export const donchian = defineIndicator({
  type: 'donchian',
  title: 'Donchian channels',
  description:
    'upper: highest high of `period` bars. lower: lowest low. middle: their mean. In price units. With ' +
    '`exclude_current` the bars before the current one, so that a close can lie outside (Donchian; StockCharts, ' +
    'Skender). First value at bar period − 1, or `period` then.',
  params: {
    period: periodParam(20, 1),
    exclude_current: {
      type: 'boolean',
      default: false,
      description: 'Take the bars before the current one',
    },
  },
  outputs: [
    { name: 'upper', title: 'Upper channel', unit: 'price' },
    { name: 'middle', title: 'Middle', unit: 'price' },
    { name: 'lower', title: 'Lower channel', unit: 'price' },
  ],
  pane: 'overlay',
  lookback: params => periodOf(params) - (flagOf(params, 'exclude_current') ? 0 : 1),
  start(params) {
    const highest = createWindowExtreme(periodOf(params), 1)
    const lowest = createWindowExtreme(periodOf(params), -1)
    const bars = flagOf(params, 'exclude_current') ? 1 : 0
    const [delayUpper, delayLower] = [createDelay(bars), createDelay(bars)]
    return ({ high, low }) => {
      const upper = delayUpper(highest(high))
      const lower = delayLower(lowest(low))
      return { upper, middle: midpoint(upper, lower), lower }
    }
  },
})
