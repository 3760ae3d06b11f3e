import { expect, test } from '@jest/globals'
import {
  closeTimeMs,
  dayMs,
  isTimeframe,
  periodsPerYear,
  returnPeriodsPerYear,
} from '../../src/market/timeframe.ts'
import { mondayMs } from '../fixtures/bars.ts'

const at = (text: string) => Date.parse(text)

test('a bar closes one duration after it opens', () => {
  expect(closeTimeMs(at('2024-03-10T09:30:00Z'), '5m')).toBe(at('2024-03-10T09:35:00Z'))
  expect(closeTimeMs(at('2024-03-10T00:00:00Z'), '1d')).toBe(at('2024-03-11T00:00:00Z'))
  expect(closeTimeMs(at('2024-12-30T00:00:00Z'), '1w')).toBe(at('2025-01-06T00:00:00Z'))
})

test('a month closes at the start of the next UTC month, whatever its length', () => {
  expect(closeTimeMs(at('2024-02-01T00:00:00Z'), '1M')).toBe(at('2024-03-01T00:00:00Z'))
  expect(closeTimeMs(at('2024-12-31T00:00:00Z'), '1M')).toBe(at('2025-01-01T00:00:00Z'))
})

test('1m is a minute, 1M is a month and 1D is nothing', () => {
  expect([isTimeframe('1m'), isTimeframe('1M'), isTimeframe('1D'), isTimeframe('toString')]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

/** Open times every `stepMs` for 10 weeks; weekends on request. */
function times(stepMs: number, weekends: boolean): Float64Array {
  const all: number[] = []
  for (let timeMs = mondayMs; timeMs < mondayMs + 70 * dayMs; timeMs += stepMs) {
    const day = new Date(timeMs).getUTCDay()
    if (weekends || (day !== 0 && day !== 6)) all.push(timeMs)
  }
  return Float64Array.from(all)
}

test('a market that is closed at weekends has 252 daily periods, one that never closes 365', () => {
  expect(periodsPerYear(times(dayMs, false), '1d').periods_per_year).toBe(252)
  expect(periodsPerYear(times(dayMs, true), '1d').periods_per_year).toBe(365)
})

test('days that open at midnight in Tokyo or New York are working days there too', () => {
  for (const hours of [-9, -1, 5]) {
    const shifted = times(dayMs, false).map(timeMs => timeMs + hours * 3_600_000)
    expect(periodsPerYear(shifted, '1d').periods_per_year).toBe(252)
  }
})

test('weeks and months have 52 and 12', () => {
  expect(periodsPerYear(times(7 * dayMs, true), '1w').periods_per_year).toBe(52)
  expect(periodsPerYear(times(28 * dayMs, true), '1M').periods_per_year).toBe(12)
})

test('intraday bars count the bars of a day, but their equity returns are daily', () => {
  const hours = times(3_600_000, true)
  expect(periodsPerYear(hours, '1h').periods_per_year).toBe(365 * 24)
  expect(returnPeriodsPerYear(hours, '1h').periods_per_year).toBe(365)
  expect(periodsPerYear(times(6 * 3_600_000, false), '6h').periods_per_year).toBe(252 * 4)
})

test('the choice is explained', () => {
  expect(periodsPerYear(times(3_600_000, true), '1h').basis).toBe(
    '365 calendar days: 28.6 % of the bars are on weekends; 24 bars per day',
  )
})
