import { type Calendar, type Session, weekdayOf } from './calendar.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/** A place for one bar: its `time` (open time, or the label of 1d, 1w and 1M) and when it is complete. */
export type Slot = { readonly time: number; readonly closeTime: number }

/**
 * Where the bars of a timeframe open and close on a calendar. All times are epoch ms UTC.
 * Shorter than a day: slots begin at the open of the session and step by the duration; the last one closes
 * with the session, however short that leaves it.
 * 1d: one slot per session, labelled 00:00 UTC of the session's date. 1w: the sessions of an ISO week,
 * labelled its Monday. 1M: the sessions of a month, labelled its first day. All close with their last session.
 * A slot always closes after its `time`: where a session far east of Greenwich is over before 00:00 UTC of its
 * own date, the slot closes a minute after that.
 */
export type BarGrid = {
  /** The slot open at an instant; null outside sessions. Fastest for times that increase. */
  slotAt(timeMs: number): Slot | null
  /**
   * When a bar stored with this open time or label is complete.
   * Shorter than a day: open + duration or the close of the session it opens in, whichever is first; outside
   * sessions open + duration. 1d, 1w, 1M: the close of the slot that `sessionDateOf` the label is in. Where it has
   * no session or is already closed at the label: label + duration, for 1M the first of the next month.
   */
  closeTimeOf(openTimeMs: number): number
  /** Expected slots with `time` in [startMs, endMs), both finite; oldest first, worked out one by one. */
  slots(startMs: number, endMs: number): Iterable<Slot>
  /** How many `slots` there are; looks at sessions, never at single intraday slots. */
  count(startMs: number, endMs: number): number
}

/** The grid of a timeframe. It remembers where it was: give each loop one of its own. */
export function gridOf(calendar: Calendar, timeframe: Timeframe): BarGrid {
  const { durationMs } = timeframes[timeframe]
  if (durationMs !== null && durationMs < dayMs) return intradayGrid(calendar, durationMs)
  return labelledGrid(calendar, periodOf(timeframe))
}

/** The slot of a bar, and until when bars that open later are in the same slot. */
export type Placement = { readonly slot: Slot; readonly untilMs: number }

/**
 * Where *stored* bars of `from` belong on the grid of the longer timeframe `to`: by their open time, daily bars
 * by their session date. Null when no session is open then. Fastest for times that increase.
 */
export function placeBars(
  calendar: Calendar,
  from: Timeframe,
  to: Timeframe,
): (timeMs: number) => Placement | null {
  const grid = gridOf(calendar, to)
  if (isIntraday(to)) {
    return timeMs => {
      const slot = grid.slotAt(timeMs)
      return slot === null ? null : { slot, untilMs: slot.closeTime }
    }
  }
  const byDate = !isIntraday(from)
  return timeMs => {
    const session = byDate
      ? calendar.sessionOn(sessionDateOf(calendar, timeMs))
      : grid.slotAt(timeMs) && calendar.sessionAt(timeMs)
    const slot = session === null ? null : grid.slotAt(session.openMs)
    if (session === null || slot === null) return null
    return { slot, untilMs: byDate ? timeMs : session.closeMs }
  }
}

/**
 * The session date that a stored daily, weekly or monthly bar is labelled with, as its 00:00 UTC: a label at
 * 00:00 UTC is that date; any other is the date of the session open then, or else the date of the market's clock.
 */
export function sessionDateOf(calendar: Calendar, labelMs: number): number {
  if (labelMs % dayMs === 0) return labelMs
  return calendar.sessionAt(labelMs)?.dateMs ?? calendar.localDateMs(labelMs)
}

/** Whether bars of a timeframe are shorter than a day, so that their `time` is an instant and no label. */
export function isIntraday(timeframe: Timeframe): boolean {
  const { durationMs } = timeframes[timeframe]
  return durationMs !== null && durationMs < dayMs
}

function intradayGrid(calendar: Calendar, durationMs: number): BarGrid {
  const sessionAt = followSessions(calendar)
  const slotIn = (session: Session, timeMs: number): Slot => {
    const time = session.openMs + Math.floor((timeMs - session.openMs) / durationMs) * durationMs
    return { time, closeTime: Math.min(time + durationMs, session.closeMs) }
  }
  /** Index of the first slot of a session with time ≥ timeMs. */
  const indexAt = (session: Session, timeMs: number) =>
    Math.max(0, Math.ceil((Math.min(timeMs, session.closeMs) - session.openMs) / durationMs))
  return {
    slotAt(timeMs) {
      const session = sessionAt(timeMs)
      return session === null ? null : slotIn(session, timeMs)
    },
    closeTimeOf(openTimeMs) {
      const session = sessionAt(openTimeMs)
      const closeTime = openTimeMs + durationMs
      return session !== null && session.closeMs < closeTime ? session.closeMs : closeTime
    },
    *slots(startMs, endMs) {
      for (const session of sessionsFrom(calendar, startMs, endMs)) {
        const until = Math.min(session.closeMs, endMs)
        let time = session.openMs + indexAt(session, startMs) * durationMs
        for (; time < until; time += durationMs)
          yield { time, closeTime: Math.min(time + durationMs, session.closeMs) }
      }
    },
    count(startMs, endMs) {
      let count = 0
      for (const session of sessionsFrom(calendar, startMs, endMs))
        count += Math.max(0, indexAt(session, endMs) - indexAt(session, startMs))
      return count
    },
  }
}

