import type { FittedNormaliser } from '../features/normaliser.ts'
import type { Adjustment } from '../market/corporate-action.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { Model } from '../model/model.ts'
import type { StrategyLabels } from '../strategy/labels.ts'
import type { StrategyModel } from '../strategy/strategy.ts'
import type { StrategyTraining } from '../strategy/training.ts'
import type { Baselines } from './measured-training.ts'
import type { PartMetrics } from './part-metrics.ts'

/** Everything that is needed to use a model and to say where it comes from. Equal trainings give equal ones. */
export type TrainedModel = {
  /** Network and weights of the best epoch. */
  readonly model: Model
  readonly strategy_name: string
  /** The text it was trained by. */
  readonly strategy_yaml: string
  readonly strategy_sha256: string
  readonly base_timeframe: Timeframe
  /** Those that features read, in the order of the strategy. */
  readonly timeframes: readonly Timeframe[]
  readonly symbols: readonly string[]
  /** Of the prices. */
  readonly adjustment: Adjustment
  /** Inputs of the network in their order. */
  readonly feature_ids: readonly string[]
  /** By feature id; a feature without one goes in as it is. */
  readonly normalisers: Readonly<Record<string, FittedNormaliser>>
  readonly labels: StrategyLabels
  /** Names by output; empty for regression. */
  readonly classes: readonly string[]
  /** Close times of the bars of each part, epoch ms, half-open; null for a part that is not there. */
  readonly ranges: { readonly [Part in 'train' | 'validation' | 'test']: { from: number; to: number } | null }
  readonly metrics: { readonly [Part in 'train' | 'validation']: PartMetrics } & {
    readonly test: PartMetrics | null
  }
  readonly baselines: Baselines
  /** As they ran, every key filled in. */
  readonly config: { readonly model: StrategyModel; readonly training: StrategyTraining }
  readonly seed: number
  /** Of the best epoch, from 0 on. */
  readonly best_epoch: number
  /** Versions of the bars, symbol by symbol, each in the order of `timeframes`. */
  readonly dataset_sha256: readonly string[]
  /** Of the code that trained it. */
  readonly code_version: string
}
