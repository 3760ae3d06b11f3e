import type { EquityCurve } from './equity.ts'

/**
 * Simple returns of the equity from period to period, the first one from the initial capital.
 * @param ends the points at which the periods end, as `periodEnds` finds them
 * @returns fractions, oldest first
 */
export function equityReturns(curve: EquityCurve, initialCapital: number, ends: Int32Array): Float64Array {
  return returnsBetween(curve.equity, initialCapital, ends)
}

/** Returns of any values above 0 at these points, the first one from `start`. */
export function returnsBetween(values: Float64Array, start: number, ends: Int32Array): Float64Array {
  const returns = new Float64Array(ends.length)
  let previous = start
  for (let k = 0; k < ends.length; k++) {
    const value = values[ends[k] as number] as number
    returns[k] = value / previous - 1
    previous = value
  }
  return returns
}
