/**
 * Indexes of points that draw the same line as all of them: in each of equally long stretches the first, the lowest,
 * the highest and the last, so that no peak and no trough is lost.
 * @param values of the line, NaN where it is interrupted
 * @param maxPoints ≥ 4; as many indexes or fewer, ascending, the first and the last point among them
 */
export function thinOut(values: Float64Array, maxPoints: number): Int32Array {
  const { length } = values
  if (length <= maxPoints) return Int32Array.from({ length }, (_, i) => i)
  const stretches = Math.floor(maxPoints / 4)
  const chosen = new Set<number>()
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * length) / stretches)
    const to = Math.floor(((stretch + 1) * length) / stretches)
    let [lowest, highest] = [from, from]
    let [low, high] = [values[from] as number, values[from] as number]
    for (let i = from + 1; i < to; i++) {
      const value = values[i] as number
      if (value < low) {
        low = value
        lowest = i
      } else if (value > high) {
        high = value
        highest = i
      }
    }
    for (const i of [from, lowest, highest, to - 1]) chosen.add(i)
  }
  return Int32Array.from(chosen).sort()
}
