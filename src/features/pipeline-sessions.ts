import type { Bars } from '../market/bars.ts'
import type { Calendar } from '../market/calendar.ts'
import { dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import type { SessionBars } from './pipeline-columns.ts'

/**
 * Intraday bars with the date of the session each opens in, as epoch ms; outside of sessions the UTC day. Longer bars
 * are sessions of their own and stay as they are.
 */
export function withSessions(bars: Bars, calendar: Calendar, timeframe: Timeframe): SessionBars {
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null || durationMs >= dayMs) return bars
  const session = new Float64Array(bars.length)
  let current = calendar.sessionAt(bars.time[0] ?? 0)
  for (let i = 0; i < bars.length; i++) {
    const time = bars.time[i] as number
    const isInside = current !== null && time >= current.openMs && time < current.closeMs
    if (!isInside) current = calendar.sessionAt(time)
    session[i] = current?.dateMs ?? Math.floor(time / dayMs) * dayMs
  }
  return { ...bars, session }
}

/** `part`, which is the beginning of `whole`, with as many of its sessions. */
export function keepSessions(part: SessionBars, { session }: SessionBars): SessionBars {
  return session === undefined ? part : { ...part, session: session.subarray(0, part.length) }
}
