import type { Bars } from '../market/bars.ts'
import { quantileOf } from '../statistics/quantile.ts'
import { Random } from '../statistics/random.ts'
import { type ClassMetrics, measureClasses } from './class-metrics.ts'
import { measureRegression, type RegressionMetrics } from './regression-metrics.ts'

/** Always saying the class that training saw most. */
export type MajorityBaseline = { readonly class: string; readonly metrics: ClassMetrics }

/**
 * @param train class indexes of the training rows, at least one; of equally frequent classes the first is taken
 * @param test class indexes of the rows that are measured, at least one
 */
export function majorityBaseline(
  train: ArrayLike<number>,
  test: ArrayLike<number>,
  classes: readonly string[],
): MajorityBaseline {
  const shares = sharesOf(train, classes.length)
  const most = shares.indexOf(Math.max(...shares))
  const predicted = new Uint8Array(test.length).fill(most)
  return { class: classes[most] ?? '', metrics: measureClasses({ classes, label: test, predicted }) }
}

/** Always saying the mean of the training labels. */
export type MeanBaseline = { readonly value: number; readonly metrics: RegressionMetrics }

/** @param train returns of the training rows, at least one  @param test of the rows that are measured, at least one */
export function meanBaseline(train: Float64Array, test: Float64Array): MeanBaseline {
  const value = train.reduce((sum, label) => sum + label, 0) / train.length
  return { value, metrics: measureRegression(test, new Float64Array(test.length).fill(value)) }
}

/** What guessing comes to. */
export type RandomBaseline = {
  readonly runs: number
  /** Σ over the classes of share in training × share in test. */
  readonly expected_accuracy: number
  readonly accuracy: Spread
  /** Mean over the rows of the return the guess would have earned, without costs; null unless the classes are trades. */
  readonly mean_return_fraction: Spread | null
}

export type Spread = {
  readonly mean: number
  readonly p05: number
  readonly p50: number
  readonly p95: number
}

export type RandomPlan = {
  readonly classes: readonly string[]
  /** Class indexes of the training rows, at least one: guesses have their shares. */
  readonly train: ArrayLike<number>
  /** Class indexes of the rows that are measured, at least one. */
  readonly label: ArrayLike<number>
  /** Returns of these rows to the ends of their labels. */
  readonly ret: Float64Array
  readonly runs: number
  readonly seed: number
  readonly checkpoint?: () => void
}

/** Guesses every row's class anew in every run, each class as often as training saw it. Cost: rows × runs. */
export function randomBaseline(plan: RandomPlan): RandomBaseline {
  const { classes, label, ret, runs, seed, checkpoint = () => {} } = plan
  const shares = sharesOf(plan.train, classes.length)
  const inTest = sharesOf(label, classes.length)
  const accuracy = new Float64Array(runs)
  const returned = new Float64Array(runs)
  const bounds = shares.map((_, k) => shares.slice(0, k + 1).reduce((sum, share) => sum + share, 0))
  for (let run = 0; run < runs; run++) {
    checkpoint()
    const random = new Random(seed, run)
    let hits = 0
    let total = 0
    for (let row = 0; row < label.length; row++) {
      const guess = drawClass(bounds, random.uniform())
      if (guess === label[row]) hits++
      total += sideOf(guess) * (ret[row] as number)
    }
    accuracy[run] = hits / label.length
    returned[run] = total / label.length
  }
  return {
    runs,
    expected_accuracy: shares.reduce((sum, share, k) => sum + share * (inTest[k] as number), 0),
    accuracy: spreadOf(accuracy),
    mean_return_fraction: classes[0] === 'buy' ? spreadOf(returned) : null,
  }
}

/**
 * Mean over the rows of what the predictions would have earned by the ends of the labels, as a fraction: the return on
 * a buy, its opposite on a sell, nothing on a hold; no costs. Labels overlap: this compares with guessing, and is
 * no result of trading. @param predicted class indexes of buy, hold and sell  @param ret of the same rows, at least one
 */
export function meanTradeReturn(predicted: ArrayLike<number>, ret: Float64Array): number {
  let total = 0
  for (let row = 0; row < ret.length; row++) total += sideOf(predicted[row] as number) * (ret[row] as number)
  return total / ret.length
}

/** Buying every symbol in equal amounts at the first close of a range and holding to the last. */
export type HoldBaseline = {
  readonly symbols: readonly string[]
  /** Mean over the symbols, without costs. */
  readonly total_return_fraction: number
}

/**
 * @param range close times, epoch ms, both inclusive: of the first tested row, and the last moment that is measured
 * @returns null when no symbol has two closes in the range
 */
export function holdBaseline(
  parts: readonly { readonly symbol: string; readonly bars: Pick<Bars, 'length' | 'close' | 'close_time'> }[],
  range: { readonly from: number; readonly to: number },
): HoldBaseline | null {
  const held: { symbol: string; gained: number }[] = []
  for (const { symbol, bars } of parts) {
    const first = bars.close_time.findIndex(time => time >= range.from)
    const last = bars.close_time.findLastIndex(time => time <= range.to)
    if (first < 0 || last <= first) continue
    held.push({ symbol, gained: (bars.close[last] as number) / (bars.close[first] as number) - 1 })
  }
  if (held.length === 0) return null
  return {
    symbols: held.map(({ symbol }) => symbol),
    total_return_fraction: held.reduce((sum, { gained }) => sum + gained, 0) / held.length,
  }
}

function sharesOf(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number
    counts[label] = (counts[label] ?? 0) + 1
  }
  return counts.map(count => count / labels.length)
}

/** The first class whose bound is above the draw; rounding may leave the last bound below 1. */
function drawClass(bounds: readonly number[], drawn: number): number {
  const last = bounds.length - 1
  for (let k = 0; k < last; k++) if (drawn < (bounds[k] as number)) return k
  return last
}

/** 1 for buy, 0 for hold, −1 for sell. */
function sideOf(trade: number): number {
  return 1 - trade
}

function spreadOf(values: Float64Array): Spread {
  const sorted = values.slice().sort()
  const at = (fraction: number) => quantileOf(sorted, fraction)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, p05: at(0.05), p50: at(0.5), p95: at(0.95) }
}
