/** The only place that reads the time of day. Everything else is given a `Clock`. */
export type Clock = {
  /** Epoch milliseconds, UTC. */
  readonly now: () => number
}

export const systemClock: Clock = { now: () => Date.now() }

/** RFC 3339 in UTC with milliseconds. @param ms epoch milliseconds */
export const toRfc3339 = (ms: number): string => new Date(ms).toISOString()

/** As {@link toRfc3339}, null staying null. */
export const toRfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : toRfc3339(ms))
