import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { buildFeatures, type FeatureBuild } from '../../src/features/pipeline.ts'
import { type Bars, barAt, truncateBars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import { rawOf, richRecipe } from '../fixtures/recipes.ts'
import { createRandom, walkOf } from '../fixtures/walks.ts'

const hourMs = 3_600_000
const xnys = new Calendars().get('XNYS')

/** Hourly bars of every New York session in [from, to); the last of a session is shorter. */
function newYorkHours(from: string, to: string): Bars {
  const random = createRandom(7)
  const builder = new BarsBuilder()
  let last = 100
  for (const { openMs, closeMs } of xnys.sessionsBetween(Date.parse(from), Date.parse(to))) {
    for (let time = openMs; time < closeMs; time += hourMs) {
      const open = last
      last = open * (1 + 0.02 * (random() - 0.5))
      const [high, low] = [Math.max(open, last) * 1.001, Math.min(open, last) * 0.999]
      const close_time = Math.min(time + hourMs, closeMs)
      builder.append({ time, close_time, open, high, low, close: last, volume: 1000 })
    }
  }
  return builder.build()
}

const dailyOf = (bars: Bars) => resampleBars(bars, { from: '1h', to: '1d', calendar: xnys }).bars

/** The bars that were complete at an instant. */
function knownAt(bars: Bars, timeMs: number): Bars {
  return truncateBars(bars, bars.close_time.findLastIndex(close => close <= timeMs) + 1)
}

/** The rows that were known at an instant, as text: bit for bit, NaN and −0 included. */
function rowsKnownAt({ table }: FeatureBuild, timeMs: number): string[] {
  const rows: string[] = []
  for (let row = 0; row < table.rows; row++) {
    if ((table.close_time[row] as number) > timeMs) continue
    const cells = table.values.slice(row * table.ids.length, (row + 1) * table.ids.length)
    rows.push(`${table.time[row]} ${Buffer.from(cells.buffer).toString('hex')}`)
  }
  return rows
}

describe.each([
  ['as the clocks go forward', '2024-03-04', '2024-03-16'],
  ['as the clocks go back', '2024-10-28', '2024-11-09'],
])('hourly rows with a daily input, %s', (_when, from, to) => {
  const hours = newYorkHours(from, to)
  const days = dailyOf(hours)
  const recipe = {
    ...richRecipe('1h', '1d'),
    features: [rawOf('1h', 'last'), rawOf('1d', 'last')],
  }
  const { table } = buildFeatures({
    recipe,
    symbols: [{ symbol: 'AAPL', bars: { '1h': hours, '1d': days } }],
  })

  test('a daily value appears at the first hourly bar that closes at or after the daily one, not before', () => {
    // Written without the join: per session, the close of the last session that has ended.
    const sessions = xnys.sessionsBetween(Date.parse(from), Date.parse(to))
    const expected: [number, number][] = []
    for (let i = 0; i < hours.length; i++) {
      const { time, close_time } = barAt(hours, i)
      const ended = sessions.filter(session => session.closeMs <= close_time).at(-1)
      if (ended === undefined) continue
      const closing = hours.close_time.indexOf(ended.closeMs)
      expected.push([time, Math.fround(hours.close[closing] as number)])
    }
    expect(Array.from(table.time, (time, row) => [time, table.values[2 * row + 1]])).toEqual(expected)
    expect(expected.length).toBeGreaterThan(50)
    // The last bar of a session closes with the day, so both features agree there, and only there.
    const agree = Array.from(table.time, (_, row) => table.values[2 * row] === table.values[2 * row + 1])
    expect(agree.filter(Boolean).length).toBe(sessions.length)
  })

  test('joined by open time nearly all rows would be others: the test above would see it', () => {
    const byOpen = Array.from(table.time, time => {
      const open = days.time.findLastIndex(opened => opened <= time)
      return Math.fround(days.close[open] as number)
    })
    const wrong = byOpen.filter((value, row) => value !== table.values[2 * row + 1]).length
    expect(wrong / table.rows).toBeGreaterThan(0.8)
  })

  test('a daily bar closes with its session, in summer and in winter', () => {
    const hoursOfDay = new Set(Array.from(days.close_time, time => new Date(time).getUTCHours()))
    expect([...hoursOfDay].sort()).toEqual([20, 21])
  })
})

test('deleting everything after T changes no row up to T, bit for bit, for every kind of feature', () => {
  const hours = newYorkHours('2024-02-20', '2024-04-20')
  const days = dailyOf(hours)
  const recipe = richRecipe('1h', '1d')
  const fit = { start: Date.parse('2024-03-05'), end: Date.parse('2024-03-20') }
  const build = (bars: Bars, longer: Bars) =>
    buildFeatures({ recipe, fit, symbols: [{ symbol: 'AAPL', bars: { '1h': bars, '1d': longer } }] })
  const whole = build(hours, days)
  expect(whole.table.rows).toBeGreaterThan(200)
  const first = hours.close_time.findIndex(close => close > fit.end)
  fc.assert(
    fc.property(fc.integer({ min: first, max: hours.length - 1 }), last => {
      const timeMs = hours.close_time[last] as number
      const part = build(knownAt(hours, timeMs), knownAt(days, timeMs))
      expect(rowsKnownAt(part, timeMs)).toEqual(rowsKnownAt(whole, timeMs))
      expect(part.table.rows).toBe(rowsKnownAt(whole, timeMs).length)
    }),
    { numRuns: 40 },
  )
})

test('other prices after T change no row up to T', () => {
  const recipe = { ...richRecipe('1d', '1w'), features: richRecipe('1d', '1w').features.slice(0, 5) }
  const calendar = new Calendars().get('24-7')
  const weeks = (bars: Bars) => resampleBars(bars, { from: '1d', to: '1w', calendar }).bars
  const build = (bars: Bars) =>
    buildFeatures({ recipe, symbols: [{ symbol: 'A', bars: { '1d': bars, '1w': weeks(bars) } }] })
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: 60, max: 150 }), (seed, cut) => {
      const [one, other] = [walkOf(seed, 180), walkOf(seed + 1000, 180)]
      const mixed = new BarsBuilder()
      for (let i = 0; i < one.length; i++) mixed.append(barAt(i < cut ? one : other, i))
      const timeMs = one.close_time[cut - 1] as number
      expect(rowsKnownAt(build(mixed.build()), timeMs)).toEqual(rowsKnownAt(build(one), timeMs))
    }),
    { numRuns: 30 },
  )
})
