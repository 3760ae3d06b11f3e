import type { Cause } from './gap-list.ts'
import { cutInterval, type FailedInterval, type Interval, intervalAt } from './intervals.ts'

const vendorHadNone: Cause = { class: 'vendor_had_none', note: 'asked for; the vendor had no bars' }
const neverAsked: Cause = { class: 'unexpected', note: 'never asked for, or missing in an import' }

/** Why a bar with some open time is missing, and the open time (exclusive) until which the answer holds. */
export type CauseSpan = { readonly cause: Cause; readonly until: number }

/**
 * What became of the requests for a time. Remembers the last answer: fastest for times that increase.
 * @param requests `fetched` oldest first and apart; `failed` in any order, where they overlap the later entry holds
 */
export function makeCauses(requests: {
  readonly fetched: readonly Interval[]
  readonly failed: readonly FailedInterval[]
}): (timeMs: number) => CauseSpan {
  const { fetched } = requests
  const failed = requests.failed
    .reduce<FailedInterval[]>((earlier, later) => [...cutInterval(earlier, later), later], [])
    .sort((a, b) => a.start - b.start)
  const edges = Float64Array.from([...fetched, ...failed].flatMap(({ start, end }) => [start, end])).sort()
  let from = Number.POSITIVE_INFINITY
  let latest: CauseSpan = { cause: neverAsked, until: from }
  return timeMs => {
    if (timeMs >= from && timeMs < latest.until) return latest
    from = timeMs
    latest = { cause: causeAt(timeMs), until: edgeAfter(edges, timeMs) }
    return latest
  }

  function causeAt(timeMs: number): Cause {
    if (intervalAt(fetched, timeMs) !== null) return vendorHadNone
    const failure = intervalAt(failed, timeMs)
    return failure === null ? neverAsked : { class: 'fetch_failed', note: failure.reason }
  }
}

/** The first edge later than a time; infinity when there is none. */
function edgeAfter(edges: Float64Array, timeMs: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((edges[middle] as number) <= timeMs) low = middle + 1
    else high = middle
  }
  return edges[low] ?? Number.POSITIVE_INFINITY
}
