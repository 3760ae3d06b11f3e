import { expect, test } from '@jest/globals'
import { createEma } from '../../src/indicators/average.ts'
import { columnOf, type IndicatorInput } from '../../src/indicators/indicator.ts'
import { indicators } from '../../src/indicators/registry.ts'
import { pieceLength } from '../../src/indicators/series.ts'
import { barAt } from '../../src/market/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'
import { walkOf } from '../fixtures/walks.ts'

const bars = walkOf(3, pieceLength + 217)

/** Closes in few steps, so that many are equal one after the other, with gaps at the seam of the pieces and elsewhere. */
const source = bars.close.map((close, i) =>
  i % 1_000 === 7 || i === pieceLength - 1 ? Number.NaN : Math.round(close / 4) * 4,
)

const inputs: readonly IndicatorInput[] = [bars, { ...bars, source }]

test.each(indicators.map(spec => [spec.type, spec] as const))(
  '%s over thousands of bars is bit for bit what it is bar by bar',
  (_type, spec) => {
    for (const input of spec.params.source === undefined ? inputs.slice(0, 1) : inputs) {
      const columns = spec.compute(input, defaultsOf(spec))
      const { next } = spec.incremental(defaultsOf(spec))
      let differing = 0
      for (let i = 0; i < input.length; i++) {
        const handed = input.source === undefined ? {} : { source: input.source[i] ?? Number.NaN }
        const values = next({ ...barAt(bars, i), ...handed })
        for (const { name } of spec.outputs)
          if (!Object.is(values[name], columnOf(columns, name)[i])) differing++
      }
      expect(differing).toBe(0)
    }
  },
)

test('an exponential average made from the value two before is that of the plain formula', () => {
  const values = createEma(9)(bars.close)
  let average = bars.close.subarray(0, 9).reduce((sum, close) => sum + close, 0) / 9
  for (let i = 9; i < bars.length; i++) {
    average += 0.2 * (bars.close[i]! - average)
    expect(Math.abs(values[i]! - average)).toBeLessThan(1e-12 * average)
  }
})

test('an average may take the place of its values, gaps and all', () => {
  const apart = createEma(9)(source)
  const inPlace = source.slice()
  createEma(9)(inPlace, inPlace)
  expect(inPlace.findIndex((value, i) => !Object.is(value, apart[i]))).toBe(-1)
})
