/** How well classes were told apart. Shares are 0–1. */
export type ClassMetrics = {
  readonly rows: number
  /** Rows by true class (row) and predicted class (column). */
  readonly confusion: readonly (readonly number[])[]
  readonly accuracy: number
  /** Mean F1 of the classes that occur or are predicted. */
  readonly macro_f1: number
  /** Mean recall of the classes that occur. */
  readonly balanced_accuracy: number
  /** Matthews correlation for any number of classes, −1 to 1; 0 where all rows or all predictions are of one class. */
  readonly mcc: number
  /** Mean over the rows of Σ (p − y)² over the classes, 0–2; null without probabilities. */
  readonly brier: number | null
  /** Expected calibration error in 15 equal bins of the highest probability, 0–1; null without probabilities. */
  readonly ece: number | null
  /** By class index. */
  readonly classes: readonly ClassScores[]
}

export type ClassScores = {
  readonly name: string
  /** Rows that are of the class. */
  readonly support: number
  readonly predicted: number
  /** Null where the class is never predicted. */
  readonly precision: number | null
  /** Null where it does not occur. */
  readonly recall: number | null
  /** Null where it neither occurs nor is predicted. */
  readonly f1: number | null
}

/** Predictions beside what is true, one element per row. */
export type ClassPredictions = {
  readonly classes: readonly string[]
  /** Class indexes. */
  readonly label: ArrayLike<number>
  readonly predicted: ArrayLike<number>
  /** Row-major, rows × classes, rows adding up to 1. */
  readonly probabilities?: ArrayLike<number>
}

const calibrationBins = 15

/**
 * Sources: macro F1 and balanced accuracy as scikit-learn's `f1_score(average='macro')` and `balanced_accuracy_score`;
 * Gorodkin 2004 (MCC of K classes); Brier 1950; Guo et al. 2017 (ECE).
 * @throws {RangeError} without rows, or when lengths differ
 */
export function measureClasses(predictions: ClassPredictions): ClassMetrics {
  const { classes, label, predicted, probabilities } = predictions
  const rows = label.length
  if (rows === 0) throw new RangeError('there are no rows to measure')
  if (predicted.length !== rows) throw new RangeError(`${predicted.length} predictions for ${rows} labels`)
  if (probabilities !== undefined && probabilities.length !== rows * classes.length)
    throw new RangeError(
      `${probabilities.length} probabilities for ${rows} rows of ${classes.length} classes`,
    )
  const confusion = countConfusion(label, predicted, classes.length)
  return {
    rows,
    confusion: classes.map((_, i) => [...confusion.subarray(i * classes.length, (i + 1) * classes.length)]),
    ...scoreConfusion(confusion, classes.length),
    brier: probabilities === undefined ? null : brierOf(label, probabilities, classes.length),
    ece: probabilities === undefined ? null : calibrationError(predictions, probabilities),
    classes: classes.map((name, i) => {
      const { hits: _, ...scores } = scoreClass(confusion, classes.length, i)
      return { name, ...scores }
    }),
  }
}

/** The scores of a confusion matrix that are one number. */
export type ConfusionScores = Pick<ClassMetrics, 'accuracy' | 'macro_f1' | 'balanced_accuracy' | 'mcc'>

/** Rows by true class (row) and predicted class (column), row-major. */
export function countConfusion(
  label: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): Float64Array {
  const confusion = new Float64Array(classes * classes)
  for (let row = 0; row < label.length; row++) {
    const cell = (label[row] as number) * classes + (predicted[row] as number)
    confusion[cell] = (confusion[cell] as number) + 1
  }
  return confusion
}

/** @param confusion of at least one row, as `countConfusion` answers it */
export function scoreConfusion(confusion: Float64Array, classes: number): ConfusionScores {
  const scores = Array.from({ length: classes }, (_, i) => scoreClass(confusion, classes, i))
  const rows = sum(scores, score => score.support)
  const hits = sum(scores, score => score.hits)
  const occurring = scores.filter(score => score.recall !== null)
  const seen = scores.filter(score => score.f1 !== null)
  const agreement = hits * rows - sum(scores, score => score.support * score.predicted)
  const spread =
    (rows ** 2 - sum(scores, score => score.predicted ** 2)) *
    (rows ** 2 - sum(scores, score => score.support ** 2))
  return {
    accuracy: hits / rows,
    macro_f1: sum(seen, score => score.f1 ?? 0) / seen.length,
    balanced_accuracy: sum(occurring, score => score.recall ?? 0) / occurring.length,
    mcc: spread > 0 ? agreement / Math.sqrt(spread) : 0,
  }
}

function scoreClass(confusion: Float64Array, classes: number, index: number) {
  let support = 0
  let predicted = 0
  for (let other = 0; other < classes; other++) {
    support += confusion[index * classes + other] as number
    predicted += confusion[other * classes + index] as number
  }
  const hits = confusion[index * classes + index] as number
  return {
    hits,
    support,
    predicted,
    precision: predicted === 0 ? null : hits / predicted,
    recall: support === 0 ? null : hits / support,
    f1: support + predicted === 0 ? null : (2 * hits) / (support + predicted),
  }
}

function brierOf(label: ArrayLike<number>, probabilities: ArrayLike<number>, classes: number): number {
  let total = 0
  for (let row = 0; row < label.length; row++) {
    for (let k = 0; k < classes; k++) {
      const expected = label[row] === k ? 1 : 0
      total += ((probabilities[row * classes + k] as number) - expected) ** 2
    }
  }
  return total / label.length
}

/** Bins are open below and closed above. A row is right when its predicted class is its label. */
function calibrationError({ classes, label, predicted }: ClassPredictions, probabilities: ArrayLike<number>) {
  // What each bin's rows are right more than they are sure: Σ over its rows of hit − probability.
  const excess = new Float64Array(calibrationBins)
  for (let row = 0; row < label.length; row++) {
    const own = probabilities[row * classes.length + (predicted[row] as number)] as number
    const bin = Math.min(calibrationBins - 1, Math.max(0, Math.ceil(own * calibrationBins) - 1))
    excess[bin] = (excess[bin] as number) + (label[row] === predicted[row] ? 1 : 0) - own
  }
  return excess.reduce((total, value) => total + Math.abs(value), 0) / label.length
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
