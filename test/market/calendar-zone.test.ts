import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { zoneOf } from '../../src/market/calendar-zone.ts'

const at = (text: string) => Date.parse(text)
const hourMs = 3_600_000

/** The clock read another way than the code under test does: as year, month, day, hour, minute and second. */
function systemLocalMs(timezone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return timeMs => {
    const parts = Object.fromEntries(
      format.formatToParts(timeMs).map(part => [part.type, Number(part.value)]),
    )
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second)
  }
}

const seconds = (from: string, to: string) =>
  fc.integer({ min: at(from) / 1000, max: at(to) / 1000 }).map(second => second * 1000)

const zones = [
  'America/New_York',
  'UTC',
  'Europe/London',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Apia',
] as const

test.each(zones)('%s shows the time that the zone data of the runtime says', timezone => {
  const zone = zoneOf(timezone)
  const localMs = systemLocalMs(timezone)
  fc.assert(
    fc.property(seconds('1950-01-01', '2060-01-01'), timeMs => {
      expect(timeMs + zone.offsetMs(timeMs)).toBe(localMs(timeMs))
    }),
    { numRuns: 300 },
  )
})

test('in New York the clock changes at the minute the law says, in every year from 1967 to 2050', () => {
  const zone = zoneOf('America/New_York')
  const localMs = systemLocalMs('America/New_York')
  let changes = 0
  for (let timeMs = at('1967-01-01T05:00:00Z'); timeMs < at('2051-01-01'); timeMs += hourMs) {
    const [before, after] = [zone.offsetMs(timeMs - 1000), zone.offsetMs(timeMs)]
    if (before === after) continue
    changes++
    expect(timeMs - 1000 + before).toBe(localMs(timeMs - 1000))
    expect(timeMs + after).toBe(localMs(timeMs))
  }
  expect(changes).toBe(2 * 84)
})

test('New York saved daylight all winter of 1974, and changes in March and November since 2007', () => {
  const zone = zoneOf('America/New_York')
  const hours = (text: string) => zone.offsetMs(at(text)) / hourMs
  expect([hours('1974-01-06T06:59:59Z'), hours('1974-01-06T07:00:00Z')]).toEqual([-5, -4])
  expect([hours('1975-02-23T06:59:59Z'), hours('1975-02-23T07:00:00Z')]).toEqual([-5, -4])
  expect([hours('2006-04-02T06:59:59Z'), hours('2006-04-02T07:00:00Z')]).toEqual([-5, -4])
  expect([hours('2007-03-11T06:59:59Z'), hours('2007-03-11T07:00:00Z')]).toEqual([-5, -4])
  expect([hours('2007-11-04T05:59:59Z'), hours('2007-11-04T06:00:00Z')]).toEqual([-4, -5])
})

test('a local time comes back from its instant, unless the clock skipped it', () => {
  for (const timezone of zones) {
    const zone = zoneOf(timezone)
    fc.assert(
      fc.property(seconds('1960-01-01', '2055-01-01'), timeMs => {
        const localMs = timeMs + zone.offsetMs(timeMs)
        const found = zone.utcMs(localMs)
        expect(found + zone.offsetMs(found)).toBe(localMs)
        expect(found).toBeLessThanOrEqual(timeMs)
      }),
    )
  }
})

test('a local time shown twice is the first, one that is skipped moves on by the hour', () => {
  const zone = zoneOf('America/New_York')
  expect(zone.utcMs(at('2024-11-03T01:30:00Z'))).toBe(at('2024-11-03T05:30:00Z'))
  expect(zone.utcMs(at('2024-03-10T02:30:00Z'))).toBe(at('2024-03-10T07:30:00Z'))
})

test('a zone that does not exist is refused', () => {
  expect(() => zoneOf('Europe/Atlantis')).toThrow(RangeError)
})
