import type { Samples as ModelSamples } from '../model/loss.ts'
import type { Trainer } from '../model/trainer.ts'
import { type ClassScores, measureClasses } from './class-metrics.ts'
import { measureRegression } from './regression-metrics.ts'

/** How a model does on some rows. What is of classes is null for regression, what is of values null for classes. */
export type PartMetrics = {
  readonly rows: number
  /** Mean, weighted as in training. */
  readonly loss: number
  /** Share of right classes; of a regression the share of rows whose sign is right. */
  readonly accuracy: number
  readonly macro_f1: number | null
  readonly balanced_accuracy: number | null
  readonly mcc: number | null
  readonly brier: number | null
  readonly ece: number | null
  /** Rows by true class (row) and predicted class (column). */
  readonly confusion: readonly (readonly number[])[] | null
  readonly classes: readonly ClassScores[] | null
  readonly mae: number | null
  readonly rmse: number | null
  readonly r2: number | null
}

/** What a model says about some rows. */
export type Answers = {
  /** Probabilities of the classes, rows × classes; or one value per row. */
  readonly outputs: Float32Array
  /** Class indexes; or the values. */
  readonly predicted: Float64Array
}

/**
 * Asks the model of a trainer, nothing dropped.
 * @param classes names by index; empty for regression  @param rows row numbers of `features`
 */
export function askModel(
  trainer: Trainer,
  { features, rows, classes }: { features: Float32Array; rows: Int32Array; classes: readonly string[] },
  checkpoint?: () => void,
): Answers {
  const outputs = trainer.predict(features, rows, checkpoint)
  return { outputs, predicted: decide(outputs, classes.length) }
}

/**
 * Measures the model of a trainer on some rows, nothing dropped.
 * @param rows row numbers of `samples`, at least one
 */
export function measurePart(
  trainer: Trainer,
  { samples, rows, classes }: { samples: ModelSamples; rows: Int32Array; classes: readonly string[] },
  checkpoint?: () => void,
): PartMetrics {
  const { loss } = trainer.evaluate(samples, rows, checkpoint)
  const answers = askModel(trainer, { features: samples.features, rows, classes }, checkpoint)
  const label = Float64Array.from(rows, row => samples.targets[row] as number)
  checkpoint?.()
  return { ...scoreAnswers(answers, label, classes), loss }
}

/** Everything but the loss. @param label class indexes or values, one per row; at least one */
export function scoreAnswers(
  { outputs, predicted }: Answers,
  label: Float64Array,
  classes: readonly string[],
): Omit<PartMetrics, 'loss'> {
  if (classes.length === 0) {
    const { direction_accuracy: accuracy, ...values } = measureRegression(label, predicted)
    const none = { macro_f1: null, balanced_accuracy: null, mcc: null, brier: null, ece: null }
    return { accuracy, ...none, confusion: null, classes: null, ...values }
  }
  const scores = measureClasses({ classes, label, predicted, probabilities: outputs })
  return { ...scores, mae: null, rmse: null, r2: null }
}

/** The most likely class of every row, of equal ones the first; or the values as they are. */
function decide(outputs: Float32Array, classes: number): Float64Array {
  if (classes === 0) return Float64Array.from(outputs)
  const chosen = new Float64Array(outputs.length / classes)
  for (let row = 0; row < chosen.length; row++) {
    let best = 0
    for (let k = 1; k < classes; k++)
      if ((outputs[row * classes + k] as number) > (outputs[row * classes + best] as number)) best = k
    chosen[row] = best
  }
  return chosen
}
