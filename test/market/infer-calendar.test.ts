import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { gridOf } from '../../src/market/bar-grid.ts'
import { Calendars, parseCalendarDefinitions } from '../../src/market/calendars.ts'
import { inferCalendar } from '../../src/market/infer-calendar.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'

const at = (text: string) => Date.parse(text)
const dayMs = 86_400_000
const calendars = new Calendars()
const times = (name: string, timeframe: Timeframe, start: string, end: string) =>
  Float64Array.from(
    [...gridOf(calendars.get(name), timeframe).slots(at(start), at(end))].map(slot => slot.time),
  )
const infer = (times: Float64Array, timeframe: Timeframe) => inferCalendar(times, timeframe, calendars)

test.each(['XNYS', '24-7', '24-5'])('bars of %s are recognised, whatever of them is missing', name => {
  const start = fc
    .integer({ min: at('1990-01-01') / dayMs, max: at('2025-01-01') / dayMs })
    .map(day => day * dayMs)
  fc.assert(
    fc.property(
      fc.constantFrom<Timeframe>('5m', '15m', '1h', '4h', '1d'),
      start,
      fc.integer({ min: 100, max: 300 }),
      // Multiples of seven would take one day of the week away.
      fc.integer({ min: 5, max: 100 }).filter(every => every % 7 !== 0),
      (timeframe, start, atLeast, every) => {
        // Single bars may be missing on a holiday by luck, but not on a dozen of them.
        const days = timeframe === '1d' ? atLeast + 500 : atLeast
        const grid = gridOf(calendars.get(name), timeframe)
        const all = [...grid.slots(start, start + days * dayMs)].map(slot => slot.time)
        expect(infer(Float64Array.from(all.filter((_, i) => (i * 101) % every !== 0)), timeframe)).toBe(name)
      },
    ),
    { numRuns: 30 },
  )
})

test('a few hours outside regular trading do not hide New York, regular bars before the open do', () => {
  const regular = times('XNYS', '1m', '2024-01-02', '2024-03-01')
  const early = Float64Array.from([at('2024-01-02T14:00:00Z'), ...regular])
  expect(infer(early, '1m')).toBe('XNYS')
  const extended = Float64Array.from([...regular].flatMap(time => [time, time + 6.5 * 3_600_000])).sort()
  expect(infer(extended, '1m')).toBe('24-5')
})

test('daily bars say New York only where a holiday of its own lies between them', () => {
  expect(infer(times('XNYS', '1d', '2024-03-04', '2024-03-23'), '1d')).toBe('24-5')
  expect(infer(times('XNYS', '1d', '2024-03-04', '2024-04-20'), '1d')).toBe('XNYS')
  expect(infer(times('24-5', '1d', '2024-03-04', '2024-04-20'), '1d')).toBe('24-5')
  // Christmas alone tells nothing: forex feeds are silent then, too.
  expect(infer(times('XNYS', '1d', '2023-11-27', '2024-01-13'), '1d')).toBe('24-5')
})

test('with many days missing, one holiday without a bar says nothing', () => {
  const days = times('24-5', '1d', '2024-03-04', '2024-04-20').filter((_, i) => i % 3 !== 1)
  expect(days).not.toContain(at('2024-03-29'))
  expect(infer(days, '1d')).toBe('24-5')
})

test('labels at midnight in New York are the same days', () => {
  const labels = times('XNYS', '1d', '2024-01-02', '2024-06-29').map(time => time + 5 * 3_600_000)
  expect(infer(labels, '1d')).toBe('XNYS')
})

test('stray weekend bars do not make a market that is always open', () => {
  const weekdays = [...times('24-5', '1h', '2024-01-01', '2024-06-01')]
  const stray = Float64Array.from([
    ...weekdays,
    at('2024-02-03T12:00:00Z'),
    at('2024-03-09T12:00:00Z'),
  ]).sort()
  expect(infer(stray, '1h')).toBe('24-5')
  // Sunday to Thursday, as in Riyadh, is not every day either.
  const riyadh = [...times('24-7', '1d', '2024-01-01', '2024-06-01')].filter(
    time => ![5, 6].includes(new Date(time).getUTCDay()),
  )
  expect(infer(Float64Array.from(riyadh), '1d')).toBe('24-5')
})

test('where nothing tells, the calendar whose bars close last is taken', () => {
  expect(infer(new Float64Array(0), '1d')).toBe('24-7')
  expect(infer(times('24-7', '1h', '2024-01-08', '2024-01-12'), '1h')).toBe('24-7')
  expect(infer(times('XNYS', '1m', '2024-01-08', '2024-01-09'), '1m')).toBe('24-7')
  expect(infer(times('XNYS', '1m', '2024-01-08', '2024-01-10'), '1m')).toBe('XNYS')
  expect(infer(times('XNYS', '1w', '2020-01-01', '2024-01-01'), '1w')).toBe('24-7')
  expect(infer(times('24-5', '1M', '2020-01-01', '2024-01-01'), '1M')).toBe('24-7')
})

test('calendars of the operator are never guessed', () => {
  const [definition] = calendars.definitions()
  const twin = { ...definition, name: 'TWIN', holidays: {}, early_closes: {} }
  const more = new Calendars(parseCalendarDefinitions([twin]))
  const bars = times('XNYS', '1h', '2024-01-02', '2024-06-01')
  expect(inferCalendar(bars, '1h', more)).toBe('XNYS')
})
