import type { components } from '../openapi.gen.ts'
import { datasetsOf, type EffectiveBacktestingParams } from './backtesting.ts'
import { type ChildPlan, selfContained, type WorkerSpec } from './spec.ts'

type Requested = Readonly<components['schemas']['TrialBatchParams']>
/** A backtest with other values, range, bars or costs. */
export type TrialVariant = Readonly<components['schemas']['TrialVariant']>
/** What trials are run for. */
export type TrialStage = components['schemas']['TrialStage']
export type TrialBatchParams = Omit<Requested, 'backtest' | 'variants'> & {
  /** Effective; without `sizing`, each variant has that of its own strategy. */
  readonly backtest: VariedBacktest
  readonly variants: readonly TrialVariant[]
}
/** A backtest whose strategy is varied: where the request has no sizing, the strategy's own may be what is varied. */
export type VariedBacktest = Omit<EffectiveBacktestingParams, 'sizing'> &
  Partial<Pick<EffectiveBacktestingParams, 'sizing'>>
export type TrialBatchResult = Readonly<components['schemas']['TrialBatchResult']>

const MINUTE_MS = 60_000

/** Runs some variants of a backtest. */
export const trialBatchSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Runs some variants of a backtest; only ever a child.',
  internal: true,
  worker: 'trial-batch.ts',
  resumable: true,
  timeoutMs: 12 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  sharesBars: (params, sha256s) => {
    const { base, finer } = datasetsOf((params as TrialBatchParams).backtest, sha256s)
    return [...base, ...finer]
  },
  prepare: async params => selfContained(params, null),
}

/** The child that runs a batch. @param search what its trials are scored by */
export function planBatch(
  { objective, minimum_trades }: Pick<TrialBatchParams, 'objective' | 'minimum_trades'>,
  part: Omit<TrialBatchParams, 'objective' | 'minimum_trades'>,
): ChildPlan {
  return { type: 'trial_batch', params: { ...part, objective, minimum_trades } }
}

/** Parts of at most `size` each: how trials are cut depends on their number only, not on what will run them. */
export function cutTrials<T>(trials: readonly T[], size: number): T[][] {
  const parts: T[][] = []
  for (let from = 0; from < trials.length; from += size) parts.push(trials.slice(from, from + size))
  return parts
}
