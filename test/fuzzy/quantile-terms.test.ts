import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { coverageReport } from '../../src/fuzzy/coverage.ts'
import { createFuzzySet } from '../../src/fuzzy/fuzzy-set.ts'
import { type QuantileShape, quantileTerms } from '../../src/fuzzy/quantile-terms.ts'
import { Problem } from '../../src/problems.ts'
import { quantileOf } from '../../src/statistics/quantile.ts'

const shapes: readonly QuantileShape[] = ['triangular', 'trapezoidal', 'gaussian']
const names = ['a', 'b', 'c', 'd', 'e']

/** Columns with enough different values, in any order, with gaps. */
const anyColumn = fc
  .uniqueArray(fc.integer({ min: -100_000, max: 100_000 }), { minLength: 20, maxLength: 80 })
  .map(values => Float64Array.from(values.flatMap((x, i) => (i % 7 === 3 ? [Number.NaN, x / 8] : [x / 8]))))

// 1 … 25: the quantile q of 25 values 1 … 25 is 1 + 24 q.
const upTo25 = Float64Array.from({ length: 25 }, (_, i) => 25 - i)

test('quantiles lie on straight lines between neighbours', () => {
  // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.9, 1]) by its definition: positions 0, 0.75, 1.5, 2.7, 3.
  const sorted = Float64Array.of(1, 2, 4, 8)
  expect([0, 0.25, 0.5, 1].map(fraction => quantileOf(sorted, fraction))).toEqual([1, 1.75, 3, 8])
  expect(quantileOf(sorted, 0.9)).toBeCloseTo(6.8, 12)
  expect(quantileOf(Float64Array.of(5), 0.3)).toBe(5)
})

test('triangles peak at the sixths of the sample and stay open outside, by hand', () => {
  expect(
    quantileTerms(upTo25, { terms: ['low', 'mid', 'high'], shape: 'triangular', from: 0, to: 25 }),
  ).toEqual({
    // 1 + 24 · 1/6, 1/2, 5/6
    terms: [
      { name: 'low', type: 'left_shoulder', parameters: [5, 13] },
      { name: 'mid', type: 'triangular', parameters: [5, 13, 21] },
      { name: 'high', type: 'right_shoulder', parameters: [13, 21] },
    ],
    fitted_on: { from: 0, to: 25, values: 25 },
  })
})

test('trapezoids have their corners at the fifths of the sample, by hand', () => {
  const values = Float64Array.from({ length: 51 }, (_, i) => i) // quantile q = 50 q
  const { terms } = quantileTerms(values, {
    terms: ['low', 'mid', 'high'],
    shape: 'trapezoidal',
    from: 0,
    to: 51,
  })
  expect(terms.map(term => [term.type, term.parameters.map(Math.round)])).toEqual([
    ['left_shoulder', [10, 20]],
    ['trapezoidal', [10, 20, 30, 40]],
    ['right_shoulder', [30, 40]],
  ])
})

test('gaussians meet their neighbours at one half', () => {
  const { terms } = quantileTerms(upTo25, {
    terms: ['low', 'mid', 'high'],
    shape: 'gaussian',
    from: 0,
    to: 25,
  })
  expect(terms.map(term => term.type)).toEqual(['sigmoid', 'gaussian', 'sigmoid'])
  const [low, mid, high] = createFuzzySet(terms).terms.map(term => term.membership)
  // Peaks 8 apart: width 8 / (8 ln 2) = 1.443, sigma 8 / √(8 ln 2) = 3.397.
  const thousandths = terms.map(term => Math.round(1000 * (term.parameters[1] ?? 0)))
  expect(thousandths).toEqual([-1443, 3397, 1443])
  // Peaks 5, 13, 21: the neighbours meet at 9 and 17.
  for (const x of [low?.evaluate(9), mid?.evaluate(9), mid?.evaluate(17), high?.evaluate(17)])
    expect(x).toBeCloseTo(0.5, 12)
  expect(low?.evaluate(-1e6)).toBe(1)
  expect(high?.evaluate(1e6)).toBe(1)
})

