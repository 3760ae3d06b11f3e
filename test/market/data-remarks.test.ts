import { expect, test } from '@jest/globals'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { countUncovered, gapsInside } from '../../src/market/data-remarks.ts'

const hourMs = 3_600_000
const startMs = Date.UTC(2024, 0, 1)

/** Bars that open at these hours after midnight of 1 January 2024. */
function barsAt(hours: readonly number[], lengthHours = 1) {
  const builder = new BarsBuilder()
  for (const hour of hours) {
    const time = startMs + hour * hourMs
    builder.append({
      time,
      close_time: time + lengthHours * hourMs,
      open: 1,
      high: 1,
      low: 1,
      close: 1,
      volume: 0,
    })
  }
  return builder.build()
}

const calendar = new Calendars().get('24-7')
const hourly = { timeframe: '1h', calendar } as const
const at = (hour: number) => startMs + hour * hourMs

test('what is missing between the first and the last bar is a gap, what lies outside of them is none', () => {
  const bars = barsAt([3, 4, 7, 8, 10])
  expect(gapsInside(bars, { ...hourly, start: null, end: null })).toMatchObject([
    { start: at(5), end: at(7), missing_bars: 2 },
    { start: at(9), end: at(10), missing_bars: 1 },
  ])
  expect(gapsInside(bars, { ...hourly, start: at(0), end: at(24) })).toHaveLength(2)
})

test('only gaps of the range count, also those at its edges', () => {
  const bars = barsAt([3, 4, 7, 8, 10])
  expect(gapsInside(bars, { ...hourly, start: at(6), end: at(9) })).toMatchObject([
    { start: at(6), end: at(7), missing_bars: 1 },
  ])
  expect(gapsInside(bars, { ...hourly, start: at(7), end: at(9) })).toEqual([])
  expect(gapsInside(bars, { ...hourly, start: at(40), end: null })).toEqual([])
  expect(gapsInside(barsAt([]), { ...hourly, start: null, end: null })).toEqual([])
})

test('a bar is covered by any shorter bar that opens inside it', () => {
  const bars = barsAt([0, 4, 8, 12, 16], 4)
  expect(countUncovered(bars, barsAt([0, 1, 2, 3, 7, 12]), 0)).toBe(2)
  expect(countUncovered(bars, barsAt([0, 1, 2, 3, 7, 12]), 3)).toBe(1)
  expect(countUncovered(bars, barsAt([]), 0)).toBe(5)
  expect(countUncovered(bars, barsAt([20, 21]), 0)).toBe(5)
})
