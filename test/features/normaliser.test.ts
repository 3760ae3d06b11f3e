import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  applyNormaliser,
  fitNormaliser,
  isNormalization,
  normalizations,
} from '../../src/features/normaliser.ts'
import { Problem } from '../../src/problems.ts'

const kinds = Object.keys(normalizations).filter(isNormalization)
const fitted = kinds.filter(kind => kind !== 'none')

// Mean 5 and population standard deviation 2; median 4.5, quartiles 4 and 5.5 (positions 1.75 and 5.25).
const sample = Float64Array.of(9, 2, 4, 4, 7, 4, 5, 5)

test.each([
  ['none', 0, 1],
  ['zscore', 5, 2],
  ['minmax', 2, 7],
  ['robust', 4.5, 1.5],
] as const)('%s of a small sample has offset %d and scale %d, by hand', (kind, offset, scale) => {
  const normaliser = fitNormaliser(sample, kind, { from: 0, to: 8 })
  expect(normaliser.offset).toBeCloseTo(offset, 12)
  expect(normaliser.scale).toBeCloseTo(scale, 12)
  expect(normaliser.fitted_on).toEqual(kind === 'none' ? null : { from: 0, to: 8, values: 8 })
  expect(applyNormaliser(sample, normaliser)[0]).toBeCloseTo((9 - offset) / scale, 12)
})

test('values outside the fitted range are scaled, not cut off', () => {
  const normaliser = fitNormaliser(Float64Array.of(0, 10, 20, -10), 'minmax', { from: 0, to: 2 })
  expect([...applyNormaliser(Float64Array.of(0, 10, 20, -10), normaliser)]).toEqual([0, 1, 2, -1])
})

const anyColumn = fc.array(
  fc.oneof(fc.double({ min: -1e9, max: 1e9 }), fc.integer({ min: -3, max: 3 }), fc.constant(-0)),
  {
    minLength: 4,
    maxLength: 40,
  },
)

describe.each(kinds)('%s', kind => {
  test('does not look outside its range, bit for bit', () => {
    fc.assert(
      fc.property(anyColumn, fc.nat(), fc.nat(), fc.double(), (column, a, b, other) => {
        const from = a % column.length
        const range = { from, to: from + 1 + (b % (column.length - from)) }
        const values = Float64Array.from(column)
        fc.pre(values.subarray(range.from, range.to).some(Number.isFinite))
        const changed = values.map((value, i) => (i >= range.from && i < range.to ? value : other))
        expect(fitNormaliser(changed, kind, range)).toEqual(fitNormaliser(values, kind, range))
      }),
    )
  })

  test('is stored as JSON and gives the same bits when it is read back', () => {
    fc.assert(
      fc.property(anyColumn, column => {
        const values = Float64Array.from([-0, ...column])
        const normaliser = fitNormaliser(values, kind, { from: 0, to: values.length })
        const restored = JSON.parse(JSON.stringify(normaliser))
        expect(applyNormaliser(values, restored)).toEqual(applyNormaliser(values, normaliser))
      }),
    )
  })

  test('keeps NaN where it is and makes no other', () => {
    fc.assert(
      fc.property(anyColumn, column => {
        const values = Float64Array.from([1, ...column])
        const normaliser = fitNormaliser(values, kind, { from: 0, to: values.length })
        const scaled = applyNormaliser(values, normaliser)
        expect(scaled).toHaveLength(values.length)
        scaled.forEach((value, i) => {
          expect(Number.isFinite(value)).toBe(!Number.isNaN(values[i]))
        })
      }),
    )
  })

  test('writes into the column it is given, which may be the input', () => {
    const values = Float64Array.from(sample)
    const normaliser = fitNormaliser(values, kind, { from: 0, to: 8 })
    const expected = applyNormaliser(values, normaliser)
    expect(applyNormaliser(values, normaliser, values)).toBe(values)
    expect(values).toEqual(expected)
    expect(() => applyNormaliser(values, normaliser, new Float64Array(3))).toThrow(RangeError)
  })
})

describe.each(fitted)('%s of values that hardly are any', kind => {
  test('a constant range is reported and gives 0, later moves included', () => {
    const values = Float64Array.of(Number.NaN, 7, 7, 7, 9)
    const normaliser = fitNormaliser(values, kind, { from: 0, to: 4 })
    expect(normaliser).toMatchObject({ offset: 7, scale: 0, fitted_on: { from: 0, to: 4, values: 3 } })
    expect(normaliser.warning).toContain('constant (7)')
    expect([...applyNormaliser(values, normaliser)]).toEqual([Number.NaN, 0, 0, 0, 0])
  })

  test('JSON has no −0, so the fit has none either', () => {
    for (const values of [Float64Array.of(-0, -0), Float64Array.of(-0, 2, 0)]) {
      const normaliser = fitNormaliser(values, kind, { from: 0, to: values.length })
      expect(JSON.parse(JSON.stringify(normaliser))).toEqual(normaliser)
    }
  })

  test('noise of rounding counts as constant', () => {
    const values = Float64Array.of(0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2)
    expect(fitNormaliser(values, kind, { from: 0, to: 4 }).scale).toBe(0)
  })

  test('tiny, huge and far-off values keep their shape', () => {
    for (const [size, level] of [
      [1e-200, 0],
      [1e200, 0],
      [1, 1e9],
    ] as const) {
      const values = sample.map(value => value * size + level)
      const scaled = applyNormaliser(values, fitNormaliser(values, kind, { from: 0, to: 8 }))
      const plain = applyNormaliser(sample, fitNormaliser(sample, kind, { from: 0, to: 8 }))
      scaled.forEach((value, i) => {
        expect(value).toBeCloseTo(plain[i] as number, 6)
      })
    }
  })

  test('a range without a value, or with values too far apart to subtract, is refused', () => {
    const values = Float64Array.of(Number.NaN, Number.NaN, 1.7e308, -1.7e308)
    expect(() => fitNormaliser(values, kind, { from: 0, to: 2 })).toThrow('no value to fit on')
    expect(() => fitNormaliser(values, kind, { from: 2, to: 4 })).toThrow('too large')
    for (const range of [
      { from: 2, to: 2 },
      { from: 0, to: 5 },
      { from: -1, to: 2 },
      { from: 0, to: 1.5 },
    ])
      expect(() => fitNormaliser(values, kind, range)).toThrow(Problem)
  })
})

test('robust falls back on the standard deviation when half of the values are equal, and says so', () => {
  const values = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 10)
  const normaliser = fitNormaliser(values, 'robust', { from: 0, to: 8 })
  expect(normaliser.offset).toBe(0)
  // Mean 1.25; variance (7 · 1.25² + 8.75²) / 8 = 10.9375.
  expect(normaliser.scale).toBeCloseTo(Math.sqrt(10.9375), 12)
  expect(normaliser.warning).toContain('interquartile range is 0')
})

test('an interquartile range of rounding noise does not blow the other values up', () => {
  const values = Float64Array.of(0, 0, 0, 0, 1e-300, 1e-300, 1e-300, 1e9)
  const normaliser = fitNormaliser(values, 'robust', { from: 0, to: 8 })
  expect(applyNormaliser(values, normaliser).every(Number.isFinite)).toBe(true)
  expect(normaliser.warning).toContain('standard deviation')
})

test('the names are known exactly', () => {
  expect(isNormalization('zscore')).toBe(true)
  expect(isNormalization('z_score')).toBe(false)
  expect(isNormalization('constructor')).toBe(false)
})
