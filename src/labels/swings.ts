import type { Pivot } from '../indicators/zigzag.ts'

/**
 * Turns of the close by a size that changes from bar to bar: the close is back by at least `size` from its extreme.
 * Highs and lows in turn, oldest first; of equal extremes the first; none while `size` is NaN.
 * @param sizes in units of the price, > 0, one per bar, known at its close
 */
export function findSwings(close: Float64Array, sizes: Float64Array): readonly Pivot[] {
  const swings: Pivot[] = []
  let top = 0
  let bottom = 0
  let leg: 'rising' | 'falling' | null = null
  for (let i = 1; i < close.length; i++) {
    const price = close[i] as number
    const size = sizes[i] as number
    if (price > (close[top] as number)) top = i
    if (price < (close[bottom] as number)) bottom = i
    if (leg !== 'falling' && (close[top] as number) - price >= size) {
      swings.push({ index: top, confirmedAt: i, kind: 'high' })
      leg = 'falling'
      bottom = i
    } else if (leg !== 'rising' && price - (close[bottom] as number) >= size) {
      swings.push({ index: bottom, confirmedAt: i, kind: 'low' })
      leg = 'rising'
      top = i
    }
  }
  return swings
}
