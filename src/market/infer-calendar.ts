import { gridOf, isIntraday, sessionDateOf } from './bar-grid.ts'
import type { Calendar } from './calendar.ts'
import type { Calendars } from './calendars.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/** This share of the bars must be where New York trades. */
const insideShare = 0.99
/** At most this share of New York's holidays may carry bars. */
const holidayShare = 0.1
/** The greatest chance allowed that a market open on those holidays has no bars on them merely by luck. */
const luck = 0.01
/** A market open every day has at least this share of the weekend bars that its hours promise. */
const weekendShare = 0.6
/** Less of a Saturday than this says nothing about weekends. */
const enoughSaturdayMs = dayMs / 2

/**
 * The calendar that bars without one seem to follow; only the built-in calendars are considered.
 * - `XNYS`: 99 % of the bars are in its sessions (intraday: within regular hours, on two dates or more; daily:
 *   on session dates) and its holidays carry none. Weekdays alone do not tell it from `24-5`, so daily bars need
 *   holidays in their span, other than Christmas and New Year's Day: one when no session lacks its bar, more
 *   when many do.
 * - `24-7`: Saturdays, and Sundays where the span has them, carry at least 60 % of the bars of an even week.
 * - `24-5`: otherwise.
 * Where the span has no weekend to tell by, and for weekly and monthly bars, the answer is `24-7`: its bars
 * close last, so a wrong guess uses a bar too late and never too early.
 * @param times open times or labels, epoch ms UTC, oldest first
 */
export function inferCalendar(times: Float64Array, timeframe: Timeframe, calendars: Calendars): string {
  const { durationMs } = timeframes[timeframe]
  if (times.length === 0 || durationMs === null || durationMs > dayMs) return '24-7'
  if (followsNewYork(times, timeframe, calendars.get('XNYS'))) return 'XNYS'
  const spanStart = times[0] as number
  const spanEnd = (times[times.length - 1] as number) + durationMs
  if (timeOn(saturday, spanStart, spanEnd) < enoughSaturdayMs) return '24-7'
  const open = [saturday, sunday].every(day => {
    const expected = timeOn(day, spanStart, spanEnd) / (spanEnd - spanStart)
    return countOn(day, times) / times.length >= weekendShare * expected
  })
  return open ? '24-7' : '24-5'
}

/** Days of the week as 1970-01-01, a Thursday, counts them: day number modulo 7. */
const saturday = 2
const sunday = 3

/** Milliseconds of [startMs, endMs) that are on a day of the week in UTC. */
function timeOn(weekday: number, startMs: number, endMs: number): number {
  const since = (timeMs: number) => {
    const weeks = Math.floor((timeMs - weekday * dayMs) / (7 * dayMs))
    const intoWeekMs = timeMs - weekday * dayMs - weeks * 7 * dayMs
    return weeks * dayMs + Math.min(intoWeekMs, dayMs)
  }
  return since(endMs) - since(startMs)
}

function countOn(weekday: number, times: Float64Array): number {
  let count = 0
  for (const time of times) {
    if ((((Math.floor(time / dayMs) - weekday) % 7) + 7) % 7 === 0) count++
  }
  return count
}

function followsNewYork(times: Float64Array, timeframe: Timeframe, calendar: Calendar): boolean {
  const intraday = isIntraday(timeframe)
  const { inside, dates } = intraday ? lookAtHours(times, calendar) : lookAtDates(times, calendar)
  if (inside < insideShare * times.length) return false
  const { sessions, holidays, withBars } = holidaysWithin(calendar, dates)
  if (withBars > holidayShare * holidays) return false
  return intraday ? dates.size >= 2 : holidays > 0 && (1 - inside / sessions) ** holidays <= luck
}

/** Bars in sessions, and the dates on the market's clock that carry any bar, oldest first. */
type Seen = { readonly inside: number; readonly dates: ReadonlySet<number> }

function lookAtHours(times: Float64Array, calendar: Calendar): Seen {
  const grid = gridOf(calendar, '1h')
  const dates = new Set<number>()
  let inside = 0
  for (const time of times) {
    if (grid.slotAt(time) !== null) inside++
    dates.add(calendar.localDateMs(time))
  }
  return { inside, dates }
}

function lookAtDates(times: Float64Array, calendar: Calendar): Seen {
  const dates = new Set<number>()
  let inside = 0
  for (const time of times) {
    const dateMs = sessionDateOf(calendar, time)
    if (calendar.sessionOn(dateMs) !== null) inside++
    dates.add(dateMs)
  }
  return { inside, dates }
}

/** Sessions and telling holidays from the first to the last date, and how many of those have bars. */
function holidaysWithin(calendar: Calendar, dates: ReadonlySet<number>) {
  const ordered = [...dates]
  const [firstMs, lastMs] = [ordered[0] ?? 0, ordered.at(-1) ?? 0]
  let [sessions, holidays, withBars] = [0, 0, 0]
  for (let dateMs = firstMs; dateMs <= lastMs; dateMs += dayMs) {
    const closure = calendar.closureOn(dateMs)
    if (closure === null) sessions++
    if (closure?.reason !== 'holiday' || everywhere.has(closure.name)) continue
    holidays++
    if (dates.has(dateMs)) withBars++
  }
  return { sessions, holidays, withBars }
}

/** Holidays that most markets keep: no bar on them tells nothing. */
const everywhere: ReadonlySet<string> = new Set(["New Year's Day", 'Christmas Day'])