/** Dates that make one bar: [firstMs, nextMs), both 00:00 UTC; the label is `firstMs`. */
type Period = (dateMs: number) => { readonly firstMs: number; readonly nextMs: number }

function periodOf(timeframe: Timeframe): Period {
  if (timeframe === '1M') {
    return dateMs => {
      const date = new Date(dateMs)
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
      return { firstMs: Date.UTC(year, month, 1), nextMs: Date.UTC(year, month + 1, 1) }
    }
  }
  if (timeframe === '1w') {
    return dateMs => {
      const firstMs = dateMs - (weekdayOf(dateMs) - 1) * dayMs
      return { firstMs, nextMs: firstMs + 7 * dayMs }
    }
  }
  return dateMs => ({ firstMs: dateMs, nextMs: dateMs + dayMs })
}

function labelledGrid(calendar: Calendar, period: Period): BarGrid {
  const sessionAt = followSessions(calendar)
  let latest: { firstMs: number; nextMs: number; slot: Slot | null } = { firstMs: 0, nextMs: 0, slot: null }
  /** The slot of the period a date is in; null when it has no session. */
  const slotOn = (dateMs: number): Slot | null => {
    if (!(dateMs >= latest.firstMs && dateMs < latest.nextMs)) {
      const { firstMs, nextMs } = period(dateMs)
      latest = { firstMs, nextMs, slot: readSlot(calendar, firstMs, nextMs) }
    }
    return latest.slot
  }
  function* slots(startMs: number, endMs: number): Generator<Slot> {
    let dateMs = period(Math.ceil(startMs / dayMs) * dayMs).firstMs
    while (dateMs < endMs) {
      const slot = dateMs >= startMs ? slotOn(dateMs) : null
      if (slot !== null) yield slot
      dateMs = period(dateMs).nextMs
    }
  }
  return {
    slotAt(timeMs) {
      const session = sessionAt(timeMs)
      return session === null ? null : slotOn(session.dateMs)
    },
    closeTimeOf(openTimeMs) {
      const dateMs = sessionDateOf(calendar, openTimeMs)
      const slot = slotOn(dateMs)
      if (slot !== null && slot.closeTime > openTimeMs) return slot.closeTime
      const { firstMs, nextMs } = period(Math.floor(openTimeMs / dayMs) * dayMs)
      // A week or a day lasts as long from wherever it is labelled; a month ends with the calendar's.
      return nextMs - firstMs > 7 * dayMs ? nextMs : openTimeMs + (nextMs - firstMs)
    },
    slots,
    count(startMs, endMs) {
      let count = 0
      for (const _slot of slots(startMs, endMs)) count++
      return count
    },
  }
}

const minuteMs = 60_000

function readSlot(calendar: Calendar, firstMs: number, nextMs: number): Slot | null {
  for (let dateMs = nextMs - dayMs; dateMs >= firstMs; dateMs -= dayMs) {
    const session = calendar.sessionOn(dateMs)
    if (session !== null) return { time: firstMs, closeTime: Math.max(session.closeMs, firstMs + minuteMs) }
  }
  return null
}

/** Sessions with slots that open in [startMs, endMs), oldest first, one at a time. */
function* sessionsFrom(calendar: Calendar, startMs: number, endMs: number): Generator<Session> {
  if (!(startMs < endMs)) return
  for (let dateMs = calendar.localDateMs(startMs); ; dateMs += dayMs) {
    const session = calendar.sessionOn(dateMs)
    if (session !== null && session.openMs < endMs && session.closeMs > startMs) yield session
    // No session opens more than a day before its date, and no clock is a day off UTC.
    if (dateMs > endMs + 2 * dayMs) return
  }
}

/** Sessions by instant, remembering the session or the pause that the last instant was in. */
function followSessions(calendar: Calendar): (timeMs: number) => Session | null {
  let [fromMs, toMs] = [0, 0]
  let session: Session | null = null
  return timeMs => {
    if (timeMs >= fromMs && timeMs < toMs) return session
    session = calendar.sessionAt(timeMs)
    fromMs = session === null ? timeMs : session.openMs
    toMs = session === null ? nextOpen(calendar, timeMs) : session.closeMs
    return session
  }
}

/** When the pause at an instant ends, or the instant itself when no session opens within a week. */
function nextOpen(calendar: Calendar, timeMs: number): number {
  const today = calendar.localDateMs(timeMs)
  for (let dateMs = today; dateMs <= today + 7 * dayMs; dateMs += dayMs) {
    const session = calendar.sessionOn(dateMs)
    if (session !== null && session.openMs > timeMs) return session.openMs
  }
  return timeMs
}