describe.each(shapes)('%s terms', shape => {
  test('do not change when anything outside the range changes', () => {
    fc.assert(
      fc.property(anyColumn, fc.nat(5), fc.nat(5), fc.double(), (values, skip, cut, other) => {
        const request = { terms: names.slice(0, 3), shape, from: skip, to: values.length - cut }
        const fitted = quantileTerms(values, request)
        const changed = values.map((value, i) => (i >= request.from && i < request.to ? value : other))
        expect(tryTerms(changed, request)).toEqual(fitted)
      }),
    )
  })

  test('leave no value of the range, or of any other, without a term', () => {
    fc.assert(
      fc.property(
        anyColumn,
        fc.integer({ min: 2, max: 5 }),
        fc.double({ noNaN: true }),
        (values, count, x) => {
          const fitted = quantileTerms(values, {
            terms: names.slice(0, count),
            shape,
            from: 0,
            to: values.length,
          })
          const set = createFuzzySet(fitted.terms)
          expect(fitted.fitted_on.values).toBe(values.filter(value => !Number.isNaN(value)).length)
          const seen = Float64Array.of(...values, x, -1e9, 1e9)
          // Gaussians sag between unequal neighbours: at least exp(−ln 16) = 1/16 is left halfway.
          const report = coverageReport(seen, set, shape === 'gaussian' ? 0.06 : 0.01)
          expect(report.uncovered_fraction).toBe(0)
          if (shape !== 'gaussian') expect(report.ruspini_deviation.max).toBeLessThan(1e-9)
          for (const end of [-1e9, 1e9])
            expect(Math.max(...set.terms.map(term => term.membership.evaluate(end)))).toBeCloseTo(1, 6)
        },
      ),
    )
  })
})

test('what cannot be shared out is refused with what to do', () => {
  const constant = new Float64Array(100).fill(7)
  const request = { terms: ['low', 'mid', 'high'], shape: 'triangular', from: 0, to: 100 } as const
  expect(tryTerms(constant, request)).toMatchObject({
    code: 'params-invalid',
    hint: expect.stringContaining('fewer'),
  })
  // More than a third zeros: two quantiles fall together.
  const zeros = Float64Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : i))
  expect(tryTerms(zeros, request)).toMatchObject({
    message: expect.stringContaining('too many of them are 0'),
  })
  const nearlyEmpty = new Float64Array(100).fill(Number.NaN).with(3, 1).with(4, 2)
  expect(tryTerms(nearlyEmpty, request)).toMatchObject({
    message: expect.stringContaining('only 2 bars have a value'),
  })
  // Of a column that is 7 but for rounding, terms would tell nothing but the rounding.
  const rounded = Float64Array.from({ length: 100 }, (_, i) => 7 + i * 2 ** -50)
  expect(new Set(rounded).size).toBe(100)
  expect(tryTerms(rounded, request)).toMatchObject({
    message: expect.stringMatching(/too many of them are 7/),
  })
})

test('what cannot be shared out is named as it was called', () => {
  const request = { terms: ['low', 'high'], shape: 'triangular', from: 0, to: 9, of: 'the answer' } as const
  expect(tryTerms(new Float64Array(9), request)).toMatchObject({
    message: 'the values of the answer cannot be shared out among 2 terms: too many of them are 0',
  })
})

test('the numbers of terms are those that JSON gives back: there is no -0 among them', () => {
  const values = Float64Array.of(-4, -3, -0, 3, 4)
  for (const shape of shapes) {
    const { terms } = quantileTerms(values, { terms: ['low', 'mid', 'high'], shape, from: 0, to: 5 })
    expect(JSON.parse(JSON.stringify(terms))).toEqual(terms)
  }
  const middle = quantileTerms(values, { terms: ['low', 'mid', 'high'], shape: 'triangular', from: 0, to: 5 })
  expect(middle.terms[1]?.parameters[1]).toBe(0)
})

test.each([
  [{ from: 0, to: 0 }],
  [{ from: 5, to: 4 }],
  [{ from: -1, to: 4 }],
  [{ from: 0, to: 26 }],
  [{ from: 0.5, to: 20 }],
  [{ from: Number.NaN, to: 20 }],
])('the range %j is refused', range => {
  expect(tryTerms(upTo25, { terms: ['low', 'high'], shape: 'triangular', ...range })).toMatchObject({
    code: 'params-invalid',
    hint: expect.stringContaining('half-open'),
  })
})

test('names that are too few, repeated or unusable are refused together', () => {
  const whole = { shape: 'triangular', from: 0, to: 25 } as const
  expect(tryTerms(upTo25, { terms: ['one'], ...whole })).toMatchObject({
    errors: [{ pointer: '/terms', code: 'count' }],
  })
  expect(tryTerms(upTo25, { terms: ['low', 'type', 'low', '1x'], ...whole })).toMatchObject({
    errors: [
      { pointer: '/terms/1', code: 'reserved' },
      { pointer: '/terms/2', code: 'duplicate' },
      { pointer: '/terms/3', code: 'name' },
    ],
  })
})

function tryTerms(values: Float64Array, request: Parameters<typeof quantileTerms>[1]) {
  try {
    return quantileTerms(values, request)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}
