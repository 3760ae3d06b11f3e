import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type Bars,
  barFields,
  checkBars,
  firstBarAt,
  sliceBars,
  truncateBars,
} from '../../src/market/bars.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { Problem } from '../../src/problems.ts'
import { anyBars, barsOf, barsOfCloses, mondayMs } from '../fixtures/bars.ts'

test('a slice holds the bars from start up to but not including end', () => {
  const bars = barsOfCloses([1, 2, 3, 4, 5])
  const slice = sliceBars(bars, mondayMs + dayMs, mondayMs + 3 * dayMs)
  expect([...slice.close]).toEqual([2, 3])
  expect(slice.length).toBe(2)
})

test('a slice without bounds is everything, and one that ends before it starts is empty', () => {
  const bars = barsOfCloses([1, 2, 3])
  expect([...sliceBars(bars, null, null).close]).toEqual([1, 2, 3])
  expect(sliceBars(bars, mondayMs + 2 * dayMs, mondayMs).length).toBe(0)
  expect(sliceBars(bars, mondayMs + 9 * dayMs, null).length).toBe(0)
})

test('slices share the memory of the bars', () => {
  const bars = barsOfCloses([1, 2, 3])
  for (const field of barFields)
    expect(sliceBars(bars, mondayMs + 1, null)[field].buffer).toBe(bars[field].buffer)
})

test('the first bar at a time is the one a linear search finds', () => {
  fc.assert(
    fc.property(anyBars(0, 40), fc.integer({ min: -5, max: 45 }), fc.nat(1), (bars, day, offset) => {
      const timeMs = mondayMs + day * dayMs + offset
      const found = [...bars.time].findIndex(time => time >= timeMs)
      expect(firstBarAt(bars, timeMs)).toBe(found === -1 ? bars.length : found)
    }),
  )
})

test('truncating keeps the first bars', () => {
  expect([...truncateBars(barsOfCloses([1, 2, 3]), 2).close]).toEqual([1, 2])
  expect(truncateBars(barsOfCloses([1, 2]), 9).length).toBe(2)
})

test('bars that could have happened pass the check', () => {
  fc.assert(fc.property(anyBars(0, 50), bars => checkBars(bars)))
})

const good = { open: 10, high: 12, low: 9, close: 11 }

function faultsOf(bars: Bars): readonly string[] {
  try {
    checkBars(bars)
  } catch (error) {
    if (error instanceof Problem) return error.errors.map(fault => `${fault.pointer} ${fault.code}`)
    throw error
  }
  return []
}

test.each([
  ['a high below the low', { high: 8 }, '/bars/1/high high_below_low'],
  ['an open above the high', { open: 13 }, '/bars/1/open outside_range'],
  ['a close below the low', { close: 8.5 }, '/bars/1/close outside_range'],
  ['a price of zero', { low: 0 }, '/bars/1/low not_positive'],
  ['a price that is not a number', { close: Number.NaN }, '/bars/1/close not_finite'],
  ['an infinite price', { high: Number.POSITIVE_INFINITY }, '/bars/1/high not_finite'],
  ['a negative volume', { volume: -1 }, '/bars/1/volume negative'],
])('%s is refused and the row is named', (_name, change, fault) => {
  expect(faultsOf(barsOf([good, { ...good, ...change }, good]))).toEqual([fault])
})

test('times that repeat or go back are refused', () => {
  const bars = barsOf([good, good, good])
  bars.time[1] = bars.time[0] as number
  expect(faultsOf(bars)).toEqual(['/bars/1/time duplicate'])
  bars.time[1] = (bars.time[0] as number) - 1
  expect(faultsOf(bars)).toEqual(['/bars/1/time not_increasing'])
})

test('at most 20 faults are listed', () => {
  expect(faultsOf(barsOf(Array.from({ length: 50 }, () => ({ ...good, high: 1 }))))).toHaveLength(20)
})
