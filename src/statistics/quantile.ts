/**
 * The value below which a fraction of the sample lies, between two neighbours in a straight line.
 * @param sorted ascending, finite, at least one  @param fraction 0–1
 * Source: Hyndman and Fan 1996, definition 7; the default of R and NumPy.
 */
export function quantileOf(sorted: Float64Array, fraction: number): number {
  const position = (sorted.length - 1) * fraction
  const index = Math.floor(position)
  const low = sorted[index] as number
  const high = sorted[Math.min(index + 1, sorted.length - 1)] as number
  return low + (high - low) * (position - index)
}
