import { defineIndicator } from './indicator.ts'
import { createAdLine, moneyFlow } from './money-flow.ts'

/**
 * Accumulation/distribution line. Source: Chaikin; StockCharts, Skender, TA-Lib and trading-signals agree.
 * technicalindicators takes 1 for the multiplier of bars without range and rounds to whole units.
 */
export const adLine = defineIndicator({
  type: 'ad_line',
  title: 'Accumulation/distribution line',
  description:
    'line: running sum of mf_volume, in units traded; it starts with bar 0, so only differences mean something. ' +
    'mf_multiplier: ((close − low) − (high − close)) / (high − low), −1–1, 0 without range. mf_volume: that times the ' +
    'volume (Chaikin).',
  params: {},
  outputs: [
    { name: 'line', title: 'A/D line', unit: 'volume' },
    { name: 'mf_multiplier', title: 'Money flow multiplier', unit: 'ratio', min: -1, max: 1 },
    { name: 'mf_volume', title: 'Money flow volume', unit: 'volume' },
  ],
  pane: 'separate',
  lookback: () => 0,
  settling: () => null,
  start() {
    const accumulate = createAdLine()
    return input => {
      const { multiplier, flow } = moneyFlow(input)
      return { line: accumulate(flow), mf_multiplier: multiplier, mf_volume: flow }
    }
  },
})
