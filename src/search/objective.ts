import type { MetricName } from '../backtest/metric-definitions.ts'
import type { Trial } from './space.ts'
import { compareScores } from './tpe.ts'

/** What a search is for. */
export type Objective = {
  readonly metric: MetricName
  /** With fewer trades a trial has no score: its metric is luck. */
  readonly minimum_trades: number
}

/** Metrics of which less is better; more is better of all others. */
const lessIsBetter: readonly MetricName[] = [
  'annual_volatility_fraction',
  'max_drawdown_fraction',
  'max_drawdown_duration_days',
  'avg_drawdown_fraction',
  'avg_drawdown_duration_days',
  'ulcer_index_fraction',
  'value_at_risk_95_fraction',
  'expected_shortfall_95_fraction',
  'kurtosis',
  'beta',
  'correlation',
  'exposure_fraction',
  'annual_turnover',
  'losing_trades',
  'max_consecutive_losses',
  'ambiguous_trades',
  'avg_bars_held',
  'avg_trade_duration_days',
  'max_trade_duration_days',
  'commission_total',
  'spread_total',
  'slippage_total',
  'borrow_total',
  'funding_total',
]

/** Whether the best trial is the one with most of the metric or with least. */
export function directionOf(metric: MetricName): 'maximise' | 'minimise' {
  return lessIsBetter.includes(metric) ? 'minimise' : 'maximise'
}

/** The metrics that an objective looks at. */
export type ScoredMetrics = { readonly [Name in MetricName]?: number | null }

/**
 * What a trial is worth: larger is better, whatever the metric.
 * @returns null where the metric is not defined, not finite, or where there are too few trades
 */
export function scoreOf(metrics: ScoredMetrics, { metric, minimum_trades }: Objective): number | null {
  const value = metrics[metric] ?? null
  if (value === null || !Number.isFinite(value) || (metrics.trades ?? 0) < minimum_trades) return null
  // Zero minus, so that nothing is −0.
  return directionOf(metric) === 'maximise' ? value : 0 - value
}

/** The value of the metric that a score stands for. */
export function metricOf(score: number, metric: MetricName): number {
  return directionOf(metric) === 'maximise' ? score : 0 - score
}

/** A trial with what it is worth. */
export type RankedTrial = Trial & { readonly score: number | null }

/** Best first; of equal ones the one planned first; those without a score last. */
export function rankTrials<T extends { readonly index: number; readonly score: number | null }>(
  trials: readonly T[],
): readonly T[] {
  return [...trials].sort((a, b) => compareScores(b.score, a.score) || a.index - b.index)
}
