import { type Bars, firstBarAt, sliceBars } from './bars.ts'

/**
 * `stored` with the span of `fetched` replaced by it: bars before its first and after its last stay as they were.
 * @param fetched at least one bar
 */
export function mergeBars(stored: Bars, fetched: Bars): Bars {
  const first = fetched.time[0] as number
  const last = fetched.time[fetched.length - 1] as number
  const before = sliceBars(stored, null, first)
  const after = sliceBars(stored, stored.time[firstBarAt(stored, last + 1)] ?? Number.POSITIVE_INFINITY, null)
  if (before.length === 0 && after.length === 0) return fetched
  const join = (column: keyof Omit<Bars, 'length'>): Float64Array => {
    const joined = new Float64Array(before.length + fetched.length + after.length)
    joined.set(before[column])
    joined.set(fetched[column], before.length)
    joined.set(after[column], before.length + fetched.length)
    return joined
  }
  return {
    length: before.length + fetched.length + after.length,
    time: join('time'),
    close_time: join('close_time'),
    open: join('open'),
    high: join('high'),
    low: join('low'),
    close: join('close'),
    volume: join('volume'),
  }
}
