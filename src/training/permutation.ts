import { defaultBlock } from '../statistics/bootstrap.ts'
import { Random } from '../statistics/random.ts'
import { type ConfusionScores, countConfusion, scoreConfusion } from './class-metrics.ts'
import type { Samples } from './samples.ts'

/** Whether a score is more than luck. */
export type PermutationTest = {
  /** Of the predictions as they are. */
  readonly observed: number
  /** Mean over the permutations. */
  readonly mean: number
  /** (1 + permutations that score at least as high) / (1 + permutations), above 0 to 1. */
  readonly p_value: number
  readonly permutations: number
  readonly block_rows: number
}

export type PermutationPlan = {
  /** Of the rows that are measured, symbol after symbol, each oldest first; at least one. */
  readonly label: Float64Array
  /** Of the same rows. */
  readonly symbol: ArrayLike<number>
  /** Greater is better. Called with labels in another order, the same array each time. */
  readonly score: (label: Float64Array) => number
  readonly permutations: number
  /** Rows of a block, ≥ 1: at least as many as labels overlap. */
  readonly blockRows: number
  readonly seed: number
  readonly checkpoint?: () => void
}

/**
 * Scores the same predictions against labels whose order has nothing to do with them: those of each symbol are cut into
 * blocks, from a random row on as if they were a ring, and the blocks put in random order. Within blocks labels keep
 * their neighbours, so that their overlap is not taken for evidence. Symbols are permuted one by one: where
 * they move together, the p-value is too low.
 * Sources: Phipson and Smyth 2010 (the 1 + in the p-value); Politis and Romano 1992 (circular blocks).
 * @throws {RangeError} without rows
 */
export function permutationTest(plan: PermutationPlan): PermutationTest {
  const { label, score, permutations, seed, checkpoint = () => {} } = plan
  if (label.length === 0) throw new RangeError('there are no rows to measure')
  const blockRows = Math.max(1, Math.round(plan.blockRows))
  const spans = spansOf(plan.symbol, label.length)
  const observed = score(label)
  const permuted = new Float64Array(label.length)
  let reached = 0
  let total = 0
  for (let run = 0; run < permutations; run++) {
    checkpoint()
    const random = new Random(seed, run)
    for (const span of spans) permuteBlocks(random, blockRows, { from: label, to: permuted, span })
    const value = score(permuted)
    if (value >= observed) reached++
    total += value
  }
  const p_value = (1 + reached) / (1 + permutations)
  return { observed, mean: total / permutations, p_value, permutations, block_rows: blockRows }
}

/**
 * Rows of a block for some rows: as many as lie, on average, between a row and the end of its label, at least the
 * cube root of their number. @param rows ascending
 */
export function blockRowsOf(
  { symbol, time, labelEnd }: Pick<Samples, 'symbol' | 'time' | 'labelEnd'>,
  rows: Int32Array,
): number {
  let within = 0
  let next = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    next = Math.max(next, i + 1)
    while (next < rows.length && isWithin(rows[next] as number, row)) next++
    within += next - i
  }
  return Math.max(defaultBlock(rows.length), Math.ceil(within / Math.max(1, rows.length)))

  function isWithin(other: number, row: number): boolean {
    return symbol[other] === symbol[row] && (time[other] as number) < (labelEnd[row] as number)
  }
}

/** A score of classes for `permutationTest`. @param predicted class indexes, one per row */
export function classScore(
  name: keyof ConfusionScores,
  predicted: ArrayLike<number>,
  classes: number,
): (label: Float64Array) => number {
  return label => scoreConfusion(countConfusion(label, predicted, classes), classes)[name]
}

/** A score of returns for `permutationTest`: the mean product of label and prediction, which orders as R² does. */
export function productScore(predicted: Float64Array | Float32Array): (label: Float64Array) => number {
  return label => {
    let total = 0
    for (let row = 0; row < label.length; row++) total += (label[row] as number) * (predicted[row] as number)
    return total / label.length
  }
}

type Span = { readonly from: number; readonly to: number }

/** Where each symbol's rows are. */
function spansOf(symbol: ArrayLike<number>, rows: number): readonly Span[] {
  const spans: Span[] = []
  let from = 0
  for (let row = 1; row <= rows; row++) {
    if (row < rows && symbol[row] === symbol[from]) continue
    spans.push({ from, to: row })
    from = row
  }
  return spans
}

function permuteBlocks(
  random: Random,
  blockRows: number,
  { from, to, span }: { readonly from: Float64Array; readonly to: Float64Array; readonly span: Span },
): void {
  const length = span.to - span.from
  const offset = random.below(length)
  const order = Int32Array.from({ length: Math.ceil(length / blockRows) }, (_, block) => block)
  random.shuffle(order)
  let at = span.from
  for (const block of order) {
    const end = Math.min(length, (block + 1) * blockRows)
    for (let i = block * blockRows; i < end; i++)
      to[at++] = from[span.from + ((i + offset) % length)] as number
  }
}
