/** A span of time, epoch ms UTC, half-open: `start` belongs to it, `end` does not. */
export type Interval = { readonly start: number; readonly end: number }

/** A span for which a vendor did not deliver, and why. */
export type FailedInterval = Interval & { readonly reason: string }

/**
 * `intervals` and one more, as few as possible, oldest first: what overlaps or touches becomes one.
 * @param intervals as this function answers them; an empty `added` changes nothing
 */
export function addInterval(intervals: readonly Interval[], added: Interval): Interval[] {
  if (!(added.start < added.end)) return [...intervals]
  const before = intervals.filter(({ end }) => end < added.start)
  const after = intervals.filter(({ start }) => start > added.end)
  const touched = intervals.slice(before.length, intervals.length - after.length)
  const start = Math.min(added.start, ...touched.map(other => other.start))
  const end = Math.max(added.end, ...touched.map(other => other.end))
  return [...before, { start, end }, ...after]
}

/** What is left of each interval outside `taken`, in their order; what `taken` covers whole is gone. */
export function cutInterval<T extends Interval>(intervals: readonly T[], taken: Interval): T[] {
  return intervals.flatMap(interval => {
    if (interval.end <= taken.start || interval.start >= taken.end || !(taken.start < taken.end))
      return [interval]
    const pieces = [
      { ...interval, end: Math.min(interval.end, taken.start) },
      { ...interval, start: Math.max(interval.start, taken.end) },
    ]
    return pieces.filter(({ start, end }) => start < end)
  })
}

/** The parts of `wanted` that none of the intervals covers, oldest first. @param intervals as `addInterval` answers them */
export function uncovered(wanted: Interval, intervals: readonly Interval[]): Interval[] {
  return intervals.reduce(cutInterval, wanted.start < wanted.end ? [wanted] : [])
}

/** The one that holds an instant, or null. @param intervals as `addInterval` answers them */
export function intervalAt<T extends Interval>(intervals: readonly T[], timeMs: number): T | null {
  let low = 0
  let high = intervals.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((intervals[middle] as T).end <= timeMs) low = middle + 1
    else high = middle
  }
  const found = intervals[low]
  return found !== undefined && found.start <= timeMs ? found : null
}

/** At most `count` of them: the longest, in their order. To forget one is safe, to invent one is not. */
export function keepLongest(intervals: readonly Interval[], count: number): Interval[] {
  if (intervals.length <= count) return [...intervals]
  const lengthOf = ({ start, end }: Interval) => end - start
  const longest = new Set([...intervals].sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, count))
  return intervals.filter(interval => longest.has(interval))
}
