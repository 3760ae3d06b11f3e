import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Writes `src/market/calendar-tables.gen.ts`: the days on which the New York Stock Exchange is closed or
 * closes early, and the daylight saving time of New York. With `--check` it writes nothing and fails when
 * the file is stale.
 *
 * Sources: NYSE Rule 7.2 (holidays and their observance), the exchange's list of special closings since
 * 1885 and its holiday notices; the Uniform Time Act of 1966 and its amendments of 1974, 1986 and 2005.
 * Years to come follow the rules in force; a closing announced later is one line of `closings`.
 */
const [firstYear, lastYear] = [1970, 2050]
const firstDstYear = 1967
const file = fileURLToPath(new URL('../src/market/calendar-tables.gen.ts', import.meta.url))

const dayMs = 86_400_000
const [sunday, monday, tuesday, wednesday, thursday, friday, saturday] = [0, 1, 2, 3, 4, 5, 6] as const

const date = (year: number, month: number, day: number) => Date.UTC(year, month - 1, day)
const weekday = (dateMs: number) => new Date(dateMs).getUTCDay()
const yearOf = (dateMs: number) => new Date(dateMs).getUTCFullYear()
const text = (dateMs: number) => new Date(dateMs).toISOString().slice(0, 10).replaceAll('-', '')
const years = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** The n-th such weekday of a month, n from 1. */
function nth(year: number, month: number, day: number, n: number): number {
  const first = date(year, month, 1)
  return first + (((day - weekday(first) + 7) % 7) + 7 * (n - 1)) * dayMs
}

/** The last such weekday of a month. */
function last(year: number, month: number, day: number): number {
  const end = date(year, month + 1, 0)
  return end - ((weekday(end) - day + 7) % 7) * dayMs
}

/**
 * Where a holiday of a fixed date is kept: on the Monday after a Sunday; on the Friday before a Saturday
 * unless that Friday ends a month (New Year's Day 2011 and 2022, Memorial Day 1970): then not at all.
 */
function observed(dateMs: number): number | null {
  if (weekday(dateMs) === sunday) return dateMs + dayMs
  if (weekday(dateMs) !== saturday) return dateMs
  const monthOf = (ms: number) => new Date(ms).getUTCMonth()
  return monthOf(dateMs - dayMs) === monthOf(dateMs + 2 * dayMs) ? dateMs - dayMs : null
}

/** Easter Sunday of the Gregorian calendar. Source: Meeus, Astronomical Algorithms, chapter 8. */
function easter(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const g = Math.floor((8 * b + 13) / 25)
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const n = h + l - 7 * m + 114
  return date(year, Math.floor(n / 31), (n % 31) + 1)
}

const thanksgiving = (year: number) => nth(year, 11, thursday, 4)

/** Yearly holidays: the date in a year, null when the exchange opens. */
const holidays: Record<string, (year: number) => number | null> = {
  "New Year's Day": year => observed(date(year, 1, 1)),
  'Martin Luther King Jr. Day': year => (year < 1998 ? null : nth(year, 1, monday, 3)),
  "Washington's Birthday": year => (year < 1971 ? observed(date(year, 2, 22)) : nth(year, 2, monday, 3)),
  'Good Friday': year => easter(year) - 2 * dayMs,
  'Memorial Day': year => (year < 1971 ? observed(date(year, 5, 30)) : last(year, 5, monday)),
  Juneteenth: year => (year < 2022 ? null : observed(date(year, 6, 19))),
  'Independence Day': year => observed(date(year, 7, 4)),
  'Labor Day': year => nth(year, 9, monday, 1),
  // The Tuesday after the first Monday, in years of a presidential election, for the last time in 1980.
  'Election Day': year => (year <= 1980 && year % 4 === 0 ? nth(year, 11, monday, 1) + dayMs : null),
  'Thanksgiving Day': thanksgiving,
  'Christmas Day': year => observed(date(year, 12, 25)),
}

/** Single days without a session. */
const closings: Record<string, readonly number[]> = {
  'Funeral of Harry S. Truman': [date(1972, 12, 28)],
  'Funeral of Lyndon B. Johnson': [date(1973, 1, 25)],
  'Power failure in New York City': [date(1977, 7, 14)],
  'Hurricane Gloria': [date(1985, 9, 27)],
  'Funeral of Richard M. Nixon': [date(1994, 4, 27)],
  'Attack on the World Trade Center': [11, 12, 13, 14].map(day => date(2001, 9, day)),
  'Day of mourning for Ronald W. Reagan': [date(2004, 6, 11)],
  'Day of mourning for Gerald R. Ford': [date(2007, 1, 2)],
  'Hurricane Sandy': [29, 30].map(day => date(2012, 10, day)),
  'Day of mourning for George H. W. Bush': [date(2018, 12, 5)],
  'Day of mourning for Jimmy Carter': [date(2025, 1, 9)],
}

