import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BarGrid, gridOf, sessionDateOf } from '../../src/market/bar-grid.ts'
import { Calendars, parseCalendarDefinitions } from '../../src/market/calendars.ts'
import { dayMs, type Timeframe, timeframeNames } from '../../src/market/timeframe.ts'

const at = (text: string) => Date.parse(text)
const calendars = new Calendars(
  parseCalendarDefinitions([
    {
      name: 'XNZE',
      title: 'Wellington',
      timezone: 'Pacific/Auckland',
      open: '10:00',
      close: '16:45',
      weekdays: [1, 2, 3, 4, 5],
      early_closes: { '2024-12-24': '12:45' },
    },
  ]),
)
const grid = (name: string, timeframe: Timeframe) => gridOf(calendars.get(name), timeframe)
const slotsOf = (name: string, timeframe: Timeframe, start: string, end: string) =>
  [...grid(name, timeframe).slots(at(start), at(end))].map(slot => [
    new Date(slot.time).toISOString().slice(0, 16),
    new Date(slot.closeTime).toISOString().slice(0, 16),
  ])
const closeOf = (name: string, timeframe: Timeframe, label: string) =>
  new Date(grid(name, timeframe).closeTimeOf(at(label))).toISOString().slice(0, 16)

describe('bars shorter than a day', () => {
  test('an hour in New York begins at half past, and the last one ends with the session', () => {
    const slots = slotsOf('XNYS', '1h', '2024-03-11', '2024-03-12')
    expect(slots).toHaveLength(7)
    expect(slots[0]).toEqual(['2024-03-11T13:30', '2024-03-11T14:30'])
    expect(slots[6]).toEqual(['2024-03-11T19:30', '2024-03-11T20:00'])
  })

  test('a half day ends at 13:00, in the middle of a bar', () => {
    expect(slotsOf('XNYS', '2h', '2024-07-03', '2024-07-04')).toEqual([
      ['2024-07-03T13:30', '2024-07-03T15:30'],
      ['2024-07-03T15:30', '2024-07-03T17:00'],
    ])
    expect(grid('XNYS', '1m').count(at('2024-07-03'), at('2024-07-06'))).toBe(210 + 390)
  })

  test('a market that is always open has the bars of the UTC clock', () => {
    expect(slotsOf('24-7', '6h', '2024-02-28T18:00:00Z', '2024-02-29T12:00:00Z')).toEqual([
      ['2024-02-28T18:00', '2024-02-29T00:00'],
      ['2024-02-29T00:00', '2024-02-29T06:00'],
      ['2024-02-29T06:00', '2024-02-29T12:00'],
    ])
  })

  test('forex bars of twelve hours begin at 17:00 and 05:00 in New York, an hour earlier in UTC in summer', () => {
    expect(
      slotsOf('24-5', '12h', '2024-03-07T22:00:00Z', '2024-03-11T12:00:00Z').map(slot => slot[0]),
    ).toEqual(['2024-03-07T22:00', '2024-03-08T10:00', '2024-03-10T21:00', '2024-03-11T09:00'])
  })

  test('a bar off the grid closes after its duration, but not after its session', () => {
    expect(closeOf('XNYS', '1h', '2024-03-11T14:00:00Z')).toBe('2024-03-11T15:00')
    expect(closeOf('XNYS', '1h', '2024-03-11T19:15:00Z')).toBe('2024-03-11T20:00')
    expect(closeOf('XNYS', '1h', '2024-03-11T21:00:00Z')).toBe('2024-03-11T22:00')
    expect(grid('XNYS', '1h').slotAt(at('2024-03-11T20:00:00Z'))).toBeNull()
  })
})

