import type { components } from '../openapi.gen.ts'
import { type Fold, planFolds } from '../research/folds.ts'
import { maxTrials } from '../search/plan.ts'
import type { BacktestingParams } from './backtesting.ts'
import type { Params } from './operation.ts'
import { prepareSearch, refusedField } from './research-prepare.ts'
import { reportOf } from './research-report.ts'
import type { FanOutSpec, Prepared, Rooms } from './spec.ts'
import { hasBars, type Pinned } from './stored-bars.ts'
import { keepPlan } from './sweep-plan.ts'
import type { VariedBacktest } from './trial-batch.ts'
import { countWalkChildren, planWalk } from './walk-forward-plan.ts'

type Requested = Readonly<components['schemas']['WalkForwardParams']>
type WithoutDefault = 'backtest' | 'space' | 'train_days' | 'test_days'
/** As the validator hands them on: defaults filled in. */
export type WalkForwardParams = Pick<Requested, WithoutDefault> &
  Required<Omit<Requested, WithoutDefault>> & { readonly backtest: BacktestingParams }
/** What runs: `trials` is the number of trials of each window, or the most of them. */
export type EffectiveWalkForwardParams = Omit<WalkForwardParams, 'backtest'> & {
  readonly backtest: VariedBacktest
}
export type WalkForwardResult = Readonly<components['schemas']['WalkForwardResult']>

const MINUTE_MS = 60_000
/** More windows are not looked at. */
const maxFolds = 200

/** Searches window after window, and tests each time what was best on bars the search has not seen. */
export const walkForwardSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Searches window after window, and tests what was best on the bars that follow.',
  timeoutMs: 24 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
  plan: (params, ended) => planWalk(params as EffectiveWalkForwardParams, ended),
  children: params => countWalkChildren(params as EffectiveWalkForwardParams),
  reduce: children => reportOf(children, 'walk_forward'),
  adoptsArtifacts: true,
}

/** The windows of a walk that has been prepared; one more than are tested where there are too many. */
export function foldsOf({ backtest, ...plan }: EffectiveWalkForwardParams): readonly Fold[] {
  const range = { start: Date.parse(backtest.start), end: Date.parse(backtest.end) }
  return planFolds(range, plan, maxFolds + 1)
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as WalkForwardParams
  const prepared = await prepareSearch(params, rooms)
  const { yaml: _, base, backtest, warnings, constraints, trials, plan, ...pins } = prepared
  const effective: EffectiveWalkForwardParams = { ...params, backtest, constraints, trials }
  const folds = foldsOf(effective)
  checkFolds(folds, effective)
  keepPlan(effective, plan)
  return {
    params: effective,
    ...pins,
    warnings: [...warnings, ...remarkOnEmpty(folds, base, rooms)],
    steps: { total: countWalkChildren(effective), unit: 'child' },
    seed: params.seed,
  }
}

/** @throws {Problem} 'params-invalid' when nothing can be tested, or too much would be */
function checkFolds(folds: readonly Fold[], { backtest, trials }: EffectiveWalkForwardParams): void {
  if (folds.length === 0) {
    const message = `the range from ${backtest.start} to ${backtest.end} is too short for one training window, the gap and half a test`
    throw refusedField('train_days', 'range', message)
  }
  if (folds.length > maxFolds) {
    const message = `that makes more than ${maxFolds} windows, which are the most that are tested: make test_days longer`
    throw refusedField('test_days', 'range', message)
  }
  if (folds.length * trials <= maxTrials) return
  const message = `${folds.length} windows of ${trials} trials are ${folds.length * trials} trials, at most ${maxTrials} are run`
  throw refusedField('trials', 'range', message)
}

/**
 * Windows may fall on days without trade.
 * @throws {Problem} 'params-invalid' when all do
 */
function remarkOnEmpty(folds: readonly Fold[], base: readonly Pinned[], rooms: Rooms): string[] {
  const has = (start: number, end: number) => base.some(pinned => hasBars(pinned, { start, end }, rooms))
  const empty = folds.filter(
    ({ train_start, train_end, test_start, test_end }) =>
      !has(train_start, train_end) || !has(test_start, test_end),
  )
  const [first] = empty
  if (first === undefined) return []
  if (empty.length === folds.length)
    throw refusedField('test_days', 'range', 'no window has bars both to train and to test on')
  return [
    `${empty.length} of ${folds.length} windows, first window ${first.index}, have no bars to train or to test on: nothing is traded in them.`,
  ]
}
