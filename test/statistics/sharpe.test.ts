import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  annualiseSharpe,
  deflatedSharpe,
  expectedMaximumSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpePerPeriod,
  sharpePerPeriodOf,
  sharpeSampleOf,
} from '../../src/statistics/sharpe.ts'

describe('the probabilistic Sharpe ratio', () => {
  // Source: Bailey and López de Prado 2012, "The Sharpe ratio efficient frontier", section 3: two years of monthly
  // returns, 0.458 a month, which looks like 0.982 to whoever takes them for normal.
  const observed = { sharpe: 0.458, skewness: -2.448, kurtosis: 10.164, observations: 24 }

  test('is that of the paper', () => {
    // By hand: 1 + 2.448 · 0.458 + 9.164 / 4 · 0.458² = 2.60175, and 0.458 · √23 / √2.60175 = 1.36175; Φ of it 0.91336.
    expect(probabilisticSharpe(observed)).toBeCloseTo(0.91336, 5)
    // 1 + 0.458² / 2 = 1.10488, and 0.458 · √23 / √1.10488 = 2.08964; Φ of it 0.98167.
    expect(probabilisticSharpe({ ...observed, skewness: 0, kurtosis: 3 })).toBeCloseTo(0.98167, 5)
  })

  test('is a half at the benchmark, and falls with it', () => {
    expect(probabilisticSharpe(observed, 0.458)).toBe(0.5)
    expect(probabilisticSharpe(observed, 0.1)).toBeLessThan(probabilisticSharpe(observed, 0) ?? 0)
  })

  test('is not known of one observation', () => {
    expect(probabilisticSharpe({ ...observed, observations: 1 })).toBeNull()
  })
})

describe('the minimum track record', () => {
  // Source: the same, section 4: a Sharpe ratio of 2 a year is above 1 with 95 % confidence after 2.73, 2.83, 3.24 and
  // 4.99 years. By hand, with p periods a year: SR = 2 / √p, SR − SR* = 1 / √p, Φ⁻¹(0.95)² = 2.705543, and so
  // 1 / p + 2.705543 · (1 − γ₃ · 2 / √p + (γ₄ − 1) / p) years; of hedge fund returns 1 / 12 + 2.705543 · 1.814026.
  test.each([
    ['daily', 252, 0, 3, 2.73098],
    ['weekly', 52, 0, 3, 2.82883],
    ['monthly', 12, 0, 3, 3.2398],
    ['monthly, of hedge fund returns', 12, -0.72, 5.78, 4.99126],
  ])('of %s returns is that of the paper', (_, periods, skewness, kurtosis, years) => {
    const sharpe = sharpePerPeriodOf(2, periods)
    const benchmark = sharpePerPeriodOf(1, periods)
    const observations = minimumTrackRecord({ sharpe, skewness, kurtosis, observations: 0 }, benchmark)
    expect((observations ?? 0) / periods).toBeCloseTo(years, 5)
  })

  test('is where the probabilistic ratio reaches the confidence', () => {
    const sample = fc.record({
      sharpe: fc.double({ min: 0.05, max: 0.2, noNaN: true }),
      skewness: fc.double({ min: -2, max: 2, noNaN: true }),
      kurtosis: fc.double({ min: 5, max: 12, noNaN: true }),
    })
    fc.assert(
      fc.property(sample, fc.double({ min: 0.7, max: 0.99, noNaN: true }), (given, confidence) => {
        const observations = minimumTrackRecord({ ...given, observations: 0 }, 0, confidence)
        expect(probabilisticSharpe({ ...given, observations: observations ?? 0 })).toBeCloseTo(confidence, 9)
      }),
    )
  })

  test('of what is not above the benchmark does not end', () => {
    const sample = { sharpe: 0.1, skewness: 0, kurtosis: 3, observations: 10 }
    expect(minimumTrackRecord(sample, 0.1)).toBeNull()
  })
})

describe('the deflated Sharpe ratio', () => {
  // Source: Bailey and López de Prado 2014, "The deflated Sharpe ratio", the numerical example: 2.5 a year over 1,250
  // days (250 a year), skewness −3, kurtosis 10, a variance of ½ a year among the trials.
  const found = { sharpe: sharpePerPeriodOf(2.5, 250), skewness: -3, kurtosis: 10, observations: 1250 }
  const variance = 0.5 / 250

  test('is that of the paper for 100 trials and for 46', () => {
    // By hand: √0.002 · (0.422784 · 2.326348 + 0.577216 · 2.680210) = 0.113172; (0.158114 − 0.113172) · √1249 / √1.530592
    // = 1.283816, whose Φ is 0.90040.
    expect(expectedMaximumSharpe(variance, 100)).toBeCloseTo(0.113172, 6)
    expect(deflatedSharpe(found, { variance, trials: 100 })).toBeCloseTo(0.9004, 4)
    expect(deflatedSharpe(found, { variance, trials: 46 })).toBeCloseTo(0.9505, 4)
  })

  test('expects the maximum of a later paper', () => {
    // Source: López de Prado, Lipton and Zoonekynd 2025, "How to use the Sharpe ratio", page 13: 10 trials, variance 0.1.
    expect(expectedMaximumSharpe(0.1, 10)).toBeCloseTo(0.498, 3)
  })

  test('of a single trial is the probabilistic one, and falls with every further trial', () => {
    expect(deflatedSharpe(found, { variance, trials: 1 })).toBe(probabilisticSharpe(found))
    let last = 1
    for (let trials = 1; trials < 50; trials += 0.5) {
      const deflated = deflatedSharpe(found, { variance, trials }) ?? Number.NaN
      expect(deflated).toBeLessThanOrEqual(last)
      last = deflated
    }
  })
})

test('a Sharpe ratio is mean by deviation, and annualises with the root of the periods', () => {
  // Mean 0.01; squares of the differences 0.0004 + 0.0004, / 2.
  expect(sharpePerPeriod(Float64Array.of(0.03, -0.01, 0.01))).toBeCloseTo(0.5, 12)
  expect(annualiseSharpe(0.5, 252)).toBeCloseTo(0.5 * Math.sqrt(252), 12)
  expect(sharpePerPeriodOf(annualiseSharpe(0.5, 252), 252)).toBeCloseTo(0.5, 15)
  expect(sharpePerPeriod(Float64Array.of(0.01, 0.01, 0.01))).toBeNull()
  expect(sharpePerPeriod(Float64Array.of(0.01))).toBeNull()
  expect(sharpeSampleOf(Float64Array.of(0.03, -0.01, 0.01))).toMatchObject({ observations: 3 })
  expect(sharpeSampleOf(new Float64Array(0))).toBeNull()
})
