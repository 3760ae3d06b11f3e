import type { FeatureColumn } from '../features/feature-matrix.ts'
import type { FeatureTable } from '../features/feature-table.ts'
import type { Labels } from '../labels/label.ts'
import type { Samples } from './samples.ts'

/** A column that is 0 on the bars on which every feature is known, and NaN on the others. */
export function knownBars(
  columns: readonly FeatureColumn[],
  length: number,
  checkpoint: () => void,
): Float64Array {
  const known = new Float64Array(length)
  for (const { values } of columns) {
    checkpoint()
    for (let bar = 0; bar < length; bar++) if (Number.isNaN(values[bar] as number)) known[bar] = Number.NaN
  }
  return known
}

/**
 * Leaves labels only to bars before which enough bars are known: a window is consecutive base bars of one symbol, the
 * bar itself the last of them.
 * @param known as `knownBars` answers it
 * @param range.from first bar that may be in a window  @param range.length bars of a window, ≥ 1
 * @returns a copy, and how many labels of bars that are known themselves were taken away
 */
export function keepWindows(
  labels: Labels,
  known: Float64Array,
  { from, length }: { readonly from: number; readonly length: number },
): { readonly labels: Labels; readonly without: number } {
  const value = labels.value.slice()
  let without = 0
  let complete = 0
  for (let bar = from; bar < value.length; bar++) {
    complete = Number.isNaN(known[bar]) ? 0 : complete + 1
    if (complete >= length || Number.isNaN(value[bar])) continue
    if (complete > 0) without++
    value[bar] = Number.NaN
  }
  return { labels: { ...labels, value }, without }
}

/** Row of the table of every sample. Both have the symbols in the same order and the bars of one oldest first. */
export function tableRows({ rows, symbol, bar }: Samples, table: FeatureTable): Int32Array {
  const found = new Int32Array(rows)
  let at = 0
  for (let row = 0; row < rows; row++) {
    const span = table.symbols[symbol[row] as number]
    if (span === undefined) throw new RangeError(`the table has no symbol ${symbol[row]}`)
    at = Math.max(at, span.from)
    while (at < span.to && (table.bar[at] as number) < (bar[row] as number)) at++
    if (at >= span.to || table.bar[at] !== bar[row])
      throw new RangeError(`the table has no row of ${span.symbol}'s bar ${bar[row]}`)
    found[row] = at
  }
  return found
}
