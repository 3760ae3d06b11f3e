import type { CalendarDefinition } from './calendar.ts'
import { newYorkStockExchange } from './calendar-tables.gen.ts'

/** Full dates of the compact table: `YYYY-MM-DD` → value. */
function expand<Value extends string>(
  table: Readonly<Record<string, string>>,
  value: (key: string) => Value,
) {
  const dates: Record<string, Value> = {}
  for (const [key, days] of Object.entries(table)) {
    for (const day of days.split(' '))
      dates[`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`] = value(key)
  }
  return dates
}

/**
 * The calendars every server has.
 * `XNYS` has the hours of today in every year (before 30 September 1985 the exchange opened at 10:00, and
 * before October 1974 it closed at 15:30) and no holidays outside 1970 to 2050.
 * `24-5` is spot forex by the New York convention: the session of a date opens at 17:00 on the day before.
 */
export const builtInCalendars: readonly CalendarDefinition[] = [
  {
    name: 'XNYS',
    title: 'New York Stock Exchange',
    timezone: 'America/New_York',
    open: '09:30',
    close: '16:00',
    opens_day_before: false,
    weekdays: [1, 2, 3, 4, 5],
    holidays: expand(newYorkStockExchange.holidays, name => name),
    early_closes: expand(newYorkStockExchange.early_closes, close => close),
  },
  {
    name: '24-7',
    title: 'Always open, UTC days (crypto)',
    timezone: 'UTC',
    open: '00:00',
    close: '24:00',
    opens_day_before: false,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    holidays: {},
    early_closes: {},
  },
  {
    name: '24-5',
    title: 'Around the clock on weekdays, New York closes (forex)',
    timezone: 'America/New_York',
    open: '17:00',
    close: '17:00',
    opens_day_before: true,
    weekdays: [1, 2, 3, 4, 5],
    holidays: {},
    early_closes: {},
  },
]
