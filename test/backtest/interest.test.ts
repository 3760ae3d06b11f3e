import { describe, expect, test } from '@jest/globals'
import { runBacktest } from '../../src/backtest/engine.ts'
import { decisions, marketOf } from '../fixtures/backtest.ts'
import { daysOf, type Row, runCase, tenUnits } from '../fixtures/fill-case.ts'

const quiet: Row = [100, 101, 99, 100]
const near = (value: number) => expect.closeTo(value, 9)

describe('interest', () => {
  test('a short pays for what it borrows, by the time and the value at each close', () => {
    // Short 10 from the open of bar 1: a day at 1 000 (close 100), a day at 1 200; closed at the open of bar 3, which
    // is the moment bar 2 closes. 36.5 % a year is 0.1 % a day.
    const bars: Row[] = [quiet, quiet, [110, 121, 109, 120], [90, 91, 89, 90]]
    const { trades, borrow_total, equity } = runCase({
      bars,
      signals: { enter_short: [0], exit_short: [2] },
      config: { borrow_rate_annual: 0.365 },
    })
    expect(trades.borrow[0]).toBeCloseTo(1 + 1.2, 9)
    expect([trades.gross_pnl[0], trades.net_pnl[0]]).toEqual([100, near(97.8)])
    expect([equity.equity[1], equity.equity[2]]).toEqual([near(99_999), near(99_797.8)])
    expect(borrow_total).toBeCloseTo(2.2, 9)
  })

  test('a long pays nothing for what it owns, and interest on the cash it borrows', () => {
    // 20 units for 2 000 with 1 000: 1 000 borrowed for a day at 0.1 %, then 1 001.
    const { trades, funding_total, borrow_total } = runCase({
      bars: [quiet, quiet, quiet, [110, 111, 109, 110]],
      signals: { enter_long: [0], exit_long: [2] },
      config: {
        initial_capital: 1000,
        leverage: 2,
        sizing: { mode: 'all_in' },
        funding_rate_annual: 0.365,
        borrow_rate_annual: 0.365,
      },
    })
    expect([trades.units[0], trades.funding[0]]).toEqual([20, near(2.001)])
    expect([funding_total, borrow_total, trades.net_pnl[0]]).toEqual([near(2.001), 0, near(197.999)])
  })

  test('is paid up to the close of the bar a position ends inside', () => {
    const { trades } = runCase({
      bars: [quiet, [100, 106, 99, 100]],
      signals: { enter_short: [0], stop: 5 },
      config: { borrow_rate_annual: 0.365 },
    })
    // A day at 0.1 % of 10 · 105.
    expect(trades.borrow[0]).toBeCloseTo(1.05, 9)
  })

  test('is paid from the fill on, and for the time between bars', () => {
    // An hour of bar every two hours: in at 02:00, out at 06:00. Paid at 03:00, 05:00 and 06:00.
    const bars = daysOf([quiet, quiet, quiet, quiet])
    const hours = (offset: number) => bars.time.map((_, i) => (2 * i + offset) * 3_600_000)
    const { funding_total } = runBacktest({
      markets: [
        marketOf(
          { ...bars, time: hours(0), close_time: hours(1) },
          decisions(4, { enter_long: [0], exit_long: [2] }),
        ),
      ],
      config: {
        ...tenUnits,
        initial_capital: 1000,
        leverage: 2,
        sizing: { mode: 'all_in' },
        funding_rate_annual: 0.365,
      },
    })
    const hourly = 0.001 / 24
    expect(funding_total).toBeCloseTo(1000 * ((1 + hourly) * (1 + 2 * hourly) * (1 + hourly) - 1), 9)
  })
})
