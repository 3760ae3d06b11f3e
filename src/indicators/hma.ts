import { createWma } from './average.ts'
import { periodOf, periodParam } from './params.ts'
import type { Series } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Hull moving average. Source: Alan Hull 2005. */
export const hma = defineOverSource({
  type: 'hma',
  title: 'Hull moving average',
  description:
    'WMA over ⌊√period⌋ values of 2·WMA(⌊period / 2⌋) − WMA(period), in the unit of the source. It can overshoot ' +
    'the prices. First value at bar period + ⌊√period⌋ − 2 (Hull 2005).',
  params: { period: periodParam(20, 2), source: sourceParam },
  output: { title: 'HMA', unit: 'source' },
  pane: 'overlay',
  lookback: params => periodOf(params) + Math.floor(Math.sqrt(periodOf(params))) - 2,
  series: params => createHma(periodOf(params)),
})

function createHma(period: number): Series {
  const half = createWma(Math.floor(period / 2))
  const whole = createWma(period)
  const smooth = createWma(Math.floor(Math.sqrt(period)))
  return input => {
    const ahead = half(input)
    const slow = whole(input)
    for (let i = 0; i < ahead.length; i++) ahead[i] = 2 * (ahead[i] as number) - (slow[i] as number)
    return smooth(ahead)
  }
}
