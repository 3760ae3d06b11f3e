import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { columnOf, type IndicatorInput, type IndicatorSpec } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { indicators } from '../../src/indicators/registry.ts'
import { anyParams } from '../fixtures/indicator-params.ts'
import { anyOddBars, anyWalk } from '../fixtures/walks.ts'

const anySeries = fc.oneof({ weight: 3, arbitrary: anyWalk(0, 90) }, { weight: 1, arbitrary: anyOddBars(90) })

/** In pieces of these lengths, one after the other, into columns that had something in them before. */
function computeInPieces(
  spec: IndicatorSpec,
  { input, params }: { readonly input: IndicatorInput; readonly params: IndicatorParams },
  lengths: readonly number[],
) {
  const advance = spec.start(params)
  const whole = Object.fromEntries(
    spec.outputs.map(({ name }) => [name, new Float64Array(input.length).fill(5)]),
  )
  const cut = (from: number, to: number) => {
    const part = (column: Float64Array) => column.subarray(from, to)
    const { time, open, high, low, close, volume, source } = input
    return {
      length: to - from,
      time: part(time),
      open: part(open),
      high: part(high),
      low: part(low),
      close: part(close),
      volume: part(volume),
      ...(source === undefined ? {} : { source: part(source) }),
    }
  }
  for (let from = 0, k = 0; from < input.length; k++) {
    const to = Math.min(input.length, from + (lengths[k % lengths.length] ?? 1))
    const into = Object.fromEntries(
      spec.outputs.map(({ name }) => [name, columnOf(whole, name).subarray(from, to)]),
    )
    const columns = advance(cut(from, to), into)
    for (const { name } of spec.outputs) {
      const column = columnOf(columns, name)
      expect(column.length).toBe(to - from)
      if (column !== into[name]) into[name]?.set(column)
    }
    from = to
  }
  return whole
}

test.each(indicators.map(spec => [spec.type, spec] as const))(
  '%s cut anywhere and written to given columns is bit for bit what it is at once, and leaves its input alone',
  (_type, spec) => {
    const anyLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(anySeries, anyParams(spec), anyLengths, fc.boolean(), (bars, params, lengths, isOver) => {
        const hasSource = spec.params.source !== undefined && isOver
        const source = bars.close.map((close, i) => (i % 11 === 3 ? Number.NaN : close))
        const input = hasSource ? { ...bars, source } : bars
        const before = structuredClone(input)
        const whole = spec.compute(input, params)
        const pieces = computeInPieces(spec, { input, params }, lengths)
        for (const { name } of spec.outputs) {
          const [a, b] = [columnOf(pieces, name), columnOf(whole, name)]
          expect(a.findIndex((value, i) => !Object.is(value, b[i]))).toBe(-1)
        }
        expect(input).toEqual(before)
      }),
      { numRuns: 30 },
    )
  },
)
