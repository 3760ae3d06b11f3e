import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fitLine } from '../../src/statistics/linear-fit.ts'
import { mean, momentsOf, standardDeviation } from '../../src/statistics/moments.ts'
import { quantileOf } from '../../src/statistics/quantile.ts'

test('moments are what a calculation by hand says', () => {
  // Differences from the mean 4: −3, −2, −1, 0, 6; m₂ = 50 / 5, m₃ = 180 / 5, m₄ = 1394 / 5.
  const moments = momentsOf(Float64Array.of(1, 2, 3, 4, 10))
  expect(moments).toMatchObject({ count: 5, mean: 4 })
  expect(moments.standard_deviation).toBeCloseTo(Math.sqrt(50 / 4), 14)
  expect(moments.skewness).toBeCloseTo(36 / 10 ** 1.5, 14)
  expect(moments.kurtosis).toBeCloseTo(278.8 / 100, 14)
})

test('moments are those of SciPy', () => {
  // Source: SciPy 1.17.1, stats.skew and stats.kurtosis(fisher=False); NumPy std(ddof=1).
  const moments = momentsOf(Float64Array.of(0.3, -1.2, 2.5, 0.1, 0.1, -3.4, 1.9))
  expect(moments.standard_deviation).toBeCloseTo(1.9560650490692981, 14)
  expect(moments.skewness).toBeCloseTo(-0.5164499645733807, 14)
  expect(moments.kurtosis).toBeCloseTo(2.540014683736252, 14)
})

test('what does not vary has no skewness, and fewer than two values no deviation', () => {
  expect(momentsOf(Float64Array.of(0.1, 0.1, 0.1))).toMatchObject({ skewness: null, kurtosis: null })
  expect(standardDeviation(Float64Array.of(1))).toBeNaN()
  expect(mean(new Float64Array(0))).toBeNaN()
})

test('skewness and kurtosis do not depend on scale, and kurtosis is at least skewness² + 1', () => {
  const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 40 })
  fc.assert(
    fc.property(values, list => {
      const sample = Float64Array.from(list)
      const { skewness, kurtosis, standard_deviation } = momentsOf(sample)
      if (skewness === null || kurtosis === null || standard_deviation < 1e-3) return
      expect(kurtosis).toBeGreaterThanOrEqual(skewness ** 2 + 1 - 1e-9)
      const scaled = momentsOf(sample.map(value => 3 * value + 7))
      expect(scaled.skewness).toBeCloseTo(skewness, 6)
      expect(scaled.kurtosis).toBeCloseTo(kurtosis, 6)
    }),
  )
})

// Source: empyrical, tests/test_stats.py, test_value_at_risk.
test.each([
  [[1, 2], 0, 1],
  [[1, 2], 0.3, 1.3],
  [[1, 2], 1, 2],
  [[1, 81, 82, 83, 84, 85], 0.1, 41],
  [[1, 81, 82, 83, 84, 85], 0.2, 81],
  [[1, 81, 82, 83, 84, 85], 0.3, 81.5],
])('the quantile of %j at %p is %p', (values, fraction, expected) => {
  expect(quantileOf(Float64Array.from(values), fraction)).toBeCloseTo(expected, 12)
})

test('a line is that of SciPy', () => {
  // Source: SciPy 1.17.1, stats.linregress.
  const fit = fitLine(Float64Array.of(1, 2, 4, 7, 3), Float64Array.of(2, 1, 5, 9, 1))
  expect(fit?.slope).toBeCloseTo(1.358490566037736, 14)
  expect(fit?.intercept).toBeCloseTo(-1.0188679245283025, 14)
  expect(fit?.correlation).toBeCloseTo(0.9104446704338108, 14)
})

test('there is no line through one place, and no correlation with what does not vary', () => {
  expect(fitLine(Float64Array.of(2, 2, 2), Float64Array.of(1, 2, 3))).toBeNull()
  expect(fitLine(Float64Array.of(1, 2, 3), Float64Array.of(5, 5, 5))).toEqual({
    slope: 0,
    intercept: 5,
    correlation: null,
  })
})
