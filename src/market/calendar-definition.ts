import type { CalendarDefinition } from './calendar.ts'
import { builtInCalendars } from './calendar-builtin.ts'

type Report = (message: string) => void
type Fields = Readonly<Record<string, unknown>>

const required = ['name', 'title', 'timezone', 'open', 'close', 'weekdays'] as const
const optional = ['opens_day_before', 'holidays', 'early_closes'] as const
const maxHolidays = 10_000

/**
 * Checks the operator's calendars: a JSON array of `CalendarDefinition`, where `opens_day_before` (false),
 * `holidays` and `early_closes` (none) may be left out. Nothing is corrected silently.
 * @throws {Error} whose message lists every fault, one per line, each with its place such as `[0].open`
 */
export function parseCalendarDefinitions(value: unknown): CalendarDefinition[] {
  if (!Array.isArray(value)) throw new Error('calendars: must be an array of calendar definitions')
  const faults: string[] = []
  const names = new Set(builtInCalendars.map(calendar => calendar.name))
  const definitions = value.map((item: unknown, i) => {
    const report = (message: string) => faults.push(`[${i}]${message}`)
    const definition = parseDefinition(item, report)
    if (definition !== null && names.has(definition.name))
      report(`.name: the name ${definition.name} is taken by another or a built-in calendar`)
    if (definition !== null) names.add(definition.name)
    return definition
  })
  if (faults.length > 0) throw new Error(`calendars:\n  ${faults.join('\n  ')}`)
  return definitions.filter(definition => definition !== null)
}

/** The definition as far as it could be read; every fault goes to `report`. */
function parseDefinition(item: unknown, report: Report): CalendarDefinition | null {
  if (!isObject(item)) {
    report(': must be an object')
    return null
  }
  const known: readonly string[] = [...required, ...optional]
  for (const key of Object.keys(item).filter(key => !known.includes(key)))
    report(`.${key}: there is no such key; the keys are ${known.join(', ')}`)
  const opensDayBefore = item.opens_day_before ?? false
  if (typeof opensDayBefore !== 'boolean') report('.opens_day_before: must be true or false')
  const definition: CalendarDefinition = {
    name: readText(item, 'name', /^[A-Za-z0-9-]{1,32}$/, 'letters, digits and dashes, at most 32', report),
    title: readText(item, 'title', /^\P{Cc}{1,200}$/u, 'a text of 1 to 200 characters', report),
    timezone: readZone(item, report),
    open: readText(item, 'open', clock, 'HH:MM from 00:00 to 23:59', report),
    close: readText(item, 'close', closingClock, 'HH:MM from 00:01 to 24:00', report),
    opens_day_before: opensDayBefore === true,
    weekdays: readWeekdays(item, report),
    holidays: readDates(item, 'holidays', /^\P{Cc}{1,200}$/u, 'a name of 1 to 200 characters', report),
    early_closes: readDates(item, 'early_closes', closingClock, 'HH:MM from 00:01 to 24:00', report),
  }
  checkHours(definition, report)
  return definition
}

const clock = /^([01]\d|2[0-3]):[0-5]\d$/
const closingClock = /^(?!00:00)(([01]\d|2[0-3]):[0-5]\d|24:00)$/

/** Sessions last some time and never overlap the next. Unreadable hours were reported before. */
function checkHours(definition: CalendarDefinition, report: Report): void {
  const { open, close, opens_day_before, early_closes } = definition
  if (open === '' || close === '') return
  if (!opens_day_before && open >= close)
    report(
      `.close: ${close} is not after open ${open}; set opens_day_before when sessions open on the evening before`,
    )
  if (opens_day_before && open < close)
    report(
      `.open: ${open} is before close ${close}, so that sessions which open on the day before would overlap`,
    )
  for (const [date, early] of Object.entries(early_closes)) {
    if (early === '') continue
    if (early >= close) report(`.early_closes.${date}: ${early} is not before close ${close}`)
    else if (!opens_day_before && early <= open)
      report(`.early_closes.${date}: ${early} is not after open ${open}`)
  }
}

function readText(fields: Fields, key: string, pattern: RegExp, expected: string, report: Report): string {
  const value = fields[key]
  if (typeof value === 'string' && pattern.test(value)) return value
  report(
    `.${key}: ${value === undefined ? 'is missing' : `${JSON.stringify(value)} is not valid`}; expected ${expected}`,
  )
  return ''
}

function readZone(fields: Fields, report: Report): string {
  const expected = 'an IANA zone such as Europe/London'
  const zone = readText(fields, 'timezone', /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/, expected, report)
  if (zone !== '' && !isZone(zone)) report(`.timezone: ${zone} is not known; expected ${expected}`)
  return zone
}

function isZone(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: timezone }).format(0) !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function readWeekdays(fields: Fields, report: Report): number[] {
  const value = fields.weekdays
  const days: unknown[] = Array.isArray(value) ? value : []
  const valid = days.filter(
    (day): day is number => Number.isInteger(day) && Number(day) >= 1 && Number(day) <= 7,
  )
  if (valid.length === 0 || valid.length !== days.length || new Set(valid).size !== valid.length)
    report('.weekdays: must list days of the week once each, 1 = Monday … 7 = Sunday, at least one')
  return valid.sort((a, b) => a - b)
}

function readDates(fields: Fields, key: string, pattern: RegExp, expected: string, report: Report) {
  const value = fields[key] ?? {}
  if (!isObject(value)) {
    report(`.${key}: must be an object whose keys are dates`)
    return {}
  }
  const dates = Object.keys(value)
  if (dates.length > maxHolidays) report(`.${key}: more than ${maxHolidays} dates`)
  for (const date of dates.filter(date => !isDate(date)))
    report(`.${key}: ${JSON.stringify(date)} is not a date; expected YYYY-MM-DD`)
  return Object.fromEntries(
    dates.map(date => [
      date,
      readText(value, date, pattern, expected, message => report(`.${key}${message}`)),
    ]),
  )
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