/** Days that end early every year by rule. A holiday wins over them. */
function plannedEarlyCloses(year: number): [number, string][] {
  const days: [number, string][] = []
  const add = (dateMs: number, weekdays: readonly number[]) => {
    if (weekdays.includes(weekday(dateMs))) days.push([dateMs, year < 1993 ? '14:00' : '13:00'])
  }
  if (year >= 1995) add(date(year, 7, 3), [monday, tuesday, thursday])
  // With Independence Day on a Thursday it was the Friday after, and is the Wednesday before since 2013.
  if (year >= 2013) add(date(year, 7, 3), [wednesday])
  else if (year >= 1995) add(date(year, 7, 5), [friday])
  if (year >= 1992) add(thanksgiving(year) + dayMs, [friday])
  if (year === 1974 || year === 1975 || year >= 1990)
    add(date(year, 12, 24), [monday, tuesday, wednesday, thursday])
  if (year === 1997 || year === 2003) add(date(year, 12, 26), [friday])
  return days
}

/** Sessions cut short by weather, backlog and emergencies that closed the whole market. */
const shortened: readonly [string, ...number[]][] = [
  ['14:30', date(1975, 2, 12)],
  ['15:00', date(1976, 8, 9)],
  ['14:00', date(1978, 2, 6)],
  ['15:17', date(1981, 3, 30)],
  ['15:28', date(1981, 9, 9)],
  ['14:00', ...[23, 26, 27, 28, 29, 30].map(day => date(1987, 10, day))],
  ['14:30', ...[2, 3, 4].map(day => date(1987, 11, day))],
  ['15:00', ...[5, 6].map(day => date(1987, 11, day))],
  ['15:30', ...[9, 10, 11].map(day => date(1987, 11, day))],
  ['14:30', date(1994, 2, 11)],
  ['14:00', date(1996, 1, 8)],
  ['15:30', date(1997, 10, 27)],
]

/** First and last day of daylight saving time; the clock changes at 02:00 on both. */
function daylightSaving(year: number): [number, number] {
  if (year >= 2007) return [nth(year, 3, sunday, 2), nth(year, 11, sunday, 1)]
  const end = last(year, 10, sunday)
  if (year >= 1987) return [nth(year, 4, sunday, 1), end]
  if (year === 1974) return [date(1974, 1, 6), end]
  if (year === 1975) return [date(1975, 2, 23), end]
  return [last(year, 4, sunday), end]
}

function holidayTable(): Map<string, number[]> {
  const yearly = Object.entries(holidays).map(([name, rule]): [string, number[]] => [
    name,
    years(firstYear, lastYear + 1)
      .map(rule)
      .filter(dateMs => dateMs !== null)
      .filter(dateMs => yearOf(dateMs) <= lastYear),
  ])
  return new Map([
    ...yearly,
    ...Object.entries(closings).map(([name, days]): [string, number[]] => [name, [...days]]),
  ])
}

function earlyCloseTable(closed: ReadonlySet<number>): Map<string, number[]> {
  const table = new Map<string, number[]>()
  const add = (dateMs: number, time: string) => {
    if (!closed.has(dateMs)) table.set(time, [...(table.get(time) ?? []), dateMs])
  }
  for (const year of years(firstYear, lastYear)) {
    for (const [dateMs, time] of plannedEarlyCloses(year)) add(dateMs, time)
  }
  for (const [time, ...days] of shortened) {
    for (const dateMs of days) add(dateMs, time)
  }
  return new Map([...table].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function render(): string {
  const closed = holidayTable()
  const early = earlyCloseTable(new Set([...closed.values()].flat()))
  const rows = (table: Map<string, number[]>) =>
    [...table]
      .map(
        ([key, days]) =>
          `    ${JSON.stringify(key)}: '${days
            .sort((a, b) => a - b)
            .map(text)
            .join(' ')}',\n`,
      )
      .join('')
  const saving = years(firstDstYear, lastYear).map(year => daylightSaving(year).map(text).join('-'))
  return `/** Generated by \`node test/gen-calendars.ts\`, which holds the rules. Dates are YYYYMMDD. */
export const newYorkStockExchange = {
  first_year: ${firstYear},
  last_year: ${lastYear},
  holidays: {
${rows(closed)}  },
  early_closes: {
${rows(early)}  },
} as const

/** First and last day of daylight saving time in New York, each year from ${firstDstYear} to ${lastYear}. */
export const newYorkDaylightSaving = '${saving.join(' ')}'
`
}

const check = process.argv.includes('--check')
const rendered = render()
const stored = (() => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
})()
if (rendered !== stored) {
  if (!check) writeFileSync(file, rendered)
  console.log(`${check ? 'stale' : 'written'}: src/market/calendar-tables.gen.ts`)
  if (check) process.exit(1)
}
