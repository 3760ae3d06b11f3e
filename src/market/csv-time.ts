/** What the cell of a time column may look like, for error messages. */
export const timeForms =
  'YYYY-MM-DD, ISO 8601, YYYY-MM-DD HH:MM[:SS], YYYYMMDD, DD.MM.YYYY, DD/MM/YYYY or MM/DD/YYYY, 2-Jan-2020, or epoch seconds, milliseconds, microseconds or nanoseconds'

/** How a file writes `03/02/2020`. */
export type DateOrder = 'day_first' | 'month_first'

/** A date that can be read two ways, as epoch ms UTC of each. */
export type AmbiguousTime = { readonly day_first: number; readonly month_first: number }

const numberForm = /^-?\d+(\.\d+)?$/
const compactForm = /^((?:19|20)\d\d)(0[1-9]|1[0-2])(\d\d)(\d\d)(\d\d)(\d\d)$/
const yearFirst = /^(\d{4})(?:([-/.]?)(\d{2})\2(\d{2})|[-/.](\d{1,2})[-/.](\d{1,2}))(?=$|[T ,])/i
const yearLast = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?=$|[T ,])/i
const dayName = /^(\d{1,2})[- ]([a-z]{3,9})\.?,?[- ](\d{4}|\d{2})(?=$|[T ,])/i
const nameDay = /^([a-z]{3,9})\.? (\d{1,2}),? (\d{4})(?=$|[T ,])/i
const clockForm =
  /^[T ,]+(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?|(?=[- ]?[ap]m))[- ]?([ap]m)?\s*(Z|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?|UTC|GMT)?$/i
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * Epoch milliseconds UTC of a cell; both readings when the order of day and month matters and is not given; null
 * when it is not one of `timeForms` or no such day exists. A time without a zone is UTC; dates with dots are
 * day first; eight digits are YYYYMMDD, any other whole number an epoch whose unit follows from its size.
 */
export function parseCsvTime(text: string, order: DateOrder | null): number | AmbiguousTime | null {
  if (numberForm.test(text) && !/^\d{8}$/.test(text)) return parseNumber(text)
  const last = yearLast.exec(text)
  if (last !== null) return parseYearLast(last, text, order)
  const date = parseDate(text)
  if (date === null) return null
  const clockMs = parseClock(text.slice(date.length))
  return clockMs === null ? null : date.dateMs + clockMs
}

/**
 * Epoch milliseconds of an epoch in a unit that its size shows: seconds below 10^11, then milliseconds,
 * microseconds from 10^14 and nanoseconds from 10^17; whatever is below a millisecond is cut off.
 */
export function epochToMs(value: number): number {
  const size = Math.abs(value)
  if (size < 1e11) return Math.round(value * 1000)
  return Math.floor(size < 1e14 ? value : size < 1e17 ? value / 1e3 : value / 1e6)
}

/** Epoch ms of a date at 00:00 UTC, NaN when there is no such day or it is before the year 1000. @param month 1–12 */
export function dateToMs(year: number, month: number, day: number): number {
  if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)))
    return Number.NaN
  // Days before March 1 of year 0, counted in years that begin in March: the leap day comes last.
  const y = month > 2 ? year : year - 1
  const yearDays = 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  const monthDays = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5)
  return (yearDays + monthDays + day - 719_469) * 86_400_000
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function parseNumber(text: string): number | null {
  const compact = compactForm.exec(text)
  if (compact !== null) {
    const [, year, month, day, hour, minute, second] = compact
    const dateMs = dateToMs(Number(year), Number(month), Number(day))
    const clockMs = parseClock(` ${hour}:${minute}:${second}`)
    return Number.isNaN(dateMs) || clockMs === null ? null : dateMs + clockMs
  }
  // Nanoseconds have more digits than a double keeps.
  const timeMs = /^\d{18,}$/.test(text) ? Number(BigInt(text) / 1_000_000n) : epochToMs(Number(text))
  return Math.abs(timeMs) <= 8.64e15 ? timeMs : null
}

function parseYearLast(match: RegExpExecArray, text: string, order: DateOrder | null) {
  const [written, first = '', separator, second = '', year = ''] = match
  const clockMs = parseClock(text.slice(written.length))
  if (clockMs === null) return null
  const [a, b, y] = [Number(first), Number(second), Number(year)]
  const dayFirst = dateToMs(y, b, a) + clockMs
  const monthFirst = dateToMs(y, a, b) + clockMs
  const known = separator === '.' ? 'day_first' : order
  if (known !== null) return orNull(known === 'day_first' ? dayFirst : monthFirst)
  if (Number.isNaN(dayFirst) || dayFirst === monthFirst) return orNull(monthFirst)
  return Number.isNaN(monthFirst) ? dayFirst : { day_first: dayFirst, month_first: monthFirst }
}

/** The order that a date without dots proves by a day above 12, or null. */
export function provenOrder(text: string): DateOrder | null {
  const [, first, separator, second] = yearLast.exec(text) ?? []
  if (separator === undefined || separator === '.') return null
  if (Number(first) > 12) return 'day_first'
  return Number(second) > 12 ? 'month_first' : null
}

function parseDate(text: string): { dateMs: number; length: number } | null {
  const of = (match: RegExpExecArray, year: string, month: number, day: string) => {
    const dateMs = dateToMs(fullYear(year), month, Number(day))
    return Number.isNaN(dateMs) ? null : { dateMs, length: match[0].length }
  }
  const first = yearFirst.exec(text)
  if (first !== null) {
    const [, year = '', , month = first[5] ?? '', day = first[6] ?? ''] = first
    return of(first, year, Number(month), day)
  }
  const named = dayName.exec(text)
  if (named !== null) return of(named, named[3] ?? '', monthOf(named[2] ?? ''), named[1] ?? '')
  const leading = nameDay.exec(text)
  return leading === null ? null : of(leading, leading[3] ?? '', monthOf(leading[1] ?? ''), leading[2] ?? '')
}

const monthOf = (name: string): number => monthNames.indexOf(name.slice(0, 3).toLowerCase()) + 1
const orNull = (timeMs: number): number | null => (Number.isNaN(timeMs) ? null : timeMs)

/** Two digits are 1969 to 2068, as in POSIX. */
function fullYear(digits: string): number {
  const year = Number(digits)
  return digits.length === 4 ? year : year < 69 ? 2000 + year : 1900 + year
}

/** Milliseconds to add to a date for what stands behind it: time of day less its distance to UTC. */
function parseClock(text: string): number | null {
  if (text === '') return 0
  const match = clockForm.exec(text)
  if (match === null) return null
  const [, hour = '', minute = '0', second = '0', fraction = '', half, zone] = match
  const isLate = half?.toLowerCase() === 'pm'
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (isLate ? 12 : 0)
  if (half !== undefined && (Number(hour) < 1 || Number(hour) > 12)) return null
  if (hours > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const fractionMs = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const offsetMs = zoneOffsetMs(zone)
  if (offsetMs === null) return null
  return ((hours * 60 + Number(minute)) * 60 + Number(second)) * 1000 + fractionMs - offsetMs
}

function zoneOffsetMs(zone: string | undefined): number | null {
  const signed = zone?.replace(/^(UTC|GMT|Z)/i, '') ?? ''
  if (signed === '') return 0
  const digits = signed.slice(1).replace(':', '').padEnd(4, '0')
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2, 4))
  if (hours > 14 || minutes > 59) return null
  return (signed.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
