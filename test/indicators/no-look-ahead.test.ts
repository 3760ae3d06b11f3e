import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { IndicatorParams, IndicatorSpec } from '../../src/indicators/indicator.ts'
import { findIndicator, indicators, indicatorTypes } from '../../src/indicators/registry.ts'
import { barAt, truncateBars } from '../../src/market/bars.ts'
import { anyBars } from '../fixtures/bars.ts'

/** Any valid parameters with a period short enough for the bars of these tests. */
function anyParams(spec: IndicatorSpec): fc.Arbitrary<IndicatorParams> {
  const params = Object.entries(spec.params).map(([name, param]) => [
    name,
    param.type === 'integer' ? fc.integer({ min: param.min, max: 20 }) : fc.constantFrom(...param.enum),
  ])
  return fc.record(Object.fromEntries(params))
}

describe.each(indicators.map(spec => [spec.type, spec] as const))('%s', (_type, spec) => {
  test('deleting the bars after T changes nothing up to T, bit for bit', () => {
    fc.assert(
      fc.property(anyBars(0, 60), anyParams(spec), fc.nat(60), (bars, params, length) => {
        const whole = spec.compute(bars, params).value.subarray(0, length)
        expect(spec.compute(truncateBars(bars, length), params).value).toEqual(whole)
      }),
    )
  })

  test('bar by bar gives the same bits as all at once', () => {
    fc.assert(
      fc.property(anyBars(0, 60), anyParams(spec), (bars, params) => {
        const { next } = spec.incremental(params)
        const stepped = Float64Array.from({ length: bars.length }, (_, i) => next(barAt(bars, i)))
        expect(stepped).toEqual(spec.compute(bars, params).value)
      }),
    )
  })

  test('the warm-up is NaN up to the look-back and numbers from there', () => {
    fc.assert(
      fc.property(anyBars(0, 60), anyParams(spec), (bars, params) => {
        const { value } = spec.compute(bars, params)
        expect(value).toHaveLength(bars.length)
        value.forEach((number, i) => {
          expect(Number.isFinite(number)).toBe(i >= spec.lookback(params))
        })
      }),
    )
  })

  test('the defaults lie within the bounds', () => {
    for (const param of Object.values(spec.params)) {
      if (param.type === 'integer')
        expect(param.default >= param.min && param.default <= param.max).toBe(true)
      else expect(param.enum).toContain(param.default)
    }
  })
})

test('RSI stays within 0 and 100', () => {
  fc.assert(
    fc.property(anyBars(0, 80), fc.integer({ min: 2, max: 20 }), (bars, period) => {
      const value = findIndicator('rsi')?.compute(bars, { period, source: 'hl2' }).value ?? new Float64Array()
      expect(value.every(number => Number.isNaN(number) || (number >= 0 && number <= 100))).toBe(true)
    }),
  )
})

test('types are unique and found by their exact name', () => {
  expect(new Set(indicatorTypes).size).toBe(indicators.length)
  for (const spec of indicators) expect(findIndicator(spec.type)).toBe(spec)
  expect(findIndicator('SMA')).toBeUndefined()
  expect(findIndicator('constructor')).toBeUndefined()
})
