import { toRfc3339 } from '../clock.ts'
import { dayMs } from '../market/timeframe.ts'
import type { Dimension } from '../search/axis.ts'
import { type Objective, rankTrials } from '../search/objective.ts'
import { maxTrials, nextRound, planTrials, type SearchSettings, type TrialPlan } from '../search/plan.ts'
import { readSpace } from '../search/require-space.ts'
import type { Space, Trial } from '../search/space.ts'
import { roundSize } from '../search/tpe.ts'
import { planReport } from './research-report.ts'
import type { ChildEnd, ChildPlan } from './spec.ts'
import type { EffectiveSweepParams } from './sweep.ts'
import { cutTrials, planBatch, type TrialBatchResult, type TrialVariant } from './trial-batch.ts'

/** Trials of a batch: enough to share what they calculate, few enough to keep many threads busy. */
const batchLimits = { min: 8, max: 250 } as const
/** Batches that a search is cut into, where that is within the limits. */
const usualBatches = 32
/** Trials of a batch of a round of `tpe`. */
const roundBatch = 5

const minuteMs = 60_000

/**
 * The children of a sweep: batches of trials, round by round with `tpe`; then the best of them on both parts of the
 * range; then the report. How trials are cut into batches depends on their number only.
 */
export function planSweep(params: EffectiveSweepParams, ended: readonly ChildEnd[]): readonly ChildPlan[] {
  const search = params.method === 'tpe' ? planRounds(params, ended) : planAtOnce(params)
  if (ended.length < search.length) return search
  const batches = ended.slice(0, search.length)
  const finalists = planFinalists(params, batches)
  const plans = [...search, ...finalists]
  if (ended.length < plans.length) return plans
  return [...plans, planReport({ sweep: params }, ended.slice(0, plans.length))]
}

/** How many children there will be in all, unless no trial has a score. */
export function countChildren(params: EffectiveSweepParams): number {
  if (params.method === 'tpe') return Math.ceil(params.trials / roundBatch) + 2
  // A hypercube may have fewer than it was asked for.
  const { length } = plannedTrials(params).trials
  return Math.ceil(length / batchSize(length)) + 2
}

/** What the search is for. */
export function objectiveOf({ objective, minimum_trades }: EffectiveSweepParams): Objective {
  return { metric: objective, minimum_trades }
}

/** The space of a sweep that has been prepared. */
export function spaceOf({ space, constraints }: Pick<EffectiveSweepParams, 'space' | 'constraints'>): Space {
  return readSpace({ dimensions: space as readonly Dimension[], constraints })
}

/** By the parameters of the operation, which are the same object as long as it runs: a plan takes long to make. */
const plans = new WeakMap<object, TrialPlan>()

/** The trials of a sweep or a walk that has been prepared, as `planTrials`; made once for the same parameters. */
export function plannedTrials(
  params: SearchSettings & Pick<EffectiveSweepParams, 'space' | 'constraints'>,
): TrialPlan {
  const known = plans.get(params)
  if (known !== undefined) return known
  const plan = planTrials(spaceOf(params), params)
  plans.set(params, plan)
  return plan
}

/** Says what the trials of these parameters are, where they have been planned already. */
export function keepPlan(params: object, plan: TrialPlan): void {
  plans.set(params, plan)
}

/** The part of the range that is searched and the part that is held out, as epoch ms; null where nothing is. */
export function splitSamples({
  backtest: { start, end },
  out_of_sample_fraction: fraction,
}: Pick<EffectiveSweepParams, 'backtest' | 'out_of_sample_fraction'>): {
  readonly start: number
  readonly split: number | null
  readonly end: number
} {
  const range = { start: Date.parse(start), end: Date.parse(end) }
  if (fraction === 0) return { ...range, split: null }
  const split = range.start + (1 - fraction) * (range.end - range.start)
  // A day is not cut in two where there are many.
  const step = range.end - range.start > 20 * dayMs ? dayMs : minuteMs
  return { ...range, split: Math.floor(split / step) * step }
}

function planAtOnce(params: EffectiveSweepParams): readonly ChildPlan[] {
  const { trials } = plannedTrials(params)
  const size = batchSize(trials.length)
  return cutTrials(trials, size).map(some => searchBatch(params, some, params.top_k))
}

function batchSize(trials: number): number {
  const { min, max } = batchLimits
  return Math.min(max, Math.max(min, Math.ceil(Math.min(trials, maxTrials) / usualBatches)))
}

/** The rounds so far as their results tell them, and the next one where there is one. */
function planRounds(params: EffectiveSweepParams, ended: readonly ChildEnd[]): readonly ChildPlan[] {
  const results = ended.flatMap(({ type, result }) =>
    type === 'trial_batch' && result !== null ? [result as TrialBatchResult] : [],
  )
  const rounds = results.filter(({ stage }) => stage === 'search')
  const trialsOf = ({ best }: TrialBatchResult) => [...best].sort((a, b) => a.index - b.index)
  const plans = rounds.map(round => searchBatch(params, trialsOf(round), roundSize))
  if (ended.length > rounds.length) return plans
  const { trials } = nextRound(spaceOf(params), params, rounds.flatMap(trialsOf))
  return [...plans, ...cutTrials(trials, roundBatch).map(some => searchBatch(params, some, roundSize))]
}

function searchBatch(params: EffectiveSweepParams, trials: readonly Trial[], best: number): ChildPlan {
  const { backtest, split } = { ...params, ...splitSamples(params) }
  const range = split === null ? {} : { end: toRfc3339(split) }
  return planBatch(params, {
    stage: 'search',
    backtest: { ...backtest, ...range },
    variants: trials.map(({ index, values }) => ({ index, values })),
    best,
    curves: false,
  })
}

/** The best trials again, on the bars that were searched and on those that were held out; none when none has a score. */
function planFinalists(params: EffectiveSweepParams, batches: readonly ChildEnd[]): readonly ChildPlan[] {
  const scored = batches
    .flatMap(({ result }) => (result as TrialBatchResult | null)?.best ?? [])
    .filter(({ score }) => score !== null)
  const top = rankTrials(scored).slice(0, params.top_k)
  if (top.length === 0) return []
  const { split } = splitSamples(params)
  const { start, end } = params.backtest
  const samples: Pick<TrialVariant, 'start' | 'end'>[] =
    split === null
      ? [{ start, end }]
      : [
          { start, end: toRfc3339(split) },
          { start: toRfc3339(split), end },
        ]
  // One sample after the other: what is calculated on its bars serves all trials.
  const variants = samples.flatMap(sample => top.map(({ index, values }) => ({ index, values, ...sample })))
  return [
    planBatch(params, { stage: 'finalists', backtest: params.backtest, variants, best: 0, curves: true }),
  ]
}
