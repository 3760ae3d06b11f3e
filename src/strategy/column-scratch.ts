/**
 * Bars that a rule is evaluated over at a time: short enough that its intermediate columns stay in the processor's
 * cache, long enough that what is done once per block does not show.
 */
export const blockBars = 2048

/**
 * Intermediate columns of rules, each one block and the bar before it long. They are made when a rule first needs
 * them and used again by every later rule, so that evaluating allocates nothing: at most one of each kind per level of
 * nesting, some kilobytes for a usual rule. Not to be shared by rules that are evaluated in turns.
 */
export class RuleScratch {
  private readonly numberColumns: Float64Array[] = []
  private readonly truthColumns: Uint8Array[] = []

  /** The column of numbers at a level of nesting, from 0. */
  numbers(level: number): Float64Array {
    const known = this.numberColumns[level]
    if (known !== undefined) return known
    const column = new Float64Array(blockBars + 1)
    this.numberColumns[level] = column
    return column
  }

  /** The column of truths at a level of nesting, from 0. */
  truths(level: number): Uint8Array {
    const known = this.truthColumns[level]
    if (known !== undefined) return known
    const column = new Uint8Array(blockBars)
    this.truthColumns[level] = column
    return column
  }
}
