import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { downsampleBars } from '../../src/market/downsample.ts'
import { anyBars, barsOf, barsOfCloses } from '../fixtures/bars.ts'

test('bars are joined in groups: open first, highest high, lowest low, close last, volumes summed', () => {
  const bars = barsOf([
    { open: 10, high: 12, low: 9, close: 11, volume: 1 },
    { open: 11, high: 15, low: 10, close: 12, volume: 2 },
    { open: 12, high: 13, low: 7, close: 8, volume: 4 },
    { open: 8, high: 9, low: 8, close: 9, volume: 8 },
  ])
  const joined = downsampleBars(bars, 2)
  expect([...joined.time]).toEqual([bars.time[0], bars.time[2]])
  expect([...joined.close_time]).toEqual([bars.close_time[1], bars.close_time[3]])
  expect([joined.open, joined.high, joined.low, joined.close, joined.volume].map(c => [...c])).toEqual([
    [10, 12],
    [15, 13],
    [9, 7],
    [12, 9],
    [3, 12],
  ])
})

test('few enough bars are the same object', () => {
  const bars = barsOfCloses([1, 2, 3])
  expect(downsampleBars(bars, 3)).toBe(bars)
  expect(downsampleBars(bars, 4)).toBe(bars)
})

test.each([0, -1, 1.5, Number.NaN])('%d points are refused', points => {
  expect(() => downsampleBars(barsOfCloses([1, 2]), points)).toThrow(RangeError)
})

test('volume, extremes, first open and last close survive, in order and in groups of nearly one size', () => {
  fc.assert(
    fc.property(anyBars(1, 60), fc.integer({ min: 1, max: 70 }), (bars, points) => {
      const joined = downsampleBars(bars, points)
      const sum = (column: Float64Array) => column.reduce((a, b) => a + b, 0)
      expect(joined.length).toBe(Math.min(points, bars.length))
      expect(sum(joined.volume)).toBe(sum(bars.volume))
      expect(Math.max(...joined.high)).toBe(Math.max(...bars.high))
      expect(Math.min(...joined.low)).toBe(Math.min(...bars.low))
      expect(joined.open[0]).toBe(bars.open[0])
      expect(joined.close.at(-1)).toBe(bars.close.at(-1))
      expect(joined.time[0]).toBe(bars.time[0])
      expect(joined.close_time.at(-1)).toBe(bars.close_time.at(-1))
      const starts = [...joined.time].map(time => bars.time.indexOf(time))
      const sizes = starts.map((start, i) => (starts[i + 1] ?? bars.length) - start)
      expect(Math.min(...sizes)).toBeGreaterThan(0)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})
