import { describe, expect, test } from '@jest/globals'
import { measureDrawdowns } from '../../src/backtest/drawdowns.ts'
import type { Measured } from '../../src/backtest/measured.ts'
import type { ReturnMetricName } from '../../src/backtest/metric-definitions.ts'
import { monthlyReturns } from '../../src/backtest/monthly-returns.ts'
import { periodEnds } from '../../src/backtest/periods.ts'
import { measureAgainst, measureReturns } from '../../src/backtest/return-metrics.ts'
import {
  downsideDeviation,
  expectedShortfall,
  informationRatio,
  omegaOf,
  stabilityOf,
  tailRatioOf,
} from '../../src/backtest/return-ratios.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { curveOf, grow } from '../fixtures/measured-run.ts'

// Source of every number below: empyrical 0.5 (Quantopian), empyrical/tests/test_stats.py, 8 decimals; alpha from 0.3, as
// 0.5 compounds it. Its `mixed_returns` starts with a NaN that it leaves out of everything but the number of periods; its
// weekly ones have 0 there.
const percent = (values: readonly number[]) => Float64Array.from(values, value => value / 100)
const mixed = percent([1, 10, -4, 2, 3, 2, 1, -10])
const weekly = percent([0, 1, 10, -4, 2, 3, 2, 1, -10])
const positive = percent([1, 2, 1, 1, 1, 1, 1, 1, 1])
const negative = percent([0, -6, -7, -1, -9, -2, -6, -8, -5])
const benchmark = percent([0, 1, 0, 1, 0, 1, 0, 1, 0])
const one = Float64Array.of(
  -0.00171614,
  0.01322056,
  0.03063862,
  -0.01422057,
  -0.00489779,
  0.01268925,
  -0.03357711,
  0.01797036,
)
const two = Float64Array.of(
  0.01846232,
  0.00793951,
  -0.01448395,
  0.00422537,
  -0.00339611,
  0.03756813,
  0.0151531,
  0.03549769,
)

function measure(returns: Float64Array, periodsPerYear: number): Record<ReturnMetricName, Measured> {
  return measureReturns({ returns, periodsPerYear, intervalSeed: null })
}