describe('days, weeks and months', () => {
  test('a day is labelled with the date of its session and closes with it', () => {
    expect(slotsOf('XNYS', '1d', '2024-07-03', '2024-07-09')).toEqual([
      ['2024-07-03T00:00', '2024-07-03T17:00'],
      ['2024-07-05T00:00', '2024-07-05T20:00'],
      ['2024-07-08T00:00', '2024-07-08T20:00'],
    ])
    expect(slotsOf('24-7', '1d', '2024-07-03', '2024-07-04')).toEqual([
      ['2024-07-03T00:00', '2024-07-04T00:00'],
    ])
    expect(slotsOf('24-5', '1d', '2024-07-04', '2024-07-08')).toEqual([
      ['2024-07-04T00:00', '2024-07-04T21:00'],
      ['2024-07-05T00:00', '2024-07-05T21:00'],
    ])
  })

  test('a week is labelled with its Monday and closes with its last session, a holiday or not', () => {
    // Good Friday of 2024 was 29 March: the week closed on Thursday.
    expect(slotsOf('XNYS', '1w', '2024-03-18', '2024-04-02')).toEqual([
      ['2024-03-18T00:00', '2024-03-22T20:00'],
      ['2024-03-25T00:00', '2024-03-28T20:00'],
      ['2024-04-01T00:00', '2024-04-05T20:00'],
    ])
    expect(closeOf('24-7', '1w', '2024-03-25')).toBe('2024-04-01T00:00')
    expect(closeOf('24-5', '1w', '2024-03-25')).toBe('2024-03-29T21:00')
  })

  test('a month is labelled with its first day and closes with its last session', () => {
    expect(slotsOf('XNYS', '1M', '2024-02-01', '2024-05-01')).toEqual([
      ['2024-02-01T00:00', '2024-02-29T21:00'],
      ['2024-03-01T00:00', '2024-03-28T20:00'],
      ['2024-04-01T00:00', '2024-04-30T20:00'],
    ])
    expect(closeOf('24-7', '1M', '2024-02-01')).toBe('2024-03-01T00:00')
  })

  test('an evening of forex belongs to the day, week and month of the next date', () => {
    const evening = at('2024-03-31T21:30:00Z')
    expect(grid('24-5', '1d').slotAt(evening)?.time).toBe(at('2024-04-01'))
    expect(grid('24-5', '1w').slotAt(evening)?.time).toBe(at('2024-04-01'))
    expect(grid('24-5', '1M').slotAt(evening)?.time).toBe(at('2024-04-01'))
  })

  test('a label that is no midnight is the date the market shows, or that of the session open then', () => {
    expect(closeOf('XNYS', '1d', '2024-07-03T04:00:00Z')).toBe('2024-07-03T17:00')
    expect(closeOf('XNYS', '1d', '2024-07-03T13:30:00Z')).toBe('2024-07-03T17:00')
    expect(closeOf('24-5', '1d', '2024-03-10T21:00:00Z')).toBe('2024-03-11T21:00')
    expect(sessionDateOf(calendars.get('24-5'), at('2024-03-11T21:00:00Z'))).toBe(at('2024-03-12'))
    expect(closeOf('XNYS', '1w', '2024-03-25T04:00:00Z')).toBe('2024-03-28T20:00')
  })

  test('where there is no session, or it is over at the label, a bar closes its duration later', () => {
    expect(closeOf('XNYS', '1d', '2024-07-04')).toBe('2024-07-05T00:00')
    expect(closeOf('XNYS', '1d', '2024-07-03T20:00:00Z')).toBe('2024-07-04T20:00')
    expect(closeOf('XNYS', '1w', '2024-03-31')).toBe('2024-04-07T00:00')
    expect(closeOf('XNYS', '1M', '2024-03-31T21:00:00Z')).toBe('2024-04-01T00:00')
  })

  test('a session that is over before its date begins in Greenwich leaves a bar that still closes after its label', () => {
    expect(slotsOf('XNZE', '1d', '2024-12-23', '2024-12-25')).toEqual([
      ['2024-12-23T00:00', '2024-12-23T03:45'],
      ['2024-12-24T00:00', '2024-12-24T00:01'],
    ])
    expect(closeOf('XNZE', '1d', '2024-12-24')).toBe('2024-12-24T00:01')
  })
})

const timeframe = fc.constantFrom(...timeframeNames)
const name = fc.constantFrom(...calendars.names())
const minute = fc
  .integer({ min: at('1999-12-01') / 60_000, max: at('2030-01-01') / 60_000 })
  .map(n => n * 60_000)

test('the slots of a range are counted, ordered, inside it and close when closeTimeOf says', () => {
  fc.assert(
    fc.property(name, timeframe, minute, fc.nat(40 * 1440), (calendar, timeframe, start, minutes) => {
      // Few days of bars shorter than an hour are as good as many.
      const end = start + Math.ceil(minutes / (timeframe.endsWith('m') ? 10 : 1)) * 60_000
      const grid = gridOf(calendars.get(calendar), timeframe)
      const slots = [...grid.slots(start, end)]
      expect(grid.count(start, end)).toBe(slots.length)
      const faulty = slots.filter((slot, i) => {
        const isNext =
          slot.time >= start && slot.time < end && (i === 0 || slot.time > (slots[i - 1]?.time ?? 0))
        return !isNext || slot.closeTime <= slot.time || grid.closeTimeOf(slot.time) !== slot.closeTime
      })
      expect(faulty).toEqual([])
    }),
  )
})

test('every instant of a session is in exactly one slot, wherever the grid was before', () => {
  const grids = new Map<string, BarGrid>()
  fc.assert(
    fc.property(name, timeframe, minute, (calendar, timeframe, timeMs) => {
      const key = `${calendar} ${timeframe}`
      const shared = grids.get(key) ?? gridOf(calendars.get(calendar), timeframe)
      grids.set(key, shared)
      const slot = shared.slotAt(timeMs)
      const session = calendars.get(calendar).sessionAt(timeMs)
      expect(slot === null).toBe(session === null)
      if (slot === null || session === null) return
      if (timeframe.endsWith('m') || timeframe.endsWith('h')) {
        const inSession = [
          ...gridOf(calendars.get(calendar), timeframe).slots(session.openMs, session.closeMs),
        ]
        expect(inSession.filter(one => one.time <= timeMs && timeMs < one.closeTime)).toEqual([slot])
        return
      }
      // The label is at most a month before the instant, or a day after it where the date begins later in UTC.
      const around = [
        ...gridOf(calendars.get(calendar), timeframe).slots(timeMs - 32 * dayMs, timeMs + dayMs),
      ]
      const holding = around.filter(one => one.time <= session.dateMs).at(-1)
      expect(holding).toEqual(slot)
    }),
    { numRuns: 400 },
  )
})

test('a century of minutes is counted to the minute', () => {
  const [start, end] = [at('1970-01-01T00:07:00Z'), at('2070-01-01T00:05:00Z')]
  expect(gridOf(calendars.get('24-7'), '1m').count(start, end)).toBe((end - start) / 60_000)
  expect(gridOf(calendars.get('24-7'), '1m').count(end, start)).toBe(0)
  // 250 sessions, of which three close at 13:00.
  const year = gridOf(calendars.get('XNYS'), '1m').count(at('2012-01-01'), at('2013-01-01'))
  expect(year).toBe(247 * 390 + 3 * 210)
})
