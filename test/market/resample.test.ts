import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { gridOf } from '../../src/market/bar-grid.ts'
import { type Bars, barAt, checkBars, truncateBars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import type { Calendar } from '../../src/market/calendar.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars, resampleFault } from '../../src/market/resample.ts'
import { type Timeframe, timeframeNames } from '../../src/market/timeframe.ts'

const at = (text: string) => Date.parse(text)
const calendars = new Calendars()
const dayMs = 86_400_000

/** Prices that differ from bar to bar, whole volumes; `keep` leaves bars out. */
function makeBars(
  times: Iterable<number>,
  closeTimeOf: (time: number) => number,
  keep = (_i: number) => true,
): Bars {
  const builder = new BarsBuilder()
  let i = 0
  for (const time of times) {
    const n = (i * 7919) % 1009
    const [open, close] = [100 + (n % 37), 100 + (n % 53)]
    const [high, low] = [Math.max(open, close) + (n % 5), Math.min(open, close) - (n % 3)]
    if (keep(i)) builder.append({ time, close_time: closeTimeOf(time), open, high, low, close, volume: n })
    i++
  }
  return builder.build()
}

function gridBars(
  calendar: Calendar,
  timeframe: Timeframe,
  start: number,
  end: number,
  keep?: (i: number) => boolean,
) {
  const grid = gridOf(calendar, timeframe)
  const times = [...grid.slots(start, end)].map(slot => slot.time)
  return makeBars(times, grid.closeTimeOf, keep)
}

const rows = (bars: Bars) => Array.from({ length: bars.length }, (_, i) => barAt(bars, i))

/** The plainest way to put bars together: everything that opens in a slot, looked up one slot at a time. */
function aggregate(bars: Bars, calendar: Calendar, to: Timeframe, knownUntilMs: number) {
  const groups = new Map<number, { closeTime: number; rows: ReturnType<typeof rows> }>()
  for (const row of rows(bars)) {
    const slot = gridOf(calendar, to).slotAt(row.time)
    if (slot === null) continue
    const group = groups.get(slot.time) ?? { closeTime: slot.closeTime, rows: [] }
    groups.set(slot.time, group)
    group.rows.push(row)
  }
  return [...groups]
    .filter(([, group]) => group.closeTime <= knownUntilMs)
    .map(([time, group]) => ({
      time,
      close_time: group.closeTime,
      open: group.rows[0]?.open,
      high: Math.max(...group.rows.map(row => row.high)),
      low: Math.min(...group.rows.map(row => row.low)),
      close: group.rows.at(-1)?.close,
      volume: group.rows.reduce((sum, row) => sum + row.volume, 0),
    }))
}

const paths: [Timeframe, Timeframe, Timeframe][] = [
  ['1m', '1h', '1d'],
  ['5m', '30m', '2h'],
  ['15m', '4h', '12h'],
  ['1h', '1d', '1w'],
  ['1h', '1d', '1M'],
  ['30m', '6h', '1w'],
]
/** Ranges with a change of the clocks, half days and a closed exchange inside. */
const ranges: [string, string][] = [
  ['2024-03-07', '2024-03-13'],
  ['2024-10-31', '2024-11-06'],
  ['2024-11-26', '2024-12-02'],
  ['2024-07-01', '2024-07-09'],
  ['2001-09-06', '2001-09-19'],
]

describe.each(calendars.names())('%s', name => {
  const calendar = calendars.get(name)

  test.each(ranges)('minutes to hours to days are minutes to days, from %s to %s', (start, end) => {
    const minutes = gridBars(calendar, '1m', at(start), at(end))
    const hours = resampleBars(minutes, { from: '1m', to: '1h', calendar }).bars
    const days = resampleBars(hours, { from: '1h', to: '1d', calendar }).bars
    expect(rows(days)).toEqual(rows(resampleBars(minutes, { from: '1m', to: '1d', calendar }).bars))
    expect(days.length).toBeGreaterThan(1)
    checkBars(hours)
    checkBars(days)
    expect([...hours.time]).toEqual(
      [...gridOf(calendar, '1h').slots(at(start), at(end))].map(slot => slot.time),
    )
  })

  test('two steps equal one step and the plain way, with any bars missing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.integer({ min: at('2000-01-01') / 60_000, max: at('2030-01-01') / 60_000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(400)),
        ([from, through, to], startMinute, days, missing) => {
          const start = startMinute * 60_000
          const end = start + (from === '1m' ? Math.min(days, 3) : days * 2) * dayMs
          const gone = new Set(missing)
          const bars = gridBars(calendar, from, start, end, i => !gone.has(i % 401))
          const knownUntilMs = end
          const direct = resampleBars(bars, { from, to, calendar, knownUntilMs })
          const step = resampleBars(bars, {
            from,
            to: through,
            calendar,
            knownUntilMs: Number.POSITIVE_INFINITY,
          })
          const twice = resampleBars(step.bars, { from: through, to, calendar, knownUntilMs })
          expect(rows(twice.bars)).toEqual(rows(direct.bars))
          expect(rows(direct.bars)).toEqual(aggregate(bars, calendar, to, knownUntilMs))
          expect(direct.outsideSession).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('bars that come later never change a bar that was closed', () => {
    const bars = gridBars(calendar, '30m', at('2024-03-04'), at('2024-03-20'))
    for (const to of ['2h', '1d', '1w'] as const) {
      const whole = rows(resampleBars(bars, { from: '30m', to, calendar }).bars)
      fc.assert(
        fc.property(fc.nat(bars.length), length => {
          const known = truncateBars(bars, length)
          const part = rows(resampleBars(known, { from: '30m', to, calendar }).bars)
          expect(part).toEqual(whole.slice(0, part.length))
          for (const bar of part)
            expect(bar.close_time).toBeLessThanOrEqual(known.close_time[length - 1] ?? 0)
        }),
        { numRuns: 50 },
      )
    }
  })
})

const xnys = calendars.get('XNYS')

test('open is the first, high the highest, low the lowest, close the last, volume the sum', () => {
  const builder = new BarsBuilder()
  const bar = (
    time: string,
    [open, high, low, close, volume]: readonly [number, number, number, number, number],
  ) => builder.append({ time: at(time), close_time: at(time) + 1_800_000, open, high, low, close, volume })
  bar('2024-03-11T13:30:00Z', [10, 12, 9, 11, 100])
  bar('2024-03-11T14:00:00Z', [11, 15, 10, 14, 50])
  bar('2024-03-11T14:30:00Z', [14, 14, 8, 9, 25])
  const { bars } = resampleBars(builder.build(), { from: '30m', to: '1h', calendar: xnys })
  expect(rows(bars)).toEqual([
    {
      time: at('2024-03-11T13:30:00Z'),
      close_time: at('2024-03-11T14:30:00Z'),
      open: 10,
      high: 15,
      low: 9,
      close: 14,
      volume: 150,
    },
  ])
})

test('the last bar of a half day is made as soon as the session is over', () => {
  const bars = gridBars(xnys, '30m', at('2024-07-03'), at('2024-07-04'))
  expect(bars.length).toBe(7)
  const hours = resampleBars(bars, { from: '30m', to: '1h', calendar: xnys }).bars
  expect(barAt(hours, 3)).toMatchObject({
    time: at('2024-07-03T16:30:00Z'),
    close_time: at('2024-07-03T17:00:00Z'),
  })
  expect(resampleBars(bars, { from: '30m', to: '1d', calendar: xnys }).bars.length).toBe(1)
  const earlier = truncateBars(bars, 6)
  expect(resampleBars(earlier, { from: '30m', to: '1d', calendar: xnys }).bars.length).toBe(0)
  const knownUntilMs = at('2024-07-03T17:00:00Z')
  expect(resampleBars(earlier, { from: '30m', to: '1d', calendar: xnys, knownUntilMs }).bars.length).toBe(1)
})

test('bars before the open and after the close are left out and counted', () => {
  const times = Array.from({ length: 96 }, (_, i) => at('2024-03-11') + i * 15 * 60_000)
  const bars = makeBars(times, time => time + 15 * 60_000)
  const { bars: days, outsideSession } = resampleBars(bars, { from: '15m', to: '1d', calendar: xnys })
  expect(outsideSession).toBe(96 - 26)
  expect(rows(days)).toEqual(aggregate(bars, xnys, '1d', at('2024-03-12')))
})

test('daily bars make weeks by their session dates, whatever instant labels them', () => {
  const dates = ['2024-03-25', '2024-03-26', '2024-03-27', '2024-03-28', '2024-03-29', '2024-04-01'].map(at)
  const weekOf = (labels: readonly number[]) => {
    const bars = makeBars(labels, gridOf(xnys, '1d').closeTimeOf)
    const { bars: weeks, outsideSession } = resampleBars(bars, { from: '1d', to: '1w', calendar: xnys })
    // Good Friday has no session, and the week of 1 April is not over.
    expect(outsideSession).toBe(1)
    return rows(weeks)
  }
  const midnight = weekOf(dates)
  expect(midnight).toHaveLength(1)
  expect(midnight[0]).toMatchObject({ time: at('2024-03-25'), close_time: at('2024-03-28T20:00:00Z') })
  expect(weekOf(dates.map(date => date + 4 * 3_600_000))).toEqual(midnight)
})

test('a bar that reaches beyond its slot delays the longer bar until it is complete itself', () => {
  const times = ['14:00', '15:00', '16:00', '17:00'].map(time => at(`2024-03-11T${time}:00Z`))
  const bars = makeBars(times, time => time + 3_600_000)
  const { bars: longer } = resampleBars(bars, { from: '1h', to: '2h', calendar: xnys })
  expect([...longer.time]).toEqual([at('2024-03-11T13:30:00Z'), at('2024-03-11T15:30:00Z')])
  expect([...longer.close_time]).toEqual([at('2024-03-11T16:00:00Z'), at('2024-03-11T18:00:00Z')])
})

test('no bars make no bars', () => {
  const empty = new BarsBuilder().build()
  const result = resampleBars(empty, { from: '1m', to: '1d', calendar: xnys })
  expect([result.bars.length, result.outsideSession]).toEqual([0, 0])
})

test('only longer bars that the source fits into are made', () => {
  const targets = (from: Timeframe) => timeframeNames.filter(to => resampleFault(from, to) === null).join(' ')
  expect(targets('1m')).toBe('3m 5m 15m 30m 1h 2h 4h 6h 12h 1d 1w 1M')
  expect(targets('3m')).toBe('15m 30m 1h 2h 4h 6h 12h 1d 1w 1M')
  expect(targets('4h')).toBe('12h 1d 1w 1M')
  expect(targets('12h')).toBe('1d 1w 1M')
  expect(targets('1d')).toBe('1w 1M')
  expect([targets('1w'), targets('1M')]).toEqual(['', ''])
  const bars = gridBars(xnys, '3m', at('2024-03-11'), at('2024-03-12'))
  expect(() => resampleBars(bars, { from: '3m', to: '5m', calendar: xnys })).toThrow(
    expect.objectContaining({ code: 'params-invalid', message: expect.stringContaining('15m, 30m') }),
  )
})
