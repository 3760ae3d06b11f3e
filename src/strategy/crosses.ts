import type { NumericNode } from './ast.ts'
import type { Stretch, TruthStretch } from './column-loops.ts'
import { blockBars } from './column-scratch.ts'

/** Where two columns cross in a block: found once, however many rules ask for it and in which direction. */
class CrossedPair {
  private readonly ups = new Int32Array(blockBars)
  private readonly downs = new Int32Array(blockBars)
  private upCount = 0
  private downCount = 0
  /** Whether the crosses of this block have been found. */
  isKnown = false

  /** The next block begins. */
  forget(): void {
    this.isKnown = false
  }

  /**
   * Looks at `count` elements and the one before them, with which both stretches begin. The first column rises above the
   * second where it was not above it one element before and now is; where one of the four is NaN, it does not.
   */
  find(first: Stretch, second: Stretch, count: number): void {
    const { ups, downs } = this
    // From 0 on an element is found without an addition that has to be checked.
    const a = first.values.subarray(first.at, first.at + count + 1)
    const b = second.values.subarray(second.at, second.at + count + 1)
    let upCount = 0
    let downCount = 0
    // Crosses are rare: loops that only look whether the present side goes on are quicker than one that writes.
    for (let i = 0; i <= count; ) {
      const isAbove = (a[i] as number) > (b[i] as number)
      const isBelow = (a[i] as number) < (b[i] as number)
      const isEqual = a[i] === b[i]
      i++
      if (isAbove) while (i <= count && (a[i] as number) > (b[i] as number)) i++
      else if (isBelow) while (i <= count && (a[i] as number) < (b[i] as number)) i++
      else if (!isEqual) continue
      if (i > count) break
      if (!isAbove && (a[i] as number) > (b[i] as number)) ups[upCount++] = i - 1
      else if (!isBelow && (a[i] as number) < (b[i] as number)) downs[downCount++] = i - 1
    }
    this.upCount = upCount
    this.downCount = downCount
    this.isKnown = true
  }

  /** Writes `count` truths: whether the first column rises above the second there, or the second above the first. */
  write(direction: 'up' | 'down', { truths, at }: TruthStretch, count: number): void {
    truths.fill(0, at, at + count)
    const found = direction === 'up' ? this.ups : this.downs
    const foundCount = direction === 'up' ? this.upCount : this.downCount
    for (let k = 0; k < foundCount; k++) truths[at + (found[k] as number)] = 1
  }
}

/** The pairs whose crosses the rules of a strategy look for. */
export class Crosses {
  private readonly pairs = new Map<string, CrossedPair>()

  /** The pair of these operands, in this order. */
  pair(left: NumericNode, right: NumericNode): CrossedPair {
    const key = JSON.stringify([left, right], (name, value) => (name === 'column' ? undefined : value))
    const known = this.pairs.get(key) ?? new CrossedPair()
    this.pairs.set(key, known)
    return known
  }

  /** The next block begins. */
  forget(): void {
    for (const pair of this.pairs.values()) pair.forget()
  }
}
