import type { Random } from './random.ts'

/** How a series is resampled in blocks, so that what follows what stays in the sample. */
export type BlockPlan = {
  /** Values of the series, ≥ 1; a resample has as many. */
  readonly length: number
  /** Values of a block, ≥ 1: the mean of them where the lengths are random. Longer than the series means the series. */
  readonly block: number
  /** `stationary`: geometric lengths (Politis and Romano 1994); `circular`: all equal (Politis and Romano 1992). */
  readonly kind: 'stationary' | 'circular'
}

/**
 * Draws one resample. Blocks start anywhere with equal chance and go on at the beginning past the end.
 * @param take gets pieces `from` ≤ i < `to` of the series, in order, `length` values in all
 */
export function drawBlocks(random: Random, plan: BlockPlan, take: (from: number, to: number) => void): void {
  const { length, kind } = plan
  const block = Math.min(Math.max(1, plan.block), length)
  const logStay = Math.log1p(-1 / block)
  let left = length
  while (left > 0) {
    let start = random.below(length)
    const drawn = kind === 'circular' ? Math.round(block) : geometric(random, logStay)
    let count = Math.min(drawn, left)
    left -= count
    while (count > 0) {
      const piece = Math.min(count, length - start)
      take(start, start + piece)
      count -= piece
      start = 0
    }
  }
}

/** One resample as indexes into the series, written to `out`, which is as long as the series. */
export function drawIndexes(random: Random, plan: BlockPlan, out: Int32Array): void {
  let written = 0
  drawBlocks(random, plan, (from, to) => {
    for (let i = from; i < to; i++) out[written++] = i
  })
}

/** A block length of the best order for a sample of this size: ⌈n^⅓⌉ (Hall, Horowitz and Jing 1995). */
export function defaultBlock(length: number): number {
  return Math.max(1, Math.ceil(Math.cbrt(length)))
}

/** Number of trials up to the first success, ≥ 1. @param logStay log of the chance of no success */
function geometric(random: Random, logStay: number): number {
  if (logStay === Number.NEGATIVE_INFINITY) return 1
  // 1 − u is never 0.
  return 1 + Math.floor(Math.log(1 - random.uniform()) / logStay)
}
