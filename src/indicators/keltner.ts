import { createAtr } from './atr.ts'
import { createEma, emaSettling, wilderSettling } from './average.ts'
import type { Bands } from './bollinger_bands.ts'
import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { numberOf, numberParam, periodOf, periodParam } from './params.ts'
import { spread } from './series.ts'

/**
 * Keltner channels. Source: StockCharts “Keltner Channels” (Raschke’s version of Keltner 1960); Skender alike. TA-Lib’s
 * averages the typical price, as Keltner did.
 */
export const keltner = defineIndicator({
  type: 'keltner',
  title: 'Keltner channels',
  description:
    'middle: EMA of the close. upper and lower: `multiplier` Wilder ATRs above and below it, in price units. ' +
    'The middle begins at bar period − 1, the others at the later of that and bar atr_period (Raschke; as StockCharts).',
  params: {
    period: periodParam(20, 1, 'Length of the EMA'),
    atr_period: periodParam(10, 1, 'Length of the ATR'),
    multiplier: numberParam(2, 0.01, 10, 'ATRs between the middle and a channel line'),
  },
  outputs: [
    { name: 'upper', title: 'Upper channel', unit: 'price' },
    { name: 'middle', title: 'Middle', unit: 'price' },
    { name: 'lower', title: 'Lower channel', unit: 'price' },
  ],
  pane: 'overlay',
  lookback(params) {
    const middle = periodOf(params) - 1
    const channel = Math.max(middle, numberOf(params, 'atr_period'))
    return { upper: channel, middle, lower: channel }
  },
  settling: params => Math.max(emaSettling(periodOf(params)), wilderSettling(numberOf(params, 'atr_period'))),
  start: params =>
    createKeltner(periodOf(params), numberOf(params, 'atr_period'), numberOf(params, 'multiplier')),
})

/** The channels of bars. */
export function createKeltner(
  period: number,
  atrPeriod: number,
  multiplier: number,
): (input: IndicatorInput) => Bands {
  const average = createEma(period)
  const range = createAtr(atrPeriod)
  return input => {
    const middle = average(input.close)
    const { upper, lower } = spread(middle, multiplier, range(input))
    return { upper, middle, lower }
  }
}
