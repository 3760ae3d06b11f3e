import type { PartMetrics } from './part-metrics.ts'

/**
 * What an epoch came to, the same on every machine. Losses and accuracies of training are means over the batches while
 * the weights were changing, dropout included; everything else is of the validation part after the epoch. Of a
 * regression, accuracy is the share of rows whose sign is right, and what is of classes is null.
 */
export type EpochMetrics = {
  /** From 0 on. */
  readonly epoch: number
  readonly train_loss: number
  readonly train_accuracy: number
  readonly val_loss: number
  readonly val_accuracy: number
  /** Of all steps of the epoch. */
  readonly learning_rate: number
  /** Mean over the steps, before clipping. */
  readonly gradient_norm: number
} & Pick<PartMetrics, 'macro_f1' | 'balanced_accuracy' | 'mcc' | 'brier' | 'ece'>

export type MeasuredEpoch = {
  readonly epoch: number
  readonly learningRate: number
  readonly batches: number
  /** Over all batches; of losses times rows. */
  readonly sums: {
    readonly loss: number
    readonly correct: number
    readonly rows: number
    readonly gradientNorm: number
  }
  readonly validation: PartMetrics
}

export function measureEpoch({
  epoch,
  learningRate,
  batches,
  sums,
  validation,
}: MeasuredEpoch): EpochMetrics {
  const { macro_f1, balanced_accuracy, mcc, brier, ece } = validation
  return {
    epoch,
    train_loss: sums.loss / sums.rows,
    train_accuracy: sums.correct / sums.rows,
    val_loss: validation.loss,
    val_accuracy: validation.accuracy,
    learning_rate: learningRate,
    ...{ macro_f1, balanced_accuracy, mcc, brier, ece },
    gradient_norm: sums.gradientNorm / batches,
  }
}
