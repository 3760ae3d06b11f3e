import type { MetricName } from '../backtest/metric-definitions.ts'
import { allocateBlockSums } from '../statistics/block-sums.ts'
import { momentsOf } from '../statistics/moments.ts'
import { type Overfitting, overfittingOf } from '../statistics/overfitting.ts'
import {
  annualiseSharpe,
  deflatedSharpe,
  expectedMaximumSharpe,
  sharpePerPeriodOf,
  sharpeSampleOf,
} from '../statistics/sharpe.ts'
import type { Neighbourhood } from './neighbourhood.ts'
import { directionOf, metricOf, type RankedTrial } from './objective.ts'
import { type Space, valueOn } from './space.ts'

/** Every metric of a trial. */
export type TrialMetrics = Readonly<Record<MetricName, number | null>>

/** Whether the Sharpe ratio of the best trial is more than that of the best of as many without skill. */
export type DeflatedSharpe = {
  readonly probability: number
  /** Per year. */
  readonly sharpe: number
  /** Per year. */
  readonly expected_maximum_sharpe: number
  readonly trials: number
}

/** @param returns of the best trial, per period  @param trials metrics of all that were run, the best among them */
export function deflateSharpe(returns: Float64Array, trials: readonly TrialMetrics[]): DeflatedSharpe | null {
  const periodsPerYear = trials[0]?.periods_per_year ?? null
  const sample = sharpeSampleOf(returns)
  if (sample === null || periodsPerYear === null) return null
  const sharpes = Float64Array.from(
    trials.map(({ sharpe }) => sharpe).filter(sharpe => sharpe !== null),
    sharpe => sharpePerPeriodOf(sharpe, periodsPerYear),
  )
  const variance = sharpes.length < 2 ? 0 : momentsOf(sharpes).standard_deviation ** 2
  const search = { variance, trials: sharpes.length }
  const probability = deflatedSharpe(sample, search)
  if (probability === null) return null
  return {
    probability,
    sharpe: annualiseSharpe(sample.sharpe, periodsPerYear),
    expected_maximum_sharpe: annualiseSharpe(expectedMaximumSharpe(variance, sharpes.length), periodsPerYear),
    trials: sharpes.length,
  }
}

/** Sums of the returns of one trial over blocks of time. */
export type BlocksOfTrial = {
  readonly periods: number
  readonly sum: Float64Array
  readonly square: Float64Array
}

/**
 * The probability of backtest overfitting of a search.
 * @param trials one for each that was run, null where it has no returns
 * @returns null where there are too few trials or returns
 */
export function measureOverfitting(
  trials: readonly (BlocksOfTrial | null)[],
  checkpoint: (done: number, total: number) => void,
): (Overfitting & { readonly blocks: number }) | null {
  const first = trials.find(blocks => blocks !== null)
  if (first == null) return null
  const { periods } = first
  const blocks = first.sum.length
  const sums = allocateBlockSums(trials.length, periods, blocks)
  for (const [trial, one] of trials.entries()) {
    if (one === null) continue
    sums.sum.set(one.sum, trial * blocks)
    sums.square.set(one.square, trial * blocks)
  }
  const overfitting = overfittingOf(sums, checkpoint)
  return overfitting === null ? null : { ...overfitting, blocks }
}

/** What a reader of a sweep should be careful about. */
export function findSweepWarnings(given: {
  readonly space: Space
  readonly metric: MetricName
  readonly winner: RankedTrial | null
  readonly neighbourhood: Neighbourhood | null
  readonly deflated: DeflatedSharpe | null
  readonly overfitting: Overfitting | null
  readonly counts: { readonly run: number; readonly invalid: number; readonly without_score: number }
}): readonly string[] {
  const { space, winner, deflated, overfitting, counts } = given
  const warnings: string[] = []
  if (winner === null)
    warnings.push('No trial has a score: there is no best one. Lower minimum_trades or widen the space.')
  else warnings.push(...edges(space, winner), ...besideWinner(given))
  if (winner !== null && overfitting !== null && overfitting.probability >= 0.5) {
    warnings.push(
      `In ${percent(overfitting.probability)} of the splits the best trial of one half of the time is not among the better half in the other: the search may fit noise.`,
    )
  }
  if (winner !== null && deflated !== null && deflated.probability < 0.95) {
    warnings.push(
      `The deflated Sharpe ratio is ${deflated.probability.toFixed(2)}: the best of ${deflated.trials} trials without skill would be expected to show ${deflated.expected_maximum_sharpe.toFixed(2)} a year, this one shows ${deflated.sharpe.toFixed(2)}.`,
    )
  }
  if (counts.invalid > 0)
    warnings.push(
      `${counts.invalid} trials could not be run: their values do not go together; the artifact trials says why.`,
    )
  if (counts.without_score > counts.run / 2)
    warnings.push(
      `${counts.without_score} of ${counts.run} trials have no score, mostly because they trade too little.`,
    )
  return warnings
}

/** Fields whose best value is the first or the last: the best may lie beyond. */
function edges({ axes }: Space, { values }: RankedTrial): readonly string[] {
  return axes.flatMap(axis => {
    const { path, numeric, count } = axis
    if (!numeric || (count !== null && count < 3)) return []
    const value = valueOn(axis, values)
    const place = axis.placeOf(value)
    const margin = count === null ? 0.02 : 1 / count
    const end = place < margin ? 'smallest' : place > 1 - margin ? 'largest' : null
    return end === null ? [] : [`${path} is best at the ${end} value of the space: the best may lie beyond.`]
  })
}

function besideWinner({
  metric,
  winner,
  neighbourhood,
}: Pick<Parameters<typeof findSweepWarnings>[0], 'metric' | 'winner' | 'neighbourhood'>): readonly string[] {
  const [best, median] = [winner?.score ?? null, neighbourhood?.median ?? null]
  if (best === null || median === null) return []
  // Half of a loss is less of one: only a best trial that gains can fall off so.
  const fallsOff = directionOf(metric) === 'maximise' && best > 0 && median < best / 2
  if (!fallsOff) return []
  const [peak, around] = [metricOf(best, metric), metricOf(median, metric)].map(value => value.toPrecision(3))
  return [`The best trial stands alone: its ${metric} is ${peak}, the median of its neighbours ${around}.`]
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`
}
