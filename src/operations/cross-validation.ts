import { toRfc3339 } from '../clock.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { planFolds } from '../research/folds.ts'
import { reportCrossValidation } from './cross-validation-result.ts'
import type { Params } from './operation.ts'
import { inField, refusedField } from './research-prepare.ts'
import type { ChildEnd, ChildPlan, FanOutSpec, Prepared, Rooms } from './spec.ts'
import { hasBars, type Pinned, spanOf } from './stored-bars.ts'
import { type EffectiveTrainingParams, prepareTraining, type TrainingParams } from './training.ts'
import { type RequestedFold, readFold } from './training-fold.ts'

type Requested = Readonly<components['schemas']['CrossValidationParams']>
/** As the validator hands them on: defaults filled in. */
export type CrossValidationParams = Omit<Requested, 'training'> &
  Required<Pick<Requested, 'method'>> & { readonly training: TrainingParams }
/** What runs: the range ends where the bars do, and k folds have their number. */
export type EffectiveCrossValidationParams = Omit<CrossValidationParams, 'training'> & {
  readonly training: EffectiveTrainingParams
}
export type CrossValidationResult = Readonly<components['schemas']['CrossValidationResult']>

const MINUTE_MS = 60_000
const defaultFolds = 5
/** More windows are not trained. */
const maxWindows = 100

/** Trains fold after fold, each with another part held out, and joins what the models say of these parts. */
export const crossValidationSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Trains fold after fold, and joins what the models say of rows they have not learned from.',
  timeoutMs: 24 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
  plan: (params, ended) => planTrainings(params as EffectiveCrossValidationParams, ended),
  children: params => foldsOf(params as EffectiveCrossValidationParams).length + 1,
  reduce: (children, params) => reportCrossValidation(children, params as EffectiveCrossValidationParams),
  adoptsArtifacts: true,
}

/** The trainings, which share the pins of the whole; once they have ended, the child that joins what they left. */
function planTrainings(
  params: EffectiveCrossValidationParams,
  ended: readonly ChildEnd[],
): readonly ChildPlan[] {
  const plans = foldsOf(params).map(
    (fold): ChildPlan => ({ type: 'training', params: { ...params.training, fold }, inherits: true }),
  )
  if (ended.length < plans.length) return plans
  const parts = ended.slice(0, plans.length).map(({ operation_id, attempt }) => ({ operation_id, attempt }))
  return [...plans, { type: 'cross_validation_report', params: { parts } }]
}

/** What each training tests, in the order of time; one more window than are trained where there are too many. */
function foldsOf(params: EffectiveCrossValidationParams): readonly RequestedFold[] {
  const { method, training, embargo_bars } = params
  const embargo = embargo_bars === undefined ? {} : { embargo_bars }
  if (method === 'purged_k_fold') {
    const folds = params.folds ?? defaultFolds
    return Array.from({ length: folds }, (_, index) => ({ method, folds, index, ...embargo }))
  }
  const { train_days = 0, test_days = 0, anchored = false } = params
  const range = { start: Date.parse(training.start), end: Date.parse(training.end) }
  // Labels say by themselves how far they reach: no gap is needed.
  const plan = { train_days, test_days, anchored, purge_days: 0, embargo_days: 0 }
  return planFolds(range, plan, maxWindows + 1).map(fold => ({
    method,
    train: { start: toRfc3339(fold.train_start), end: toRfc3339(fold.train_end) },
    test: { start: toRfc3339(fold.test_start), end: toRfc3339(fold.test_end) },
    ...embargo,
  }))
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as CrossValidationParams
  checkMethod(params)
  const { base, ...prepared } = await inField('training', () => prepareTraining(params.training, rooms))
  const effective: EffectiveCrossValidationParams = {
    ...params,
    ...(params.method === 'purged_k_fold' ? { folds: params.folds ?? defaultFolds } : {}),
    training: withinBars(prepared.params, base),
  }
  const folds = foldsOf(effective)
  checkWindows(folds, effective)
  checkBars(folds, base, rooms)
  return { ...prepared, params: effective, steps: { total: folds.length + 1, unit: 'child' } }
}

/** @throws {Problem} 'params-invalid' when a key is missing, or is of the other method */
function checkMethod({ method, training, ...keys }: CrossValidationParams): void {
  if (training.fold !== undefined)
    throw refusedField(
      'training/fold',
      'not_allowed',
      'the folds of a cross-validation are its own to choose',
    )
  const [own, others] =
    method === 'walk_forward'
      ? ([['train_days', 'test_days'], ['folds']] as const)
      : ([[], ['train_days', 'test_days', 'anchored']] as const)
  for (const key of own)
    if (keys[key] === undefined) throw refusedField(key, 'required', `${method} needs ${key}`)
  for (const key of others)
    if (keys[key] !== undefined) throw refusedField(key, 'not_allowed', `${method} takes no ${key}`)
}

/** Windows are cut by time, which must not be time without bars. */
function withinBars(params: EffectiveTrainingParams, base: readonly Pinned[]): EffectiveTrainingParams {
  const span = spanOf(base)
  const start = Math.max(Date.parse(params.start), Date.parse(span.start))
  const end = Math.min(Date.parse(params.end), Date.parse(span.end))
  return { ...params, start: toRfc3339(start), end: toRfc3339(end) }
}

function checkWindows(folds: readonly RequestedFold[], { training }: EffectiveCrossValidationParams): void {
  if (folds.length === 0) {
    const message = `the range from ${training.start} to ${training.end} is too short for one training window and half a test`
    throw refusedField('train_days', 'range', message)
  }
  if (folds.length <= maxWindows) return
  const message = `that makes more than ${maxWindows} windows, which are the most that are trained: make test_days longer`
  throw refusedField('test_days', 'range', message)
}

/** @throws {Problem} 'params-invalid' for a window without bars, on which a fold would fail after the others were trained */
function checkBars(folds: readonly RequestedFold[], base: readonly Pinned[], rooms: Rooms): void {
  for (const [i, fold] of folds.entries()) {
    const read = readFold(fold)
    if (read.method !== 'walk_forward') return
    for (const part of ['train', 'test'] as const) {
      const { from, to } = read[part]
      if (base.some(pinned => hasBars(pinned, { start: from, end: to }, rooms))) continue
      const what = `window ${i} has no bars to ${part} on, from ${toRfc3339(from)} to ${toRfc3339(to)}`
      throw new Problem('params-invalid', what, {
        hint: 'Make train_days and test_days longer, or choose a range without such a gap.',
        errors: [{ pointer: `/body/params/${part}_days`, code: 'range', message: what }],
      })
    }
  }
}
