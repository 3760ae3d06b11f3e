import { createEma, emaSettling } from './average.ts'
import { periodOf, periodParam } from './params.ts'
import type { Series } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/** Double exponential moving average. Source: Mulloy 1994, Stocks & Commodities 12:1; seeds as TA-Lib. */
export const dema = defineOverSource({
  type: 'dema',
  title: 'Double exponential moving average',
  description:
    '2·EMA − EMA of EMA, in the unit of the source. The second EMA is seeded with the mean of the first `period` ' +
    'values of the first one, so the first value is at bar 2·(period − 1) (Mulloy 1994; as TA-Lib).',
  params: { period: periodParam(20, 1), source: sourceParam },
  output: { title: 'DEMA', unit: 'source' },
  pane: 'overlay',
  lookback: params => 2 * (periodOf(params) - 1),
  settling: params => 2 * emaSettling(periodOf(params)),
  series: params => createDema(periodOf(params)),
})

function createDema(period: number): Series {
  const first = createEma(period)
  const second = createEma(period)
  return input => {
    const once = first(input)
    const output = second(once)
    for (let i = 0; i < output.length; i++) output[i] = 2 * (once[i] as number) - (output[i] as number)
    return output
  }
}
