import { type Moments, momentsOf, negligible } from './moments.ts'
import { normalCdf, normalQuantile } from './normal.ts'

/** What is known of a Sharpe ratio that was measured. Nothing here is annualised. */
export type SharpeSample = {
  /** Mean / standard deviation (n − 1) of the returns, per period. */
  readonly sharpe: number
  readonly skewness: number
  /** Not the excess: 3 for normal returns. */
  readonly kurtosis: number
  /** Returns it was measured on. */
  readonly observations: number
}

/**
 * Mean / standard deviation (n − 1), per period, risk-free rate 0.
 * @returns null for fewer than two returns, and where they do not vary
 */
export function sharpePerPeriod(returns: Float64Array): number | null {
  return sharpeOf(momentsOf(returns))
}

/** A Sharpe ratio per period as one per year, and back. @param periodsPerYear of the returns, > 0 */
export function annualiseSharpe(perPeriod: number, periodsPerYear: number): number {
  return perPeriod * Math.sqrt(periodsPerYear)
}

export function sharpePerPeriodOf(perYear: number, periodsPerYear: number): number {
  return perYear / Math.sqrt(periodsPerYear)
}

/** @returns null for fewer than two returns, and where they do not vary */
export function sharpeSampleOf(returns: Float64Array): SharpeSample | null {
  const moments = momentsOf(returns)
  const sharpe = sharpeOf(moments)
  const { count, skewness, kurtosis } = moments
  if (sharpe === null || skewness === null || kurtosis === null) return null
  return { sharpe, skewness, kurtosis, observations: count }
}

/**
 * The probability that the true Sharpe ratio is above `benchmark` (per period), 0–1:
 * Φ((SR − SR*) · √(n − 1) / √(1 − γ₃ · SR + (γ₄ − 1) / 4 · SR²)).
 * @returns null for fewer than two observations, and for moments that no distribution has
 * Source: Bailey and López de Prado 2012, "The Sharpe ratio efficient frontier", equation 11.
 */
export function probabilisticSharpe(sample: SharpeSample, benchmark = 0): number | null {
  const variance = estimatorVariance(sample)
  if (sample.observations < 2 || !(variance > 0)) return null
  return normalCdf((sample.sharpe - benchmark) * Math.sqrt((sample.observations - 1) / variance))
}

/**
 * Observations from which on the probability that the true Sharpe ratio is above `benchmark` reaches `confidence`:
 * 1 + (1 − γ₃ · SR + (γ₄ − 1) / 4 · SR²) · (Φ⁻¹(confidence) / (SR − SR*))². Not rounded.
 * @param confidence above 0.5 and below 1
 * @returns null where the Sharpe ratio is not above the benchmark: no record is long enough
 * Source: the same, equation 13.
 */
export function minimumTrackRecord(sample: SharpeSample, benchmark = 0, confidence = 0.95): number | null {
  const edge = sample.sharpe - benchmark
  const variance = estimatorVariance(sample)
  if (!(edge > 0) || !(variance > 0)) return null
  return 1 + variance * (normalQuantile(confidence) / edge) ** 2
}

/**
 * The Sharpe ratio that the best of many trials without any skill is expected to show, per period:
 * √V · ((1 − γ) · Φ⁻¹(1 − 1 / N) + γ · Φ⁻¹(1 − 1 / (N · e))), γ = 0.5772…
 * @param variance of the Sharpe ratios of the trials, per period, ≥ 0
 * @param trials independent ones, ≥ 1, not always whole; 0 is the answer for one, and never less
 * Source: Bailey and López de Prado 2014, "The deflated Sharpe ratio", equation 1.
 */
export function expectedMaximumSharpe(variance: number, trials: number): number {
  if (!(trials > 1)) return 0
  const first = -normalQuantile(1 / trials)
  const second = -normalQuantile(1 / (trials * Math.E))
  return Math.max(0, Math.sqrt(variance) * ((1 - eulerGamma) * first + eulerGamma * second))
}

/**
 * The probability that the true Sharpe ratio of the best of many trials is above what the best of as many trials
 * without skill shows, 0–1. @returns null as `probabilisticSharpe` does
 * Source: the same, equation 2.
 */
export function deflatedSharpe(
  sample: SharpeSample,
  search: { readonly variance: number; readonly trials: number },
): number | null {
  return probabilisticSharpe(sample, expectedMaximumSharpe(search.variance, search.trials))
}

/** n − 1 times the variance of the estimator; > 0 for all moments a sample can have but the two-point extreme. */
function estimatorVariance({ sharpe, skewness, kurtosis }: SharpeSample): number {
  return 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe
}

function sharpeOf({ count, mean, standard_deviation }: Moments): number | null {
  return count < 2 || !(standard_deviation >= negligible) ? null : mean / standard_deviation
}

const eulerGamma = 0.577_215_664_901_532_9
