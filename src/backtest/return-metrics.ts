import { fitLine } from '../statistics/linear-fit.ts'
import { momentsOf, negligible } from '../statistics/moments.ts'
import { quantileOf } from '../statistics/quantile.ts'
import { annualiseSharpe, probabilisticSharpe, sharpeSampleOf } from '../statistics/sharpe.ts'
import { sharpeInterval } from '../statistics/sharpe-interval.ts'
import { allBecause, because, type Measured, orBecause } from './measured.ts'
import {
  type BenchmarkMetricName,
  benchmarkMetricNames,
  type ReturnMetricName,
  returnMetricNames,
} from './metric-definitions.ts'
import {
  downsideDeviation,
  expectedShortfall,
  geometricMean,
  informationRatio,
  omegaOf,
  stabilityOf,
  tailRatioOf,
  ulcerIndex,
} from './return-ratios.ts'

/** Returns of a run, ready to be measured. */
export type MeasuredReturns = {
  /** Fractions, oldest first, all above −1. */
  readonly returns: Float64Array
  readonly periodsPerYear: number
  /** Seed of the resamples of the confidence interval; null to leave the interval out. */
  readonly intervalSeed: number | null
}

/** Measures returns by the table of definitions. At least two. */
export function measureReturns(measured: MeasuredReturns): Record<ReturnMetricName, Measured> {
  const { returns, periodsPerYear } = measured
  const moments = momentsOf(returns)
  const annual = Math.sqrt(periodsPerYear)
  const downside = downsideDeviation(returns)
  const sorted = returns.slice().sort()
  const unvaried = 'the equity returns do not vary'
  const sample = sharpeSampleOf(returns)
  return {
    annual_return_fraction: orBecause(annualReturn(returns, periodsPerYear), 'a return is −100 % or worse'),
    annual_volatility_fraction: moments.standard_deviation * annual,
    sharpe: sample === null ? because(unvaried) : annualiseSharpe(sample.sharpe, periodsPerYear),
    ...measureInterval(measured, unvaried),
    psr: orBecause(sample === null ? null : probabilisticSharpe(sample), unvaried),
    sortino:
      downside < negligible ? because('no equity return is negative') : (moments.mean / downside) * annual,
    omega: orBecause(omegaOf(returns), 'no equity return is negative'),
    skew: orBecause(moments.skewness, unvaried),
    kurtosis: orBecause(moments.kurtosis, unvaried),
    tail_ratio: orBecause(tailRatioOf(sorted), 'the 5th percentile of the equity returns is zero'),
    value_at_risk_95_fraction: 0 - quantileOf(sorted, 0.05),
    expected_shortfall_95_fraction: 0 - expectedShortfall(sorted, 0.05),
    ulcer_index_fraction: ulcerIndex(returns),
    stability: orBecause(stabilityOf(returns), 'the equity never changed'),
  }
}

/** All of them undefined, for this reason. */
export function withoutReturns(reason: string): Record<ReturnMetricName, Measured> {
  return allBecause(returnMetricNames, reason)
}

/** Measures returns beside those of the benchmark, as many. */
export function measureAgainst(
  benchmark: Float64Array,
  { returns, periodsPerYear }: MeasuredReturns,
): Omit<Record<BenchmarkMetricName, Measured>, 'buy_and_hold_return_fraction'> {
  const fit = fitLine(benchmark, returns)
  const flat = because('the benchmark returns do not vary')
  const information = informationRatio(returns, benchmark)
  const growth = annualReturn(returns, periodsPerYear)
  return {
    alpha_annual_fraction: fit === null ? flat : fit.intercept * periodsPerYear,
    beta: fit === null ? flat : fit.slope,
    correlation: fit === null ? flat : orBecause(fit.correlation, 'the equity returns do not vary'),
    information_ratio:
      information === null
        ? because('the returns never differ from the benchmark by another amount')
        : information * Math.sqrt(periodsPerYear),
    treynor:
      fit === null || growth === null
        ? flat
        : orBecause(Math.abs(fit.slope) < negligible ? null : growth / fit.slope, 'beta is zero'),
  }
}

/** All of them undefined, for this reason. */
export function withoutBenchmark(reason: string): Record<BenchmarkMetricName, Measured> {
  return allBecause(benchmarkMetricNames, reason)
}

function annualReturn(returns: Float64Array, periodsPerYear: number): number | null {
  const average = geometricMean(returns)
  return average === null ? null : Math.expm1(Math.log1p(average) * periodsPerYear)
}

function measureInterval({ returns, periodsPerYear, intervalSeed }: MeasuredReturns, unvaried: string) {
  const names = ['sharpe_ci_low', 'sharpe_ci_high'] as const
  if (intervalSeed === null) return allBecause(names, 'not computed here: it takes a thousand resamples')
  const interval = sharpeInterval(returns, { seed: intervalSeed, resamples: 1_000, coverage: 0.95 })
  if (interval === null) return allBecause(names, unvaried)
  return {
    sharpe_ci_low: annualiseSharpe(interval.low, periodsPerYear),
    sharpe_ci_high: annualiseSharpe(interval.high, periodsPerYear),
  }
}
