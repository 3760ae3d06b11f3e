/**
 * The median of the first `length` values, which are rearranged: Hoare's selection, O(length) on average,
 * runs of equal values and sorted input included. Of an even number the mean of the middle two.
 * @param values finite  @returns NaN when `length` is 0
 */
export function medianInPlace(values: Float64Array, length = values.length): number {
  if (length === 0) return Number.NaN
  const middle = length >>> 1
  const upper = select(values, length, middle)
  if (length % 2 === 1) return upper
  // Everything left of the middle is at most `upper` now.
  let lower = values[0] as number
  for (let i = 1; i < middle; i++) lower = Math.max(lower, values[i] as number)
  return (lower + upper) / 2
}

/** The k-th smallest (0-based); afterwards smaller ones stand left of position k and larger ones right. */
function select(values: Float64Array, length: number, k: number): number {
  let left = 0
  let right = length - 1
  while (left < right) {
    const pivot = pivotOf(values, left, right)
    let i = left
    let j = right
    while (i <= j) {
      while ((values[i] as number) < pivot) i++
      while ((values[j] as number) > pivot) j--
      if (i > j) break
      const swapped = values[i] as number
      values[i++] = values[j] as number
      values[j--] = swapped
    }
    if (k <= j) right = j
    else if (k >= i) left = i
    else break
  }
  return values[k] as number
}

/** The median of the first, middle and last value. */
function pivotOf(values: Float64Array, left: number, right: number): number {
  const [a, b, c] = [values[left], values[(left + right) >>> 1], values[right]] as [number, number, number]
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}
