import { Problem } from '../problems.ts'

/** Fewer blocks have hardly any splits; more have too many: C(20, 10) = 184,756. */
export const blockLimits = { min: 2, max: 20 } as const

/**
 * What is kept of the returns of many trials to split them in all ways: sums over blocks of time. 16 blocks of
 * 10,000 trials are 2.6 MB, however long the returns are.
 */
export type BlockSums = {
  readonly trials: number
  /** Even. */
  readonly blocks: number
  /** Returns of a trial. */
  readonly periods: number
  /** Σ of the returns of a block: element trial · blocks + block. NaN for a trial without returns. */
  readonly sum: Float64Array
  /** Σ of their squares. */
  readonly square: Float64Array
}

/**
 * Room for the sums of `trials` trials of `periods` returns each; every trial is without returns until it is written.
 * @throws {Problem} 'params-invalid' unless blocks is even, 2–20, and every block gets a return
 */
export function allocateBlockSums(trials: number, periods: number, blocks: number): BlockSums {
  const isEven = Number.isInteger(blocks) && blocks % 2 === 0
  if (!isEven || blocks < blockLimits.min || blocks > blockLimits.max) {
    throw new Problem('params-invalid', `${blocks} is not a number of blocks`, {
      hint: `Use an even number from ${blockLimits.min} to ${blockLimits.max}; 16 is usual.`,
    })
  }
  if (periods < 2 * blocks) {
    throw new Problem('params-invalid', `${periods} returns are too few for ${blocks} blocks`, {
      hint: 'Every block needs two returns: use fewer blocks or a longer range.',
    })
  }
  const sum = new Float64Array(trials * blocks).fill(Number.NaN)
  return { trials, blocks, periods, sum, square: sum.slice() }
}

/**
 * Writes the sums of one trial. Blocks follow each other in time and differ by at most one return.
 * A return that is not finite, as after ruin, leaves the trial without returns.
 * @param returns of the trial, oldest first, `periods` of them, the same times for every trial
 */
export function writeBlockSums(sums: BlockSums, trial: number, returns: Float64Array): void {
  const { blocks, periods, sum, square } = sums
  if (returns.length !== periods) {
    throw new Problem('params-invalid', `trial ${trial} has ${returns.length} returns, not ${periods}`, {
      hint: 'All trials must be measured on the same range and frequency.',
    })
  }
  const isComplete = returns.every(Number.isFinite)
  for (let block = 0; block < blocks; block++) {
    const to = firstOf(block + 1, sums)
    let total = 0
    let squares = 0
    for (let i = firstOf(block, sums); i < to; i++) {
      const value = returns[i] as number
      total += value
      squares += value * value
    }
    sum[trial * blocks + block] = isComplete ? total : Number.NaN
    square[trial * blocks + block] = isComplete ? squares : Number.NaN
  }
}

/** Index of the first return of a block. */
export function firstOf(block: number, { periods, blocks }: BlockSums): number {
  return Math.floor((block * periods) / blocks)
}
