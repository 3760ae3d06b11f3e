import { Problem } from '../problems.ts'
import type { StrategySplit } from '../strategy/training.ts'
import type { Samples } from './samples.ts'

/**
 * Rows of the samples by what they are for, ascending: symbol after symbol, each oldest first. No label of a part is
 * known only in a later one, and no row is in two parts.
 */
export type Split = {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
  /** Rows left out because their label ends in, or reaches over, a part that measures them. */
  readonly purged: number
  /** Rows left out for standing too near behind a cut. */
  readonly embargoed: number
  /** Bars of every symbol that this took at each cut. */
  readonly embargo_bars: number
  /** Close times, half-open, epoch ms: null for a part that is not there, and for parts of several pieces. */
  readonly ranges: { readonly [Part in 'train' | 'validation' | 'test']: TimeRange | null }
}

export type TimeRange = { readonly from: number; readonly to: number }

/** What a split needs of the samples. */
export type Timed = Pick<Samples, 'rows' | 'symbol' | 'bar' | 'time' | 'labelEnd'>

/** Share of the bars from the first row to the last that is the embargo by default: López de Prado 2018, section 7.4.2. */
const defaultEmbargoFraction = 0.01

/**
 * Training, validation and test in the order of time. The cuts are moments, the same for all symbols, so that no symbol's
 * future trains another's past: each share holds that part of all rows, before anything is left out. Purged are rows of
 * training and validation whose label is known only at the first moment of the next part or later; embargoed the
 * first bars of every symbol in validation and in test, since the features of these still see what was trained on.
 * @throws {Problem} 'params-invalid' when a part with a share is left without rows
 */
export function splitSamples(samples: Timed, plan: StrategySplit): Split {
  const sorted = sortTimes(samples.time)
  const at = (share: number) => sorted[Math.round(share * samples.rows)] ?? Number.POSITIVE_INFINITY
  const validation = at(plan.train)
  const test = plan.test === 0 ? Number.POSITIVE_INFINITY : at(plan.train + plan.validation)
  const split = cutRows(samples, {
    train: { from: Number.NEGATIVE_INFINITY, to: validation },
    validation: { from: validation, to: test },
    test: plan.test === 0 ? null : { from: test, to: Number.POSITIVE_INFINITY },
    embargoBars: plan.embargo_bars ?? defaultEmbargo(samples),
  })
  checkParts(split, plan.test === 0 ? ['train', 'validation'] : ['train', 'validation', 'test'])
  return split
}

/** Ascending; the array itself where it is that already, as that of a single symbol. */
export function sortTimes(time: Float64Array): Float64Array {
  for (let row = 1; row < time.length; row++)
    if ((time[row] as number) < (time[row - 1] as number)) return time.slice().sort()
  return time
}

/** 1% of the bars from the first row to the last of the symbol with most, rounded up. */
export function defaultEmbargo({ rows, symbol, bar }: Timed): number {
  let most = 0
  let first = 0
  for (let row = 0; row < rows; row++) {
    if (symbol[row] !== symbol[first]) first = row
    most = Math.max(most, (bar[row] as number) - (bar[first] as number) + 1)
  }
  return Math.ceil(defaultEmbargoFraction * most)
}

/** A window of a walk forward: close times, epoch ms; the test begins where training ends or later. */
export type WalkWindow = { readonly train: TimeRange; readonly test: TimeRange }

/**
 * The rows of one window of a walk forward. The newest `validation` share of the moments of its training rows is its
 * validation. Rows are purged by the ends of their labels whatever gap the window has.
 * @param validation 0 ≤ share < 1  @param embargoBars of every symbol, at the start of validation and of test
 * @throws {Problem} 'params-invalid' when a part is left without rows
 */
export function splitWindow(
  samples: Timed,
  { train, test }: WalkWindow,
  { validation, embargoBars }: { readonly validation: number; readonly embargoBars: number },
): Split {
  const trained = rowsWithin(samples, train)
  const times = sortTimes(Float64Array.from(trained, row => samples.time[row] as number))
  const cut = times[Math.round((1 - validation) * times.length)] ?? train.to
  const split = cutRows(samples, {
    train: { from: train.from, to: validation === 0 ? train.to : cut },
    validation: validation === 0 ? null : { from: cut, to: train.to },
    test,
    embargoBars,
  })
  checkParts(split, validation === 0 ? ['train', 'test'] : ['train', 'validation', 'test'])
  return split
}

export type CutPlan = {
  readonly train: TimeRange
  readonly validation: TimeRange | null
  readonly test: TimeRange | null
  readonly embargoBars: number
}

/** Rows of parts that follow each other in time, purged and embargoed; parts may come out empty. */
export function cutRows(samples: Timed, { train, validation, test, embargoBars }: CutPlan): Split {
  const counts = { purged: 0, embargoed: 0 }
  const choose = (range: TimeRange | null, { next, first }: { next: TimeRange | null; first: boolean }) => {
    if (range === null) return new Int32Array(0)
    const limit = next?.from ?? Number.POSITIVE_INFINITY
    const within = rowsWithin(samples, range)
    const rested = first ? within : withoutEmbargo(samples, within, embargoBars)
    const kept = rested.filter(row => (samples.labelEnd[row] as number) < limit)
    counts.embargoed += within.length - rested.length
    counts.purged += rested.length - kept.length
    return kept
  }
  return {
    train: choose(train, { next: validation ?? test, first: true }),
    validation: choose(validation, { next: test, first: false }),
    test: choose(test, { next: null, first: false }),
    ...counts,
    embargo_bars: embargoBars,
    ranges: { train, validation, test },
  }
}

/** Rows that close in a range, ascending. */
export function rowsWithin({ rows, time }: Timed, { from, to }: TimeRange): Int32Array {
  const within = new Int32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) {
    const moment = time[row] as number
    if (moment >= from && moment < to) within[count++] = row
  }
  return within.slice(0, count)
}

/** Without the rows among the first `embargoBars` bars of every symbol, counted from its first row. */
export function withoutEmbargo({ symbol, bar }: Timed, rows: Int32Array, embargoBars: number): Int32Array {
  let first = rows[0] ?? 0
  return rows.filter(row => {
    if (symbol[row] !== symbol[first]) first = row
    return (bar[row] as number) - (bar[first] as number) >= embargoBars
  })
}

/** @throws {Problem} 'params-invalid' when one of the parts has no rows */
export function checkParts(split: Split, parts: readonly ('train' | 'validation' | 'test')[]): void {
  const empty = parts.find(part => split[part].length === 0)
  if (empty === undefined) return
  throw new Problem(
    'params-invalid',
    `${empty} has no rows: ${split.purged} rows were purged because their labels reach into the next part, ` +
      `${split.embargoed} fell to the embargo of ${split.embargo_bars} bars`,
    { hint: 'Use a longer range, labels that end sooner, or a smaller embargo_bars.' },
  )
}
