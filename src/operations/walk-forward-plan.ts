import { toRfc3339 } from '../clock.ts'
import type { Fold } from '../research/folds.ts'
import { rankTrials } from '../search/objective.ts'
import { planReport } from './research-report.ts'
import type { ChildEnd, ChildPlan } from './spec.ts'
import { plannedTrials } from './sweep-plan.ts'
import { cutTrials, planBatch, type TrialBatchResult } from './trial-batch.ts'
import { type EffectiveWalkForwardParams, foldsOf } from './walk-forward.ts'

/** Trials of a batch of one window: windows run side by side, so that few are enough. */
const windowBatch = 100

/**
 * The children of a walk: batches of trials, window by window; then what was best in each on the bars that follow; then
 * the report. How trials are cut into batches depends on their number only.
 */
export function planWalk(
  params: EffectiveWalkForwardParams,
  ended: readonly ChildEnd[],
): readonly ChildPlan[] {
  const search = planSearch(params)
  if (ended.length < search.length) return search
  const tests = planTests(params, ended.slice(0, search.length))
  const plans = [...search, ...tests]
  if (ended.length < plans.length) return plans
  return [...plans, planReport({ walk_forward: params }, ended.slice(0, plans.length))]
}

/** How many children there will be in all, unless no window has a best trial. */
export function countWalkChildren(params: EffectiveWalkForwardParams): number {
  return foldsOf(params).length * Math.ceil(plannedTrials(params).trials.length / windowBatch) + 2
}

/**
 * Batches of the search by window. @param batches of all windows, in the order of the plan: equally many for each
 */
export function groupByWindow<T>(
  params: EffectiveWalkForwardParams,
  batches: readonly T[],
): readonly { readonly fold: Fold; readonly batches: readonly T[] }[] {
  const folds = foldsOf(params)
  const each = batches.length / folds.length
  return folds.map((fold, i) => ({ fold, batches: batches.slice(i * each, (i + 1) * each) }))
}

function planSearch(params: EffectiveWalkForwardParams): readonly ChildPlan[] {
  const { trials } = plannedTrials(params)
  return foldsOf(params).flatMap(fold => {
    const range = { start: toRfc3339(fold.train_start), end: toRfc3339(fold.train_end) }
    return cutTrials(trials, windowBatch).map(some =>
      planBatch(params, {
        stage: 'search',
        backtest: { ...params.backtest, ...range },
        variants: some.map(({ index, values }) => ({ index, values })),
        best: 1,
        curves: false,
      }),
    )
  })
}

/** The best trial of every window that has one, on the bars that follow it; the variants are in the order of windows. */
function planTests(params: EffectiveWalkForwardParams, search: readonly ChildEnd[]): readonly ChildPlan[] {
  const variants = groupByWindow(params, search).flatMap(({ fold, batches }) => {
    const best = bestOf(batches)
    if (best === null) return []
    const { index, values } = best
    return [{ index, values, start: toRfc3339(fold.test_start), end: toRfc3339(fold.test_end) }]
  })
  if (variants.length === 0) return []
  return [
    planBatch(params, { stage: 'finalists', backtest: params.backtest, variants, best: 0, curves: true }),
  ]
}

/** Null where no trial has a score. */
function bestOf(batches: readonly Pick<ChildEnd, 'result'>[]): TrialBatchResult['best'][number] | null {
  const candidates = batches.flatMap(({ result }) => (result as TrialBatchResult | null)?.best ?? [])
  const [first] = rankTrials(candidates)
  return first === undefined || first.score === null ? null : first
}
