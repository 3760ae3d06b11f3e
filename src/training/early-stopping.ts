import type { StrategyTraining } from '../strategy/training.ts'

/** What early stopping may watch. */
export type StopMetric = NonNullable<StrategyTraining['early_stopping']>['metric']

/** What is remembered of the watched metric from epoch to epoch. Plain data. */
export type Stopping = {
  /** What an epoch has to beat by `min_delta`; null before one had a value. */
  readonly reference: number | null
  /** Epochs since one did. */
  readonly epochsWaited: number
}

export const startStopping: Stopping = { reference: null, epochsWaited: 0 }

/** Whether less of a metric is better. */
const isCost: Readonly<Record<StopMetric, boolean>> = {
  val_loss: true,
  val_accuracy: false,
  macro_f1: false,
  balanced_accuracy: false,
  mcc: false,
  brier: true,
  ece: true,
}

/** Whether an epoch is better than another by more than `minDelta`; null, not defined, is worse than any number. */
export function isBetter(
  metric: StopMetric,
  value: number | null,
  { than, minDelta = 0 }: { readonly than: number | null; readonly minDelta?: number },
): boolean {
  if (value === null || Number.isNaN(value)) return false
  if (than === null) return true
  return (isCost[metric] ? than - value : value - than) > minDelta
}

/** After an epoch. @param value its watched metric; null where it is not defined */
export function watchEpoch(
  { reference, epochsWaited }: Stopping,
  value: number | null,
  { metric, minDelta }: { readonly metric: StopMetric; readonly minDelta: number },
): Stopping {
  if (isBetter(metric, value, { than: reference, minDelta })) return { reference: value, epochsWaited: 0 }
  return { reference, epochsWaited: epochsWaited + 1 }
}