describe('metrics of returns are those of empyrical', () => {
  test.each([
    ['weekly', weekly, 52, 0.24690830513998208],
    ['monthly', weekly, 12, 0.052242061386048144],
    ['constant', Float64Array.of(0.01, 0.01), 252, 11.274002099240244],
  ])('annual return of %s returns', (_, returns, periods, expected) => {
    expect(measure(returns, periods).annual_return_fraction).toBeCloseTo(expected, 8)
  })

  test.each([
    ['mixed', mixed, 252, 0.9136465399704637],
    ['weekly', weekly, 52, 0.38851569394870583],
    ['monthly', weekly, 12, 0.18663690238892558],
  ])('annual volatility of %s returns', (_, returns, periods, expected) => {
    expect(measure(returns, periods).annual_volatility_fraction).toBeCloseTo(expected, 8)
  })

  test.each([
    ['mixed', mixed, 1.7238613961706866],
    ['positive', positive, 52.915026221291804],
    ['negative', negative, -24.406808633910085],
  ])('Sharpe ratio of %s returns', (_, returns, expected) => {
    expect(measure(returns, 252).sharpe).toBeCloseTo(expected, 8)
  })

  test.each([
    ['mixed', mixed, 252, 2.605531251673693],
    ['negative', negative, 252, -13.532743075043401],
    ['weekly', weekly, 52, 1.1158901056866439],
    ['monthly', weekly, 12, 0.53605626741889756],
    ['first', one, 252, 3.0639640966566306],
    ['second', two, 252, 38.090963117002495],
    ['first weekly', one, 52, 1.3918264112070571],
    ['second monthly', two, 12, 8.3121296084492844],
  ])('Sortino ratio of %s returns', (_, returns, periods, expected) => {
    expect(measure(returns, periods).sortino).toBeCloseTo(expected, 8)
  })

  test('there is no Sortino ratio without a loss', () => {
    expect(measure(benchmark, 252).sortino).toEqual({ undefined: 'no equity return is negative' })
  })

  test.each([
    [mixed, 0, 252, 0.60448325038829653],
    [mixed, 0.1, 252, 1.7161730681956295],
    [weekly, 0, 52, 0.25888650451930134],
    [weekly, 0.1, 52, 0.7733045971672482],
    [weekly, 0.1, 12, 0.37148351242013422],
    [one, 0, 252, 0.20671788246185202],
    [two, 0, 12, 0.018220251263412916],
  ])('downside risk, row %#', (returns, required, periods, expected) => {
    expect(downsideDeviation(returns, required) * Math.sqrt(periods)).toBeCloseTo(expected, 8)
  })

  test.each([
    // A required return of 1,000 % a year is so much a day.
    [mixed, 11 ** (1 / 252) - 1, 0.83354263497557934],
    [mixed, 0.01, 0.8125],
    [positive, 0.011, 1.125],
    [positive, 0.02, 0],
    [negative, 0.01, 0],
  ])('omega, row %#', (returns, threshold, expected) => {
    expect(omegaOf(returns, threshold)).toBeCloseTo(expected, 8)
  })

  test('omega has no value without anything below the threshold', () => {
    expect(omegaOf(positive, 0.01)).toBeNull()
  })

  test('information ratio, per period', () => {
    expect(informationRatio(mixed, new Float64Array(8))).toBeCloseTo(0.10859306069076737, 8)
    expect(informationRatio(mixed, new Float64Array(8).fill(0.01))).toBeCloseTo(-0.06515583641446039, 8)
    expect(informationRatio(mixed, mixed)).toBeNull()
  })

  test('alpha and beta', () => {
    const given = { returns: mixed, periodsPerYear: 252, intervalSeed: null }
    const against = measureAgainst(negative.subarray(1), given)
    expect(against.alpha_annual_fraction).toBeCloseTo(-8.306666666666668, 8)
    expect(against.beta).toBeCloseTo(-0.71296296296296313, 8)
    const opposite = measureAgainst(
      mixed.map(value => -value),
      given,
    )
    expect(opposite.alpha_annual_fraction).toBeCloseTo(0, 8)
    expect(opposite.beta).toBeCloseTo(-1, 8)
    expect(measureAgainst(new Float64Array(8).fill(0.01), given).beta).toHaveProperty('undefined')
  })

  test('stability', () => {
    expect(stabilityOf(mixed)).toBeCloseTo(0.1529973665111273, 8)
    expect(stabilityOf(new Float64Array(50).fill(0.01))).toBeCloseTo(1, 8)
    expect(stabilityOf(new Float64Array(5))).toBeNull()
  })

  test('tail ratio, to its one decimal', () => {
    expect(tailRatioOf(mixed.slice().sort())).toBeCloseTo(0.9473684210526313, 1)
  })

  test('expected shortfall is the mean of what is not above the value at risk', () => {
    // Its rule; with 21 values the 5th percentile is the second lowest.
    const sorted = Float64Array.from({ length: 21 }, (_, i) => i * i)
    expect([0, 0.0499, 0.05, 1].map(fraction => expectedShortfall(sorted, fraction))).toEqual([
      0,
      0,
      0.5,
      2870 / 21,
    ])
    expect(expectedShortfall(Float64Array.of(3), 0.05)).toBe(3)
  })

  test.each([
    ['one', [1], 0],
    ['benchmark', [...benchmark].map(value => value * 100), 0],
    ['mixed', [...mixed].map(value => value * 100), 0.1],
    ['negative', [...negative].map(value => value * 100), 0.36590730349873601],
    ['ten up, down, up', [10, -10, 10], 0.1],
  ])('maximum drawdown of %s returns', (_, returns, expected) => {
    const curve = curveOf(grow(returns.map(value => value / 100)))
    expect(measureDrawdowns(curve, { timeMs: 0, equity: 100 }).deepest_fraction).toBeCloseTo(expected, 8)
  })
})

describe('monthly and yearly returns are those of empyrical', () => {
  test('of daily returns from 30 January 2000', () => {
    const curve = curveOf(grow([...benchmark]), dayMs, Date.UTC(2000, 0, 30))
    const [year, ...others] = monthlyReturns(curve, 100, periodEnds(curve, '1d'))
    expect(others).toEqual([])
    expect(year?.year).toBe(2000)
    expect(year?.months[0]).toBeCloseTo(0.01, 8)
    expect(year?.months[1]).toBeCloseTo(0.03030099999999991, 8)
    expect(year?.months.slice(2)).toEqual(new Array(10).fill(null))
    expect(year?.year_return_fraction).toBeCloseTo(0.040604010000000024, 8)
  })

  test('of weekly returns that end on Sundays', () => {
    // Of the week that ends with Sunday 30 January 2000, and those after it.
    const curve = curveOf(grow([...weekly]), 7 * dayMs, Date.UTC(2000, 0, 24))
    const [year] = monthlyReturns(curve, 100, periodEnds(curve, '1w'))
    expect(year?.months[0]).toBeCloseTo(0, 8)
    expect(year?.months[1]).toBeCloseTo(0.087891200000000058, 8)
    expect(year?.months[2]).toBeCloseTo(-0.04500459999999995, 8)
    expect(year?.year_return_fraction).toBeCloseTo(0.038931091700480147, 8)
  })
})
