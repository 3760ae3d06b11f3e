import { defaultBlock, drawBlocks } from './bootstrap.ts'
import { mean, negligible } from './moments.ts'
import { quantileOf } from './quantile.ts'
import { Random } from './random.ts'

export type IntervalPlan = {
  readonly seed: number
  /** Resamples, ≥ 1. Their count and the length of the series alone decide how long it takes. */
  readonly resamples: number
  /** How much of the resampled ratios lies inside, as 0.95. */
  readonly coverage: number
}

/**
 * Percentile interval of the Sharpe ratio per period by the stationary bootstrap, with blocks of ⌈n^⅓⌉ returns on
 * average. Resamples that do not vary are left out. Each costs one step per block, not per return: a block is two
 * differences of running sums.
 * @returns null for fewer than two returns, or when no resample varies
 */
export function sharpeInterval(
  returns: Float64Array,
  { seed, resamples, coverage }: IntervalPlan,
): { readonly low: number; readonly high: number } | null {
  const { length } = returns
  if (length < 2) return null
  const average = mean(returns)
  const { sums, squares } = runningSums(returns, average)
  // What is left of differences of sums of this size may be rounding alone.
  const least = Math.max(negligible * negligible, (negligible * (squares[length] as number)) / length)
  const random = new Random(seed)
  const plan = { length, block: defaultBlock(length), kind: 'stationary' } as const
  const ratios = new Float64Array(resamples)
  let found = 0
  let sum = 0
  let square = 0
  const take = (from: number, to: number) => {
    sum += (sums[to] as number) - (sums[from] as number)
    square += (squares[to] as number) - (squares[from] as number)
  }
  for (let i = 0; i < resamples; i++) {
    sum = 0
    square = 0
    drawBlocks(random, plan, take)
    const variance = (square - (sum * sum) / length) / (length - 1)
    if (variance > least) ratios[found++] = (average + sum / length) / Math.sqrt(variance)
  }
  if (found === 0) return null
  const sorted = ratios.subarray(0, found).sort()
  const outside = (1 - coverage) / 2
  return { low: quantileOf(sorted, outside), high: quantileOf(sorted, 1 - outside) }
}

/** Sums before each index of the returns less their mean, and of the squares: element n is the sum of all. */
function runningSums(returns: Float64Array, average: number) {
  const sums = new Float64Array(returns.length + 1)
  const squares = new Float64Array(returns.length + 1)
  for (let i = 0; i < returns.length; i++) {
    const difference = (returns[i] as number) - average
    sums[i + 1] = (sums[i] as number) + difference
    squares[i + 1] = (squares[i] as number) + difference * difference
  }
  return { sums, squares }
}
