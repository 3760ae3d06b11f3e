import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { buildCalendar, type Calendar, weekdayOf } from '../../src/market/calendar.ts'
import { Calendars, parseCalendarDefinitions } from '../../src/market/calendars.ts'

const at = (text: string) => Date.parse(text)
const dayMs = 86_400_000
const calendars = new Calendars(
  parseCalendarDefinitions([
    {
      name: 'XTKS',
      title: 'Tokyo',
      timezone: 'Asia/Tokyo',
      open: '09:00',
      close: '15:30',
      weekdays: [1, 2, 3, 4, 5],
    },
    {
      name: 'XASX',
      title: 'Sydney',
      timezone: 'Australia/Sydney',
      open: '10:00',
      close: '16:00',
      weekdays: [1, 2, 3, 4, 5],
      holidays: { '2024-01-26': 'Australia Day' },
      early_closes: { '2024-12-24': '14:10' },
    },
    {
      name: 'CMES',
      title: 'Chicago futures',
      timezone: 'America/Chicago',
      open: '17:00',
      close: '16:00',
      opens_day_before: true,
      weekdays: [1, 2, 3, 4, 5],
    },
  ]),
)
const all = calendars.names().map((name): [string, Calendar] => [name, calendars.get(name)])
const times = fc
  .integer({ min: at('1969-06-01') / 1000, max: at('2052-01-01') / 1000 })
  .map(second => second * 1000)

test.each(all)('%s: an instant is in the session that lists it, and in no other', (_name, calendar) => {
  fc.assert(
    fc.property(times, timeMs => {
      const session = calendar.sessionAt(timeMs)
      const around = calendar.sessionsBetween(timeMs - 5 * dayMs, timeMs + 5 * dayMs)
      const holding = around.filter(one => one.openMs <= timeMs && timeMs < one.closeMs)
      expect(holding).toEqual(session === null ? [] : [session])
      expect(calendar.sessionsBetween(timeMs, timeMs + 1)).toEqual(holding)
    }),
    { numRuns: 300 },
  )
})

test.each(all)(
  '%s: sessions follow one another without overlap, each on a date that is not closed',
  (_, calendar) => {
    const sessions = calendar.sessionsBetween(at('2005-12-01'), at('2009-02-01'))
    expect(sessions.length).toBeGreaterThan(780)
    let last = 0
    for (const session of sessions) {
      expect(session.openMs).toBeGreaterThanOrEqual(last)
      expect(session.closeMs).toBeGreaterThan(session.openMs)
      expect(calendar.sessionOn(session.dateMs)).toEqual(session)
      expect(calendar.closureOn(session.dateMs)).toBeNull()
      expect(calendar.localDateMs(session.closeMs - 1)).toBe(session.dateMs)
      last = session.closeMs
    }
    const dates = new Set(sessions.map(session => session.dateMs))
    for (let dateMs = at('2006-01-01'); dateMs < at('2009-01-01'); dateMs += dayMs) {
      expect(calendar.closureOn(dateMs) === null).toBe(dates.has(dateMs))
    }
  },
)

test('New York opens at 09:30 of its own clock before and after a change of the clocks', () => {
  const xnys = calendars.get('XNYS')
  const hours = (date: string) => {
    const session = xnys.sessionOn(at(date))
    return [session?.openMs, session?.closeMs].map(time => new Date(time ?? 0).toISOString().slice(11, 16))
  }
  expect(hours('2024-03-08')).toEqual(['14:30', '21:00'])
  expect(hours('2024-03-11')).toEqual(['13:30', '20:00'])
  expect(hours('2024-11-01')).toEqual(['13:30', '20:00'])
  expect(hours('2024-11-04')).toEqual(['14:30', '21:00'])
})

test('the close itself is not in the session, the open is', () => {
  const xnys = calendars.get('XNYS')
  expect(xnys.sessionAt(at('2024-07-03T13:29:59Z'))).toBeNull()
  expect(xnys.sessionAt(at('2024-07-03T13:30:00Z'))?.isHalfDay).toBe(true)
  expect(xnys.sessionAt(at('2024-07-03T16:59:59Z'))?.dateMs).toBe(at('2024-07-03'))
  expect(xnys.sessionAt(at('2024-07-03T17:00:00Z'))).toBeNull()
  expect(xnys.sessionAt(at('2024-07-05T15:00:00Z'))?.isHalfDay).toBe(false)
})

test('forex opens for Monday on Sunday at 17:00 in New York and closes on Friday at 17:00', () => {
  const forex = calendars.get('24-5')
  expect(forex.sessionAt(at('2024-03-10T20:59:59Z'))).toBeNull()
  expect(forex.sessionAt(at('2024-03-10T21:00:00Z'))?.dateMs).toBe(at('2024-03-11'))
  expect(forex.sessionAt(at('2024-03-11T21:00:00Z'))?.dateMs).toBe(at('2024-03-12'))
  expect(forex.sessionAt(at('2024-03-08T21:59:59Z'))?.dateMs).toBe(at('2024-03-08'))
  expect(forex.sessionAt(at('2024-03-08T22:00:00Z'))).toBeNull()
  expect(forex.closureOn(at('2024-03-09'))).toEqual({ reason: 'weekend', name: 'Saturday' })
})

test('24-7 is every UTC day from midnight to midnight', () => {
  const session = calendars.get('24-7').sessionAt(at('2024-02-29T23:59:59Z'))
  expect(session).toEqual({
    dateMs: at('2024-02-29'),
    openMs: at('2024-02-29'),
    closeMs: at('2024-03-01'),
    isHalfDay: false,
  })
})

test('a configured exchange keeps its own clock, holidays and early closes', () => {
  const sydney = calendars.get('XASX')
  expect(sydney.sessionOn(at('2024-01-25'))?.openMs).toBe(at('2024-01-24T23:00:00Z'))
  expect(sydney.sessionOn(at('2024-07-01'))?.openMs).toBe(at('2024-07-01T00:00:00Z'))
  expect(sydney.closureOn(at('2024-01-26'))).toEqual({ reason: 'holiday', name: 'Australia Day' })
  expect(sydney.sessionOn(at('2024-12-24'))).toMatchObject({
    closeMs: at('2024-12-24T03:10:00Z'),
    isHalfDay: true,
  })
  expect(sydney.localDateMs(at('2024-01-24T23:00:00Z'))).toBe(at('2024-01-25'))
})

test('an empty range has no sessions', () => {
  const calendar = calendars.get('24-7')
  expect(calendar.sessionsBetween(at('2024-01-02'), at('2024-01-02'))).toEqual([])
  expect(calendar.sessionsBetween(at('2024-01-03'), at('2024-01-02'))).toEqual([])
  expect(calendar.sessionAt(Number.NaN)).toBeNull()
})

test('weekdays are counted from Monday, before 1970 too', () => {
  expect(['2024-01-01', '2024-01-07', '1969-12-31', '1900-01-01'].map(date => weekdayOf(at(date)))).toEqual([
    1, 7, 3, 1,
  ])
})

test('definitions survive the way to a thread: the same sessions come out', () => {
  const definitions = structuredClone(calendars.definitions())
  const xnys = definitions.find(definition => definition.name === 'XNYS')
  if (xnys === undefined) throw new Error('XNYS is missing')
  const [start, end] = [at('2001-01-01'), at('2002-01-01')]
  expect(buildCalendar(xnys).sessionsBetween(start, end)).toEqual(
    calendars.get('XNYS').sessionsBetween(start, end),
  )
})
