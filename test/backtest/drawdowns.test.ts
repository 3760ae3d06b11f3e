import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { measureDrawdowns, worstDrawdowns } from '../../src/backtest/drawdowns.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { mondayMs } from '../fixtures/bars.ts'
import { curveOf, grow } from '../fixtures/measured-run.ts'

const start = { timeMs: mondayMs, equity: 100 }
const day = (days: number) => mondayMs + days * dayMs

test('drawdowns have a high, a lowest point and a recovery, as worked out by hand', () => {
  // Closes of days 1 to 9: a fall to 90 from the capital, to 99 from 110 (recovered at 110), and to 88 from 120.
  const curve = curveOf([95, 90, 100, 110, 99, 110, 120, 88, 96])
  const [first, second, third] = worstDrawdowns(curve, start, 10)
  expect(first).toMatchObject({ start: day(7), trough: day(8), recovered: null, duration_ms: 2 * dayMs })
  expect(first?.depth_fraction).toBeCloseTo(32 / 120, 12)
  expect(second).toMatchObject({ start: day(0), trough: day(2), recovered: day(3), duration_ms: 3 * dayMs })
  expect(second?.depth_fraction).toBeCloseTo(0.1, 12)
  expect(third).toMatchObject({ start: day(4), trough: day(5), recovered: day(6), duration_ms: 2 * dayMs })
  const totals = measureDrawdowns(curve, start)
  expect(totals).toMatchObject({ count: 3, longest_ms: 3 * dayMs, mean_ms: (7 / 3) * dayMs, ruined: false })
  expect(totals.mean_fraction).toBeCloseTo((32 / 120 + 0.1 + 0.1) / 3, 12)
})

test('the duration counts from the last time the high was reached', () => {
  const [only] = worstDrawdowns(curveOf([110, 110, 105, 110]), start, 3)
  expect(only).toMatchObject({ start: day(2), recovered: day(4) })
})

test('rounding is no drawdown', () => {
  expect(measureDrawdowns(curveOf([100, 100 - 1e-12, 100]), start)).toMatchObject({ count: 0, mean_ms: 0 })
})

test('of many drawdowns the deepest are shown, the earlier of equal ones first', () => {
  const dips = [5, 9, 3, 9, 7, 1].flatMap(depth => [100 - depth, 100])
  const worst = worstDrawdowns(curveOf(dips), start, 3)
  expect(worst.map(({ depth_fraction }) => Math.round(depth_fraction * 100))).toEqual([9, 9, 7])
  expect((worst[0]?.start ?? 0) < (worst[1]?.start ?? 0)).toBe(true)
})

test('the table and the totals agree, and the deepest is the fall from the highest so far', () => {
  const fraction = fc.double({ min: -0.3, max: 0.3, noNaN: true })
  fc.assert(
    fc.property(fc.array(fraction, { minLength: 1, maxLength: 80 }), returns => {
      const curve = curveOf(grow(returns))
      const totals = measureDrawdowns(curve, start)
      const worst = worstDrawdowns(curve, start, 100)
      expect(worst.length).toBe(totals.count)
      expect(worst[0]?.depth_fraction ?? 0).toBe(totals.deepest_fraction)
      expect(Math.max(0, ...worst.map(({ duration_ms }) => duration_ms))).toBe(totals.longest_ms)
      expect(worst.map(drawdown => drawdown.depth_fraction)).toEqual(
        worst.map(drawdown => drawdown.depth_fraction).toSorted((a, b) => b - a),
      )
      let high = 100
      let deepest = 0
      for (const equity of curve.equity) {
        high = Math.max(high, equity)
        deepest = Math.max(deepest, (high - equity) / high)
      }
      expect(totals.deepest_fraction).toBeCloseTo(deepest, 10)
    }),
  )
})
