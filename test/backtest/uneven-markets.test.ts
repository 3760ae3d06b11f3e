import { expect, test } from '@jest/globals'
import { plainPlan } from '../../src/backtest/backtest-config.ts'
import { runBacktest } from '../../src/backtest/engine.ts'
import { periodsOf } from '../../src/backtest/metrics.ts'
import { decisions, marketOf } from '../fixtures/backtest.ts'
import { barsOfCloses, mondayMs } from '../fixtures/bars.ts'
import { daysOf, type Row, tenUnits, tradesIn } from '../fixtures/fill-case.ts'
import { measuredMarket } from '../fixtures/measured-run.ts'

const hourMs = 3_600_000
const level = (price: number): Row => [price, price, price, price]

/** Bars of an hour, the first one so late. */
function hoursOf(rows: readonly Row[], lateMs: number) {
  const time = Float64Array.from(rows, (_, i) => mondayMs + lateMs + i * hourMs)
  return { ...daysOf(rows), time, close_time: time.map(open => open + hourMs) }
}

const shifted = (close: number) => {
  const a = hoursOf([level(100), level(100), [100, 200, 50, close], level(close)], 0)
  const b = hoursOf([10, 10, 10, 10].map(level), hourMs / 2)
  return runBacktest({
    markets: [
      marketOf(a, decisions(4, { enter_long: [0] }), { symbol: 'A' }),
      marketOf(b, decisions(4, { enter_long: [1] }), { symbol: 'B' }),
    ],
    config: { ...tenUnits, initial_capital: 10_000, sizing: { mode: 'fraction', fraction: 0.4 } },
    plan: plainPlan,
  })
}

test.each([50, 100, 200])('an entry knows no close that comes after it in another market (%d)', close => {
  const run = shifted(close)
  // B opens at 2:30, when the bar of A from 2 to 3 is open: 4 000 of 10 000 whatever A closes at.
  expect(tradesIn(run)).toEqual(['long 40: 100 →', 'long 400: 10 →'])
  expect(run.open_trades[1]?.entry_time).toBe(mondayMs + 2.5 * hourMs)
})

test('the curve is in the order of time, and its money adds up while bars overlap', () => {
  const { equity: curve } = shifted(200)
  expect([...curve.time]).toEqual([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5].map(hours => mondayMs + hours * hourMs))
  expect([...curve.equity]).toEqual([10_000, 10_000, 10_000, 10_000, 14_000, 14_000, 14_000, 14_000])
  expect([...curve.cash].map((cash, p) => cash + (curve.position_value[p] ?? 0))).toEqual([...curve.equity])
})

test('a market that ends early is closed at its own last close, and makes room for others', () => {
  const markets = [
    marketOf(daysOf([100, 100].map(level)), decisions(2, { enter_long: [0] }), { symbol: 'A' }),
    marketOf(daysOf([10, 10, 10, 10].map(level)), decisions(4, { enter_long: [2] }), { symbol: 'B' }),
  ] as const
  const run = runBacktest({
    markets,
    config: { ...tenUnits, max_positions: 1, close_open_trades: true },
    plan: plainPlan,
  })
  expect(tradesIn(run)).toEqual(['long 10: 100 → 100 end_of_data', 'long 10: 10 → 10 end_of_data'])
  expect(run.trades.exit_time[0]).toBe(markets[0].bars.close_time[1])
})

test('the returns of a year do not depend on the order of the markets: one open at weekends makes them daily', () => {
  const always = measuredMarket(barsOfCloses(new Array<number>(28).fill(1)), { symbol: 'BTC' })
  const { bars } = always
  const isWorkday = (_: number, i: number) => i % 7 < 5
  const workdays = {
    ...bars,
    length: 20,
    time: bars.time.filter(isWorkday),
    close_time: bars.close_time.filter(isWorkday),
  }
  const weekdays = measuredMarket(workdays, { symbol: 'SPY' })
  const timeframe = '1d'
  const one = periodsOf({ markets: [weekdays, always], timeframe })
  expect(one).toEqual(periodsOf({ markets: [always, weekdays], timeframe }))
  expect(one.periods_per_year).toBe(365)
  expect(periodsOf({ markets: [weekdays], timeframe }).periods_per_year).toBe(252)
})
