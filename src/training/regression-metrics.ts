/** How near predicted returns come. */
export type RegressionMetrics = {
  readonly rows: number
  /** Mean absolute error. */
  readonly mae: number
  /** Root of the mean squared error. */
  readonly rmse: number
  /** 1 − squared error / squared distance from the mean; below 0 where the mean is nearer; null where labels do not vary. */
  readonly r2: number | null
  /** Share of the rows on which prediction and label are both above 0 or both not, 0–1. */
  readonly direction_accuracy: number
}

/**
 * @param label one per row  @param predicted as many
 * @throws {RangeError} without rows, or when lengths differ
 * Source: as scikit-learn's `mean_absolute_error`, `root_mean_squared_error` and `r2_score`.
 */
export function measureRegression(label: ArrayLike<number>, predicted: ArrayLike<number>): RegressionMetrics {
  const rows = label.length
  if (rows === 0) throw new RangeError('there are no rows to measure')
  if (predicted.length !== rows) throw new RangeError(`${predicted.length} predictions for ${rows} labels`)
  let total = 0
  for (let row = 0; row < rows; row++) total += label[row] as number
  const mean = total / rows
  let absolute = 0
  let squared = 0
  let varied = 0
  let sameSide = 0
  for (let row = 0; row < rows; row++) {
    const [truth, guess] = [label[row] as number, predicted[row] as number]
    absolute += Math.abs(guess - truth)
    squared += (guess - truth) ** 2
    varied += (truth - mean) ** 2
    if (truth > 0 === guess > 0) sameSide++
  }
  return {
    rows,
    mae: absolute / rows,
    rmse: Math.sqrt(squared / rows),
    r2: varied > 0 ? 1 - squared / varied : null,
    direction_accuracy: sameSide / rows,
  }
}
