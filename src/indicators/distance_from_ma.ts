import { createEma, createSma, emaSettling } from './average.ts'
import { periodOf, periodParam, textOf } from './params.ts'
import { divide, subtract } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Distance of its source from a moving average of it, in percent of the average. */
export const distanceFromMa = defineOverSource({
  type: 'distance_from_ma',
  title: 'Distance from moving average',
  description:
    '100·(source − average) / average, in percent; 0 where the average is 0. The average is as that of `sma` or `ema`. ' +
    'First value at bar period − 1.',
  params: {
    period: periodParam(20, 1, 'Length of the average'),
    ma_type: { type: 'string', default: 'SMA', enum: ['SMA', 'EMA'], description: 'Which average' },
    source: sourceParam,
  },
  output: { title: 'Distance', unit: 'percent' },
  pane: 'separate',
  lookback: params => periodOf(params) - 1,
  settling: params => (textOf(params, 'ma_type') === 'EMA' ? emaSettling(periodOf(params)) : 0),
  series(params) {
    const create = textOf(params, 'ma_type') === 'EMA' ? createEma : createSma
    const average = create(periodOf(params))
    return input => {
      const averages = average(input)
      return divide(subtract(input, averages), averages, 100, 0)
    }
  },
})
