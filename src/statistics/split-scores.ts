import { type BlockSums, firstOf } from './block-sums.ts'

/**
 * The Sharpe ratios of one trial over every half of its blocks. A half is some of the lower blocks and some of the upper:
 * both are summed over all their subsets first, so that a half is one addition whatever the number of blocks.
 */
export class SplitScores {
  /** C(blocks, blocks / 2): the complement of split i is split n − 1 − i. */
  readonly length: number
  /**
   * Of the loaded trial, by split: the sign of the Sharpe ratio and n / (n − 1) of its square, which order as it does.
   * In single precision, so that ratios which differ by rounding alone, as those of 3 × the same returns, are equal.
   */
  readonly score: Float32Array
  private readonly sums: BlockSums
  /** Subsets of half of the blocks as bits, those of fewer blocks first: element `start[k]` is the first of k blocks. */
  private readonly subsets: Int32Array
  private readonly start: Int32Array
  /** 1 / returns, by split. */
  private readonly inverse: Float64Array
  private readonly lower: SubsetSums
  private readonly upper: SubsetSums
  /** Sums of the lower blocks in the order of `subsets`. */
  private readonly lowerSum: Float64Array
  private readonly lowerSquare: Float64Array

  constructor(sums: BlockSums) {
    const width = sums.blocks / 2
    const masks = Int32Array.from({ length: 2 ** width }, (_, mask) => mask)
    this.sums = sums
    this.subsets = masks.sort((a, b) => bitsOf(a) - bitsOf(b) || a - b)
    this.start = Int32Array.from(
      { length: width + 2 },
      (_, bits) => this.subsets.findLastIndex(mask => bitsOf(mask) < bits) + 1,
    )
    this.lower = new SubsetSums(sums, 0)
    this.upper = new SubsetSums(sums, width)
    this.lowerSum = new Float64Array(2 ** width)
    this.lowerSquare = new Float64Array(2 ** width)
    this.inverse = Float64Array.from(this.splits(), half => 1 / periodsOf(half, sums))
    this.length = this.inverse.length
    this.score = new Float32Array(this.length)
  }

  /** Scores a trial. @returns false for a trial without returns, whose scores mean nothing */
  load(trial: number): boolean {
    const { sums, subsets, lower, upper, start, lowerSum, lowerSquare } = this
    if (Number.isNaN(sums.sum[trial * sums.blocks] as number)) return false
    lower.load(trial)
    upper.load(trial)
    for (let k = 0; k < subsets.length; k++) {
      lowerSum[k] = lower.sum[subsets[k] as number] as number
      lowerSquare[k] = lower.square[subsets[k] as number] as number
    }
    let split = 0
    for (let high = 0; high < subsets.length; high++) {
      const wanted = sums.blocks / 2 - bitsOf(high)
      const from = start[wanted] as number
      const to = start[wanted + 1] as number
      this.scoreRun(split, { from, to }, upper.sum[high] as number, upper.square[high] as number)
      split += to - from
    }
    return true
  }

  /** Scores the splits that have the same upper blocks. */
  private scoreRun(split: number, run: { from: number; to: number }, sumAbove: number, squareAbove: number) {
    const { lowerSum, lowerSquare, inverse, score } = this
    for (let k = run.from, i = split; k < run.to; k++, i++) {
      const sum = (lowerSum[k] as number) + sumAbove
      const square = (lowerSquare[k] as number) + squareAbove
      const ofMean = sum * Math.abs(sum) * (inverse[i] as number)
      const spread = square - Math.abs(ofMean)
      // What is left of two nearly equal numbers is rounding: such returns do not vary.
      score[i] = spread > square * rounding ? ofMean / spread : 0
    }
  }

  /** Blocks of every split as bits, in the order of the scores: ascending. */
  private splits(): number[] {
    const width = this.sums.blocks / 2
    const splits: number[] = []
    for (let high = 0; high < 2 ** width; high++) {
      const wanted = width - bitsOf(high)
      for (let k = this.start[wanted] as number; k < (this.start[wanted + 1] as number); k++)
        splits.push((high << width) | (this.subsets[k] as number))
    }
    return splits
  }
}

/** Sums of a trial over every subset of half of its blocks, by the bits of the subset. */
class SubsetSums {
  readonly sum: Float64Array
  readonly square: Float64Array
  private readonly sums: BlockSums
  private readonly first: number

  /** @param first block of the half */
  constructor(sums: BlockSums, first: number) {
    this.sums = sums
    this.first = first
    this.sum = new Float64Array(2 ** (sums.blocks / 2))
    this.square = new Float64Array(2 ** (sums.blocks / 2))
  }

  /** Each subset is a smaller one and its highest block. */
  load(trial: number): void {
    const { sums, sum, square } = this
    const at = trial * sums.blocks + this.first
    for (let block = 0; block < sums.blocks / 2; block++) {
      const without = 1 << block
      for (let k = 0; k < without; k++) {
        sum[without + k] = (sum[k] as number) + (sums.sum[at + block] as number)
        square[without + k] = (square[k] as number) + (sums.square[at + block] as number)
      }
    }
  }
}

/** Returns in the blocks of a split. */
function periodsOf(split: number, sums: BlockSums): number {
  let periods = 0
  for (let block = 0; block < sums.blocks; block++)
    if ((split >>> block) & 1) periods += firstOf(block + 1, sums) - firstOf(block, sums)
  return periods
}

function bitsOf(mask: number): number {
  let bits = 0
  for (let rest = mask; rest > 0; rest >>>= 1) bits += rest & 1
  return bits
}

const rounding = 1e-13
