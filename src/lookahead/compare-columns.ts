import { columnId, type NamedColumn } from './named-column.ts'

/** How a column that was computed without the bars after a cut differs from the same column computed with them. */
export type Difference = {
  /** Index of the oldest bar with another value. */
  readonly firstBar: number
  /** How many bars before the last known one that is; 0 is the last one. */
  readonly barsBack: number
  readonly whole: number
  readonly truncated: number
  readonly barsDiffering: number
  /** Greatest difference of two numbers; null where a number stands against none. */
  readonly largest: number | null
}

/**
 * Compares every bar of the truncated column, bit for bit: NaN equals NaN, and −0 is not 0.
 * @returns null when nothing differs
 * @throws {TypeError} when the columns do not stand on the same bars: the source made them otherwise
 */
export function compareColumns(whole: NamedColumn, truncated: NamedColumn): Difference | null {
  const { length } = truncated.bars
  if (
    truncated.values.length !== length ||
    whole.values.length !== whole.bars.length ||
    length > whole.bars.length
  )
    throw new TypeError(`${columnId(truncated)} has ${truncated.values.length} values for ${length} bars`)
  let firstBar = -1
  let barsDiffering = 0
  let largest: number | null = null
  for (let i = 0; i < length; i++) {
    const before = whole.values[i] as number
    const after = truncated.values[i] as number
    if (isSame(before, after)) continue
    if (firstBar < 0) firstBar = i
    barsDiffering++
    const size = Math.abs(before - after)
    if (Number.isFinite(size)) largest = Math.max(largest ?? 0, size)
  }
  if (firstBar < 0) return null
  return {
    firstBar,
    barsBack: length - 1 - firstBar,
    whole: whole.values[firstBar] as number,
    truncated: truncated.values[firstBar] as number,
    barsDiffering,
    largest,
  }
}

function isSame(a: number, b: number): boolean {
  // The first comparison settles nearly all bars; zeros and NaN need a second look.
  return a === b ? a !== 0 || Object.is(a, b) : Number.isNaN(a) && Number.isNaN(b)
}
