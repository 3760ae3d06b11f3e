import { createEma, emaSettling } from './average.ts'
import { periodOf, periodParam } from './params.ts'
import type { Series } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Triple exponential moving average. Source: Mulloy 1994, Stocks & Commodities 12:1; seeds as TA-Lib. */
export const tema = defineOverSource({
  type: 'tema',
  title: 'Triple exponential moving average',
  description:
    '3·EMA − 3·EMA of EMA + EMA of EMA of EMA, in the unit of the source. Each EMA is seeded with the mean of the ' +
    'first `period` values it gets, so the first value is at bar 3·(period − 1) (Mulloy 1994; as TA-Lib).',
  params: { period: periodParam(20, 1), source: sourceParam },
  output: { title: 'TEMA', unit: 'source' },
  pane: 'overlay',
  lookback: params => 3 * (periodOf(params) - 1),
  settling: params => 3 * emaSettling(periodOf(params)),
  series: params => createTema(periodOf(params)),
})

function createTema(period: number): Series {
  const first = createEma(period)
  const second = createEma(period)
  const third = createEma(period)
  return input => {
    const once = first(input)
    const twice = second(once)
    const output = third(twice)
    for (let i = 0; i < output.length; i++)
      output[i] = 3 * (once[i] as number) - 3 * (twice[i] as number) + (output[i] as number)
    return output
  }
}
