import type { StrategySplit } from '../strategy/training.ts'
import { purgedFold } from './cross-validation.ts'
import {
  checkParts,
  defaultEmbargo,
  rowsWithin,
  type Split,
  sortTimes,
  splitWindow,
  type Timed,
  type WalkWindow,
  withoutEmbargo,
} from './splits.ts'

/** What one training of a cross-validation tests; the rest, or what is older, is what it learns from. */
export type TrainingFold = {
  /** Bars of every symbol; null leaves it to the strategy, and a strategy without one to 1% of the bars. */
  readonly embargoBars: number | null
} & (
  | {
      readonly method: 'purged_k_fold'
      /** Into how many groups of time the rows are cut, ≥ 2. */
      readonly folds: number
      /** Which of them is tested, 0 ≤ index < folds. */
      readonly index: number
    }
  | ({ readonly method: 'walk_forward' } & WalkWindow)
)

/**
 * The rows of one fold. Validation, which chooses the epoch, is the newest part of the training rows, in the proportion
 * that the strategy's split has; nothing of the test chooses anything.
 *
 * A window learns from the past alone. A fold of k learns from both sides of its test: rows whose label meets the time
 * of the test are purged on either side, and the embargo is taken after it.
 * @throws {Problem} 'params-invalid' when a part is left without rows
 */
export function splitFold(samples: Timed, fold: TrainingFold, plan: StrategySplit): Split {
  const validation = plan.validation / (plan.train + plan.validation)
  const given = fold.embargoBars ?? plan.embargo_bars
  if (fold.method === 'walk_forward') {
    const embargoBars = given ?? defaultEmbargo(windowRows(samples, fold))
    return splitWindow(samples, fold, { validation, embargoBars })
  }
  const embargoBars = given ?? defaultEmbargo(samples)
  const { folds, index } = fold
  const split = takeValidation(samples, purgedFold(samples, { folds, index, embargoBars }), validation)
  checkParts(split, ['train', 'validation', 'test'])
  return split
}

/** Moves the newest share of the training rows into validation, purged and embargoed at the cut. */
function takeValidation(samples: Timed, split: Split, share: number): Split {
  const { time, labelEnd } = samples
  const times = sortTimes(Float64Array.from(split.train, row => time[row] as number))
  const cut = times[Math.round((1 - share) * times.length)] ?? Number.POSITIVE_INFINITY
  const newest = split.train.filter(row => (time[row] as number) >= cut)
  const older = split.train.filter(row => (time[row] as number) < cut)
  const train = older.filter(row => (labelEnd[row] as number) < cut)
  const validation = withoutEmbargo(samples, newest, split.embargo_bars)
  return {
    ...split,
    train,
    validation,
    purged: split.purged + older.length - train.length,
    embargoed: split.embargoed + newest.length - validation.length,
  }
}

/** The rows of a window, its training and its test. */
function windowRows(samples: Timed, { train, test }: WalkWindow): Timed {
  const rows = rowsWithin(samples, { from: train.from, to: test.to })
  const { symbol, bar, time, labelEnd } = samples
  return {
    rows: rows.length,
    symbol: Uint16Array.from(rows, row => symbol[row] as number),
    bar: Int32Array.from(rows, row => bar[row] as number),
    time: Float64Array.from(rows, row => time[row] as number),
    labelEnd: Float64Array.from(rows, row => labelEnd[row] as number),
  }
}
