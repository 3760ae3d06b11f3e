/**
 * Cramér's V of two columns of classes, 0 (each says nothing of the other) to 1, over the bars that have both:
 * √(χ² / (n · (min(rows, columns) − 1))), counting the classes that occur, without correction for bias.
 * @param a class indexes, NaN where there is none  @param b as many
 * @returns null where one of them is the same on all bars
 * @throws {RangeError} when the lengths differ
 * Source: Cramér 1946, chapter 21.
 */
export function cramersV(a: Float64Array, b: Float64Array): number | null {
  if (a.length !== b.length) throw new RangeError(`${a.length} labels stand beside ${b.length}`)
  const pairs = new Map<number, Map<number, number>>()
  const columns = new Map<number, number>()
  for (let i = 0; i < a.length; i++) {
    const [row, column] = [a[i] as number, b[i] as number]
    if (Number.isNaN(row) || Number.isNaN(column)) continue
    const counts = pairs.get(row) ?? new Map<number, number>()
    pairs.set(row, counts.set(column, (counts.get(column) ?? 0) + 1))
    columns.set(column, (columns.get(column) ?? 0) + 1)
  }
  const least = Math.min(pairs.size, columns.size)
  if (least < 2) return null
  // χ² / n = Σ n_ij² / (n_i · n_j) − 1
  let sum = 0
  for (const counts of pairs.values()) {
    const ofRow = [...counts.values()].reduce((all, count) => all + count, 0)
    for (const [column, count] of counts) sum += (count * count) / (ofRow * (columns.get(column) ?? 1))
  }
  return Math.sqrt(Math.min(1, Math.max(0, sum - 1) / (least - 1)))
}
