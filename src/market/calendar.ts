import { zoneOf } from './calendar-zone.ts'
import { dayMs } from './timeframe.ts'

/** One trading session. Its date is the exchange's; a session may open on the evening before. */
export type Session = {
  /** 00:00 UTC of the session's date, epoch ms. */
  readonly dateMs: number
  /** Epoch ms UTC. */
  readonly openMs: number
  /** Epoch ms UTC, exclusive. */
  readonly closeMs: number
  /** It closes earlier than other sessions. */
  readonly isHalfDay: boolean
}

/** Why a date has no session. */
export type Closure = { readonly reason: 'weekend' | 'holiday'; readonly name: string }

/** When a market is open. Plain data, so that it can be configured and handed to threads. */
export type CalendarDefinition = {
  /** Letters, digits and dashes, e.g. `XNYS`. */
  readonly name: string
  readonly title: string
  /** IANA zone of the hours below. */
  readonly timezone: string
  /** `HH:MM` local. */
  readonly open: string
  /** `HH:MM` local; `24:00` is the end of the day. */
  readonly close: string
  /** The session opens on the day before its date, as forex does. */
  readonly opens_day_before: boolean
  /** Days of the week that have sessions, 1 = Monday … 7 = Sunday. */
  readonly weekdays: readonly number[]
  /** Dates (`YYYY-MM-DD`) without a session that their weekday would have, and why. */
  readonly holidays: Readonly<Record<string, string>>
  /** Dates whose session closes earlier, `HH:MM` local. */
  readonly early_closes: Readonly<Record<string, string>>
}

/** The sessions of a market. All times are epoch ms UTC; answers do not depend on the zone of the machine. */
export type Calendar = {
  readonly name: string
  readonly title: string
  readonly timezone: string
  /** The session of a date given as its 00:00 UTC, or null when the market stays closed. */
  sessionOn(dateMs: number): Session | null
  /** Why a date has no session; null when it has one. */
  closureOn(dateMs: number): Closure | null
  /** The session that is open at an instant, or null. */
  sessionAt(timeMs: number): Session | null
  /** Sessions that are open at some instant of [startMs, endMs), oldest first. */
  sessionsBetween(startMs: number, endMs: number): Session[]
  /** 00:00 UTC of the date that the market's own clock shows at an instant. */
  localDateMs(timeMs: number): number
}

const minuteMs = 60_000
/** Sessions are remembered up to this many dates: 100 years. */
const maxRemembered = 36_525

/** The day of the week of a date given as its 00:00 UTC, 1 = Monday … 7 = Sunday. */
export function weekdayOf(dateMs: number): number {
  // 1 January 1970 was a Thursday.
  return ((((Math.floor(dateMs / dayMs) + 3) % 7) + 7) % 7) + 1
}

/**
 * The calendar of a definition. Local hours become instants through the zone of the definition: a session
 * keeps its local hours when the clocks change. Sessions are worked out when they are first asked for.
 * @param definition valid, as `parseCalendarDefinitions` returns it
 */
export function buildCalendar(definition: CalendarDefinition): Calendar {
  const { name, title, timezone } = definition
  const zone = zoneOf(timezone)
  const localDateMs = (timeMs: number) => startOfDay(timeMs + zone.offsetMs(timeMs))
  const sessionOn = rememberSessions(definition, zone.utcMs)
  const closureOn = findClosures(definition)
  let latest: Session | null = null

  const sessionAt = (timeMs: number): Session | null => {
    if (latest !== null && timeMs >= latest.openMs && timeMs < latest.closeMs) return latest
    const dateMs = localDateMs(timeMs)
    for (const candidate of definition.opens_day_before ? [dateMs, dateMs + dayMs] : [dateMs]) {
      const session = sessionOn(candidate)
      if (session !== null && timeMs >= session.openMs && timeMs < session.closeMs) {
        latest = session
        return session
      }
    }
    return null
  }

  const sessionsBetween = (startMs: number, endMs: number): Session[] => {
    const sessions: Session[] = []
    if (!(startMs < endMs)) return sessions
    // One date more at the end: the session of the next date may open on the evening before.
    const lastDateMs = localDateMs(endMs) + dayMs
    for (let dateMs = localDateMs(startMs); dateMs <= lastDateMs; dateMs += dayMs) {
      const session = sessionOn(dateMs)
      if (session !== null && session.openMs < endMs && session.closeMs > startMs) sessions.push(session)
    }
    return sessions
  }

  return { name, title, timezone, sessionOn, closureOn, sessionAt, sessionsBetween, localDateMs }
}

const weekdayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const

function findClosures(definition: CalendarDefinition): (dateMs: number) => Closure | null {
  const holidays = byDate(definition.holidays)
  return dateMs => {
    const weekday = weekdayOf(dateMs)
    if (!definition.weekdays.includes(weekday))
      return { reason: 'weekend', name: weekdayNames[weekday - 1] ?? 'weekend' }
    const name = holidays.get(startOfDay(dateMs))
    return name === undefined ? null : { reason: 'holiday', name }
  }
}

function rememberSessions(definition: CalendarDefinition, utcMs: (localMs: number) => number) {
  const openMs = clockMs(definition.open) - (definition.opens_day_before ? dayMs : 0)
  const closeMs = clockMs(definition.close)
  const holidays = byDate(definition.holidays)
  const earlyCloses = byDate(definition.early_closes)
  const compute = (dateMs: number): Session | null => {
    if (!definition.weekdays.includes(weekdayOf(dateMs)) || holidays.has(dateMs)) return null
    const early = earlyCloses.get(dateMs)
    const localCloseMs = early === undefined ? closeMs : clockMs(early)
    return {
      dateMs,
      openMs: utcMs(dateMs + openMs),
      closeMs: utcMs(dateMs + localCloseMs),
      isHalfDay: localCloseMs < closeMs,
    }
  }
  const remembered = new Map<number, Session | null>()
  return (anyMs: number): Session | null => {
    const dateMs = startOfDay(anyMs)
    const known = remembered.get(dateMs)
    if (known !== undefined) return known
    const session = compute(dateMs)
    if (remembered.size >= maxRemembered) remembered.clear()
    remembered.set(dateMs, session)
    return session
  }
}

function startOfDay(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs
}

/** Milliseconds since local midnight of `HH:MM`. */
function clockMs(text: string): number {
  return (Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))) * minuteMs
}

function byDate(record: Readonly<Record<string, string>>): Map<number, string> {
  return new Map(Object.entries(record).map(([date, value]) => [Date.parse(date), value]))
}
