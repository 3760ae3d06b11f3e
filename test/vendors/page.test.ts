import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { barAt, checkBars } from '../../src/market/bars.ts'
import { buildCalendar } from '../../src/market/calendar.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { cleanPage, type VendorRow } from '../../src/vendors/page.ts'
import type { BarsRequest } from '../../src/vendors/vendor.ts'

const calendars = new Calendars()
const hourMs = 3_600_000
const start = Date.UTC(2026, 0, 5)
const request: BarsRequest = {
  symbol: 'BTC-USD',
  timeframe: '1h',
  start,
  end: start + 48 * hourMs,
  calendar: calendars.get('24-7'),
  exchange: null,
}
const later = { now: start + 100 * hourMs, until: request.end }
const row = (hour: number, price = 100): VendorRow => ({
  time: start + hour * hourMs,
  open: price,
  high: price + 1,
  low: price - 1,
  close: price,
  volume: 5,
})
const hoursOf = (page: { bars: { time: Float64Array } }) =>
  [...page.bars.time].map(time => (time - start) / hourMs)

test('rows in any order, each any number of times, make the same page', () => {
  const hours = fc.uniqueArray(fc.integer({ min: -3, max: 60 }), { maxLength: 40 })
  const shuffled = hours.chain(list => {
    const rows = list.map(hour => row(hour, 100 + hour))
    const again = rows.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...rows), { maxLength: 20 })
    return fc.record({
      rows: fc.constant(rows),
      sent: again.chain(more =>
        fc.shuffledSubarray([...rows, ...more], { minLength: rows.length + more.length }),
      ),
      now: fc.integer({ min: 0, max: 60 * 60 }).map(minutes => start + minutes * 60_000),
    })
  })
  fc.assert(
    fc.property(shuffled, ({ rows, sent, now }) => {
      const page = cleanPage(sent, request, { now, until: request.end })
      expect(page).toEqual(cleanPage(rows, request, { now, until: request.end }))
      checkBars(page.bars)
      for (let i = 0; i < page.bars.length; i++) {
        const { time, close_time } = barAt(page.bars, i)
        expect(time >= start && time < page.until && close_time <= now).toBe(true)
      }
      // Every row that was complete and inside the request is there.
      const expected = rows.filter(({ time }) => time >= start && time < request.end && time + hourMs <= now)
      expect(page.bars.length).toBe(expected.length)
    }),
  )
})

test('of rows with the same time the last sent counts, and one without prices does not count', () => {
  const sparse = { ...row(1), close: null }
  const { bars } = cleanPage([row(1, 10), row(2, 30), row(1, 20), sparse], request, later)
  expect([...bars.close]).toEqual([20, 30])
})

test('rows outside the request are left out without a word', () => {
  const page = cleanPage([row(-1), row(0), row(47), row(48)], request, later)
  expect(hoursOf(page)).toEqual([0, 47])
  expect(page.remarks).toBeUndefined()
  expect(hoursOf(cleanPage([row(-1), row(0)], { ...request, start: null }, later))).toEqual([-1, 0])
})

test('a bar that is not complete ends the page, sent or not', () => {
  const now = start + 2.5 * hourMs
  for (const rows of [[row(0), row(1), row(2)], [row(0), row(1)], []]) {
    const page = cleanPage(rows, request, { now, until: request.end })
    expect(hoursOf(page)).toEqual(rows.slice(0, 2).map((_, hour) => hour))
    expect(page.until).toBe(start + 2 * hourMs)
  }
  const complete = cleanPage([row(0), row(1), row(2)], request, {
    now: start + 3 * hourMs,
    until: request.end,
  })
  expect(hoursOf(complete)).toEqual([0, 1, 2])
})

test('a page ends where the vendor was asked until, or where the request ends', () => {
  const until = (facts: { now: number; until: number }) => cleanPage([], request, facts).until
  expect(until({ ...later, until: start + hourMs })).toBe(start + hourMs)
  expect(until({ ...later, until: start + 1000 * hourMs })).toBe(request.end)
})

test('a week that runs ends the page at its Monday, also at night and when the vendor does not send it', () => {
  const weekly: BarsRequest = {
    ...request,
    timeframe: '1w',
    calendar: calendars.get('XNYS'),
    end: start + 400 * hourMs,
  }
  const wednesdayNight = Date.UTC(2026, 0, 8, 3)
  expect(cleanPage([], weekly, { now: wednesdayNight, until: weekly.end }).until).toBe(Date.UTC(2026, 0, 5))
  // The last session of the week closes on Friday at 21:00Z.
  const monday = { ...row(0), time: Date.UTC(2026, 0, 5) }
  const friday = Date.UTC(2026, 0, 9, 21)
  expect(cleanPage([monday], weekly, { now: friday - 1, until: weekly.end }).bars.length).toBe(0)
  expect(cleanPage([monday], weekly, { now: friday, until: weekly.end }).bars.length).toBe(1)
})

test('a day that ends late in the next day of UTC ends the page at its label until then', () => {
  const calendar = buildCalendar({
    name: 'LAX',
    title: 'Around the clock in Los Angeles',
    timezone: 'America/Los_Angeles',
    open: '00:00',
    close: '24:00',
    opens_day_before: false,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    holidays: {},
    early_closes: {},
  })
  const daily: BarsRequest = { ...request, timeframe: '1d', calendar }
  // 5 January ends there at 08:00Z of the 6th.
  const until = (hour: number) =>
    cleanPage([], daily, { now: start + hour * hourMs, until: request.end }).until
  expect(until(24 + 7)).toBe(start)
  expect(until(24 + 8)).toBe(start + 24 * hourMs)
})

test('a day that trades although the calendar is closed is stored when it is over', () => {
  const christmas = Date.UTC(2025, 11, 25)
  const daily: BarsRequest = { ...request, timeframe: '1d', calendar: calendars.get('XNYS'), start: null }
  const rows = [{ ...row(0), time: christmas }]
  const running = cleanPage(rows, daily, { now: christmas + 20 * hourMs, until: request.end })
  expect([running.bars.length, running.until]).toEqual([0, christmas])
  const over = cleanPage(rows, daily, { now: christmas + 24 * hourMs, until: request.end })
  expect([...over.bars.time]).toEqual([christmas])
})

test('rows that could not have happened are counted in one remark with the first of them', () => {
  const rows = [row(3), { ...row(2), low: 200 }, { ...row(1), volume: -1 }, { ...row(0), open: 0 }]
  const page = cleanPage(rows, request, { ...later, remarks: ['something else'] })
  expect(hoursOf(page)).toEqual([3])
  expect(page.remarks).toEqual([
    'something else',
    '3 of 4 rows could not have happened and were left out, such as 2026-01-05T00:00:00.000Z: open is 0, but a price must be above 0',
  ])
})

test('no volume is 0, and what happened to the share goes with the page', () => {
  const actions = [{ kind: 'split', ex_date: '2020-08-31', ratio: 4 }] as const
  const page = cleanPage([{ ...row(0), volume: null }], request, { ...later, actions })
  expect([...page.bars.volume]).toEqual([0])
  expect(page.actions).toBe(actions)
})
