import type { SweepRow } from '../archive/sweep-tables.ts'
import type { BlocksRow, CurveColumns, TrialRow } from '../archive/trial-tables.ts'
import { toRfc3339 } from '../clock.ts'
import { findNeighbourhood } from '../search/neighbourhood.ts'
import { directionOf, metricOf, rankTrials, scoreOf } from '../search/objective.ts'
import { compareSamples } from '../search/out-of-sample.ts'
import {
  deflateSharpe,
  findSweepWarnings,
  measureOverfitting,
  type TrialMetrics,
} from '../search/sweep-summary.ts'
import type { EffectiveSweepParams, SweepResult } from './sweep.ts'
import { objectiveOf, plannedTrials, spaceOf, splitSamples } from './sweep-plan.ts'

/** What the batches of a sweep left. */
export type SweepMeasured = {
  readonly strategyName: string
  /** Every trial, in the order of their index. */
  readonly trials: readonly SweepRow[]
  readonly blocks: readonly BlocksRow[]
  /** The best trials again: inside the sample, then outside of it, if a part was held out. */
  readonly finalists: readonly TrialRow[]
  /** Of the finalists. */
  readonly curves: CurveColumns | null
}

/** A trial with what it is worth. */
export function scoreRow(row: TrialRow, params: EffectiveSweepParams): SweepRow {
  const score = row.metrics === null ? null : scoreOf(row.metrics, objectiveOf(params))
  return { ...row, score }
}

/** The result of a sweep. @param checkpoint called often; it may throw to stop */
export function reportSweep(
  params: EffectiveSweepParams,
  measured: SweepMeasured,
  checkpoint: (done: number, total: number) => void,
): SweepResult {
  const space = spaceOf(params)
  const run = measured.trials.filter(({ invalid }) => invalid === null)
  const ranked = rankTrials(run)
  const best = ranked[0]
  const winner = best === undefined || best.score === null ? null : best
  const onGrid = params.method === 'grid'
  const near = winner === null ? null : findNeighbourhood(space, { trials: run, centre: winner, onGrid })
  const metrics = run.map(row => row.metrics).filter(one => one !== null)
  const deflated = winner === null ? null : deflateSharpe(returnsOfFirst(measured), metrics)
  const blocks = new Map(measured.blocks.map(row => [row.index, row]))
  const overfitting = measureOverfitting(
    run.map(({ index }) => blocks.get(index) ?? null),
    checkpoint,
  )
  const counts = {
    run: run.length,
    invalid: measured.trials.length - run.length,
    without_score: run.filter(({ score }) => score === null).length,
  }
  const metric = params.objective
  const given = { space, metric, winner, neighbourhood: near, deflated, overfitting, counts }
  const median = near === null || near.median === null ? null : metricOf(near.median, metric)
  return {
    strategy_name: measured.strategyName,
    objective: metric,
    direction: directionOf(metric),
    trials: { ...counts, excluded: params.method === 'tpe' ? null : plannedTrials(params).excluded },
    ...samplesOf(params),
    winner: winner === null ? null : describeWinner(winner, measured),
    neighbourhood: near === null ? null : { ...near, median },
    deflated_sharpe: deflated,
    overfitting:
      overfitting === null
        ? null
        : {
            probability: overfitting.probability,
            loss_fraction: overfitting.loss_fraction,
            blocks: overfitting.blocks,
            splits: overfitting.splits,
            trials: overfitting.trials,
          },
    ...compareTop(params, measured, ranked),
    warnings: [...findSweepWarnings(given)],
  }
}

/** Times of both parts of the range. */
function samplesOf(params: EffectiveSweepParams): Pick<SweepResult, 'in_sample' | 'out_of_sample'> {
  const { start, split, end } = splitSamples(params)
  return {
    in_sample: { start: toRfc3339(start), end: toRfc3339(split ?? end) },
    out_of_sample: split === null ? null : { start: toRfc3339(split), end: toRfc3339(end) },
  }
}

function describeWinner(winner: SweepRow, { finalists }: SweepMeasured): SweepResult['winner'] {
  const [inside = null, outside = null] = finalists
    .filter(({ index }) => index === winner.index)
    .map(({ metrics }) => metrics)
  const metrics: TrialMetrics | null = winner.metrics ?? inside
  if (metrics === null) throw new Error('the best trial has not been run')
  return { index: winner.index, values: { ...winner.values }, in_sample: metrics, out_of_sample: outside }
}

/** The best trials with the metric of the objective inside and outside of the sample. */
function compareTop(
  params: EffectiveSweepParams,
  { finalists }: SweepMeasured,
  ranked: readonly SweepRow[],
): Pick<SweepResult, 'top' | 'rank_correlation'> {
  const { metric } = objectiveOf(params)
  const top = ranked.filter(({ score }) => score !== null).slice(0, params.top_k)
  // The part that was held out is short: there a trial counts however little it trades.
  const outside = new Map(
    finalists
      .slice(top.length)
      .map(({ index, metrics }) => [
        index,
        metrics === null ? null : scoreOf(metrics, { metric, minimum_trades: 0 }),
      ]),
  )
  const pairs = top.map(({ index, score }) => ({
    index,
    in_sample: score,
    out_of_sample: outside.get(index) ?? null,
  }))
  const inMetric = (score: number | null) => (score === null ? null : metricOf(score, metric))
  return {
    top: top.map(({ index, values, score }) => ({
      index,
      values: { ...values },
      in_sample: inMetric(score),
      out_of_sample: inMetric(outside.get(index) ?? null),
    })),
    rank_correlation: compareSamples(pairs).rank_correlation,
  }
}

/** Returns of the best trial inside the sample: those of the first finalist. */
function returnsOfFirst({ curves }: SweepMeasured): Float64Array {
  if (curves === null) return new Float64Array(0)
  const end = curves.variant.findIndex(variant => variant !== 0)
  return curves.return_fraction.subarray(0, end === -1 ? undefined : end)
}
