import { expect, test } from '@jest/globals'
import { valueBuyAndHold } from '../../src/backtest/benchmark.ts'
import { summariseBenchmark } from '../../src/backtest/benchmark-summary.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { barsOfCloses } from '../fixtures/bars.ts'
import { contextOf, curveOf, measuredMarket, runOf } from '../fixtures/measured-run.ts'

const close = (value: number) => expect.closeTo(value, 12)
const curve = curveOf([1, 1, 1, 1])

test('money is cash until the first usable bar, then it moves with its close', () => {
  const market = measuredMarket(barsOfCloses([10, 20, 30, 15]), { firstUsableBar: 1 })
  expect([...(valueBuyAndHold([market], curve) ?? [])]).toEqual([1, 1, close(1.5), close(0.75)])
  expect([...(valueBuyAndHold([market], curve, Int32Array.of(0, 3)) ?? [])]).toEqual([1, close(0.75)])
})

test('bars before the range do not count', () => {
  const market = measuredMarket(barsOfCloses([1, 1, 10, 11, 12, 13]), { from: 2 })
  const later = { ...curve, time: curve.time.map(time => time + 2 * dayMs) }
  expect([...(valueBuyAndHold([market], later) ?? [])]).toEqual([1, close(1.1), close(1.2), close(1.3)])
})

test('equal amounts of every symbol are bought, each at its own first usable bar', () => {
  const first = measuredMarket(barsOfCloses([10, 20, 20, 40]))
  const second = measuredMarket(barsOfCloses([5, 5, 10, 5]), { symbol: 'BBB', firstUsableBar: 2 })
  const unusable = measuredMarket(barsOfCloses([1, 2, 3, 4]), { symbol: 'CCC', firstUsableBar: 9 })
  const markets = [first, second, unusable] as const
  // Halves: 1, 2, 2, 4 of the first; cash, cash, 1, ½ of the second.
  const values = valueBuyAndHold(markets, curve)
  expect([...(values ?? [])]).toEqual([1, 1.5, 1.5, close(2.25)])
  const summary = summariseBenchmark(runOf(curve), { ...contextOf(4, { markets }), periodsPerYear: 252 })
  expect(summary?.symbols).toEqual(['AAA', 'BBB'])
  expect(summary?.total_return_fraction).toBeCloseTo(1.25, 12)
  // Four days from the first open.
  expect(((summary?.cagr_fraction ?? 0) + 1) / 2.25 ** (365.25 / 4)).toBeCloseTo(1, 12)
  // Returns 0, 50 %, 0, 50 %: mean 0.25, squares 4 · 0.0625, / 3.
  expect(summary?.sharpe).toBeCloseTo((0.25 / Math.sqrt(0.25 / 3)) * Math.sqrt(252), 9)
  expect(summary?.annual_volatility_fraction).toBeCloseTo(Math.sqrt((0.25 / 3) * 252), 9)
  expect(summary?.max_drawdown_fraction).toBe(0)
})

test('a symbol whose data ends early keeps its last close', () => {
  const short = measuredMarket(barsOfCloses([10, 30]))
  expect([...(valueBuyAndHold([short], curve) ?? [])]).toEqual([1, close(3), close(3), close(3)])
})

test('a price that never moves has no Sharpe ratio, and nothing usable no benchmark', () => {
  const flat = { ...contextOf(4), periodsPerYear: 252 }
  expect(summariseBenchmark(runOf(curve), flat)).toMatchObject({ sharpe: null, total_return_fraction: 0 })
  const late = { ...contextOf(4, { markets: [measuredMarket(barsOfCloses([1, 2]), { firstUsableBar: 2 })] }) }
  expect(summariseBenchmark(runOf(curve), { ...late, periodsPerYear: 252 })).toBeNull()
})
