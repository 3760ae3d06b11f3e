import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { normalCdf, normalQuantile } from '../../src/statistics/normal.ts'

// Source: mpmath 1.3 at 40 digits, `ncdf` and its root.
const quantiles: readonly (readonly [number, number])[] = [
  [1e-300, -37.0470962993612],
  [1e-100, -21.273453560965326],
  [1e-20, -9.262340089798407],
  [1e-12, -7.034483825301132],
  [1e-6, -4.753424308822899],
  [0.001, -3.0902323061678136],
  [0.01, -2.326347874040841],
  [0.05, -1.6448536269514726],
  [0.074, -1.4466320671589785],
  [0.076, -1.4325027208258116],
  [0.3, -0.5244005127080408],
]

test.each(quantiles)('the normal quantile of %p is that of mpmath to 15 digits', (probability, value) => {
  expect(Math.abs(normalQuantile(probability) / value - 1)).toBeLessThan(1e-15)
})

test.each(quantiles)(
  'the normal probability of the quantile of %p is that probability',
  (probability, value) => {
    // A rounded argument moves a far tail by |x| · 2^-53 · |x| at most.
    expect(Math.abs(normalCdf(value) / probability - 1)).toBeLessThan(1e-15 * (1 + value * value))
  },
)

// Source: the tables of Abramowitz and Stegun, 26.1, to 15 decimals.
test.each([
  [0.5, 0.691462461274013],
  [1, 0.841344746068543],
  [1.96, 0.97500210485178],
  [2, 0.977249868051821],
  [3, 0.99865010196837],
])('the normal probability of %p is that of the tables', (x, probability) => {
  expect(normalCdf(x)).toBeCloseTo(probability, 14)
  expect(normalCdf(-x)).toBeCloseTo(1 - probability, 14)
})

test('probability and quantile undo each other, rise, and mirror at zero', () => {
  fc.assert(
    fc.property(fc.double({ min: -8, max: 5, noNaN: true }), x => {
      expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 8)
      expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 15)
      expect(normalCdf(x + 0.01)).toBeGreaterThan(normalCdf(x))
    }),
  )
})

test('the ends are the ends, and what is no probability has no quantile', () => {
  expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(0), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([
    0, 0.5, 1,
  ])
  expect([normalQuantile(0), normalQuantile(0.5), normalQuantile(1)]).toEqual([
    Number.NEGATIVE_INFINITY,
    0,
    Number.POSITIVE_INFINITY,
  ])
  expect([
    normalCdf(Number.NaN),
    normalQuantile(-0.1),
    normalQuantile(1.1),
    normalQuantile(Number.NaN),
  ]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
})
