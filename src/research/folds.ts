import { dayMs } from '../market/timeframe.ts'

/** How a range is walked through. All lengths in days, which may be parts of one. */
export type WalkPlan = {
  /** Of the first training window; of every one unless `anchored`. */
  readonly train_days: number
  /** Of every test window but perhaps the last; the windows step on by it, so that no moment is tested twice. */
  readonly test_days: number
  /** Left out between training and test, at least as long as a trade or a label reaches. */
  readonly purge_days: number
  /** Left out in addition, for what fades more slowly. */
  readonly embargo_days: number
  /** Whether every training window begins where the first one does. */
  readonly anchored: boolean
}

/** Times in epoch ms, half-open. */
export type Fold = {
  readonly index: number
  readonly train_start: number
  readonly train_end: number
  readonly test_start: number
  readonly test_end: number
}

/**
 * Windows of a walk forward: train, leave a gap, test, step on by the test. The last test is cut off at the end of the
 * range, and left out when less than half of it is there.
 * Source: López de Prado 2018, chapter 7 (purge and embargo); Pardo 2008 (walk-forward analysis).
 * @param range epoch ms, the end exclusive  @param most windows that are looked for
 * @returns whole epoch ms
 */
export function planFolds(
  { start, end }: { readonly start: number; readonly end: number },
  plan: WalkPlan,
  most = Number.POSITIVE_INFINITY,
): readonly Fold[] {
  const trainMs = Math.round(plan.train_days * dayMs)
  const testMs = Math.round(plan.test_days * dayMs)
  const gapMs = Math.round((plan.purge_days + plan.embargo_days) * dayMs)
  const folds: Fold[] = []
  for (let index = 0; index < most; index++) {
    const stepped = start + index * testMs
    const trainEnd = stepped + trainMs
    const testStart = trainEnd + gapMs
    if (!(testStart + testMs / 2 <= end)) return folds
    folds.push({
      index,
      train_start: plan.anchored ? start : stepped,
      train_end: trainEnd,
      test_start: testStart,
      test_end: Math.min(testStart + testMs, end),
    })
  }
  return folds
}
