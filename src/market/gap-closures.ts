import type { Calendar } from './calendar.ts'
import type { Cause } from './gap-list.ts'
import type { Interval } from './intervals.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/**
 * The closures of a market within a range, oldest first, cut to it. What lies between two sessions is one
 * closure, named after its rarest cause: a holiday before a weekend before the hours between two trading days.
 * A daily bar covers its whole date, so daily closures are the closed dates themselves; weeks and months
 * have none.
 * @param range epoch ms UTC, half-open
 */
export function* findClosures(
  calendar: Calendar,
  timeframe: Timeframe,
  range: Interval,
): Generator<Interval & Cause> {
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null || durationMs > dayMs) return
  const closures = durationMs === dayMs ? closedDates(calendar, range) : betweenSessions(calendar, range)
  for (const { start, end, names, isHoliday } of closures) {
    const cut = { start: Math.max(start, range.start), end: Math.min(end, range.end) }
    if (cut.start >= cut.end) continue
    if (names.length === 0) yield { ...cut, class: 'outside_hours', note: 'between two trading days' }
    else yield { ...cut, class: isHoliday ? 'holiday' : 'weekend', note: names.join(', ') }
  }
}

type Closed = Interval & { readonly names: readonly string[]; readonly isHoliday: boolean }

function* closedDates(calendar: Calendar, range: Interval): Generator<Closed> {
  const end = Math.ceil(range.end / dayMs) * dayMs
  let closed = noDates
  let start = Math.floor(range.start / dayMs) * dayMs
  for (let dateMs = start; dateMs < end; dateMs += dayMs) {
    const more = addDate(closed, calendar, dateMs)
    if (more === closed) {
      if (closed !== noDates) yield { ...closed, start, end: dateMs }
      closed = noDates
      start = dateMs + dayMs
    } else closed = more
  }
  if (closed !== noDates) yield { ...closed, start, end }
}

function* betweenSessions(calendar: Calendar, range: Interval): Generator<Closed> {
  let closed = noDates
  let start = range.start
  // A session may open on the evening before its date: the date after the end is looked at too.
  const lastMs = calendar.localDateMs(range.end) + dayMs
  for (let dateMs = calendar.localDateMs(range.start); dateMs <= lastMs; dateMs += dayMs) {
    const session = calendar.sessionOn(dateMs)
    if (session === null) {
      closed = addDate(closed, calendar, dateMs)
      continue
    }
    if (session.openMs >= range.end) break
    yield { ...closed, start, end: session.openMs }
    closed = noDates
    start = session.closeMs
  }
  yield { ...closed, start, end: range.end }
}

type Dates = { readonly names: readonly string[]; readonly isHoliday: boolean }

const noDates: Dates = { names: [], isHoliday: false }

/** With the closure of one more date; the same object when that date has a session. */
function addDate(closed: Dates, calendar: Calendar, dateMs: number): Dates {
  const closure = calendar.closureOn(dateMs)
  if (closure === null) return closed
  // Beside a holiday the days of the weekend are no news.
  const isHoliday = closed.isHoliday || closure.reason === 'holiday'
  const previous = isHoliday && !closed.isHoliday ? [] : closed.names
  const isNews = isHoliday ? closure.reason === 'holiday' : true
  const names = isNews && !previous.includes(closure.name) ? [...previous, closure.name] : previous
  return { names, isHoliday }
}
