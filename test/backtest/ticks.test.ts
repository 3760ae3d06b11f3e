import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Ticks } from '../../src/backtest/ticks.ts'

test.each<[number, number, 1 | -1, number]>([
  // A price that is a multiple stays, though 1.1 · 10 is 11.000000000000002 and 0.07 / 0.01 is 7.000000000000001.
  [0.1, 1.1, 1, 1.1],
  [0.01, 0.07, 1, 0.07],
  [0.01, 1.13, -1, 1.13],
  [0.25, 10.3, 1, 10.5],
  [0.25, 10.3, -1, 10.25],
  [5, 12, 1, 15],
  [5, 12, -1, 10],
  [0.3, 1, 1, 1.2],
])('with a tick of %d, %d becomes for direction %d the price %d', (size, price, direction, expected) => {
  expect(new Ticks(size).round(price, direction)).toBe(expected)
})

test('a price without a tick, and one that is not known, stay as they are', () => {
  expect(new Ticks(null).round(1.2345, 1)).toBe(1.2345)
  expect(new Ticks(0.01).round(Number.NaN, 1)).toBeNaN()
})

test('a buy is never rounded to a lower price and a sell never to a higher one, nor by a whole tick', () => {
  const size = fc.constantFrom(0.00001, 0.01, 0.05, 0.25, 0.3, 1, 5)
  fc.assert(
    fc.property(size, fc.double({ min: 0.5, max: 1e5, noNaN: true }), (tick, price) => {
      const [buy, sell] = [new Ticks(tick).round(price, 1), new Ticks(tick).round(price, -1)]
      const rounding = tick * 1e-6
      expect(buy).toBeGreaterThanOrEqual(price - rounding)
      expect(sell).toBeLessThanOrEqual(price + rounding)
      expect(buy - sell).toBeLessThanOrEqual(tick + rounding)
    }),
  )
})
