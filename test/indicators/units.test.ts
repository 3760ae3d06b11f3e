import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { columnOf, type IndicatorInput, type OutputSpec } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { indicators } from '../../src/indicators/registry.ts'
import type { Bars } from '../../src/market/bars.ts'
import { anyParams } from '../fixtures/indicator-params.ts'
import { anyWalk } from '../fixtures/walks.ts'

/** By what the values of an output grow when prices and volumes do. */
function growthOf(
  { unit }: OutputSpec,
  { source }: IndicatorParams,
  prices: number,
  volumes: number,
): number {
  switch (unit) {
    case 'price':
      return prices
    case 'volume':
      return volumes
    case 'source':
      return source === 'volume' ? volumes : prices
    default:
      return 1
  }
}

function grown(bars: Bars, prices: number, volumes: number): IndicatorInput {
  const times = (column: Float64Array, factor: number) => column.map(value => value * factor)
  const [open, high] = [times(bars.open, prices), times(bars.high, prices)]
  const [low, close] = [times(bars.low, prices), times(bars.close, prices)]
  return { length: bars.length, time: bars.time, open, high, low, close, volume: times(bars.volume, volumes) }
}

const factors = [
  [1024, 1],
  [1, 64],
  [1 / 256, 8],
] as const

test.each(indicators.map(spec => [spec.type, spec] as const))(
  '%s in another currency and another lot size is the same, in the unit it states',
  (_type, spec) => {
    const property = fc.property(
      anyWalk(60, 90),
      anyParams(spec),
      fc.constantFrom(...factors),
      (bars, params, [prices, volumes]) => {
        // TA-Lib's money flow index compares the flow with 1, whatever the unit.
        if (spec.type === 'mfi' && params.convention === 'talib') return
        const before = spec.compute(bars, params)
        const after = spec.compute(grown(bars, prices, volumes), params)
        const wrong = spec.outputs.filter(output => {
          const growth = growthOf(output, params, prices, volumes)
          const [a, b] = [columnOf(before, output.name), columnOf(after, output.name)]
          const size = a.reduce((most, value) => (Math.abs(value) > most ? Math.abs(value) : most), 0)
          return a.some((value, i) => Math.abs(b[i]! / growth - value) > 1e-9 * size)
        })
        expect(wrong).toEqual([])
      },
    )
    fc.assert(property, { numRuns: 40 })
  },
)
