import { describe, expect, test } from '@jest/globals'
import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import { type Row, runCase, tradesIn } from '../fixtures/fill-case.ts'

const quiet: Row = [100, 101, 99, 100]
const near = (value: number) => expect.closeTo(value, 9)

/** 1 000 with a leverage of 4: 40 units at 100, of which 3 000 are borrowed. */
const geared = {
  initial_capital: 1000,
  sizing: { mode: 'all_in' },
  leverage: 4,
} as const satisfies Partial<BacktestConfig>
const enter = (side: 'enter_long' | 'enter_short', config: Partial<BacktestConfig>, ...bars: Row[]) =>
  runCase({ bars: [quiet, quiet, ...bars], signals: { [side]: [0, 2, 3] }, config: { ...geared, ...config } })

describe('leverage', () => {
  test('buys as many times the equity, and the cash is what is owed', () => {
    const { equity, open_trades } = enter('enter_long', {})
    expect([open_trades[0]?.units, equity.cash[1], equity.exposure_fraction[1]]).toEqual([40, -3000, 4])
  })

  test('ruins a long where nothing is left, and nothing is traded after that', () => {
    // 40 units at 75 pay back the 3 000.
    const run = enter('enter_long', {}, [90, 91, 70, 90], quiet, quiet)
    expect(tradesIn(run)).toEqual(['long 40: 100 → 75 ruin'])
    expect([run.ruined, run.liquidations, [...run.equity.equity]]).toEqual([true, 0, [1000, 1000, 0, 0, 0]])
  })

  test('owes what a gap takes beyond that', () => {
    const run = enter('enter_long', {}, [70, 71, 69, 70])
    expect([tradesIn(run), run.equity.equity[2]]).toEqual([['long 40: 100 → 70 ruin'], -200])
  })

  test('is not ruined by a stop before it', () => {
    const run = runCase({
      bars: [quiet, quiet, [90, 91, 70, 90]],
      signals: { enter_long: [0], stop: 20 },
      config: geared,
    })
    expect([tradesIn(run), run.ruined]).toEqual([['long 40: 100 → 80 stop'], false])
  })
})

describe('a maintenance margin of 10 %', () => {
  const margin = { maintenance_margin_fraction: 0.1 }

  test('liquidates a long inside the bar, at the price at which the equity is a tenth of its value', () => {
    // (40 · p − 3 000) / (40 · p) = 0.1 at p = 83.333…: 333.33 are left, which buy again with the same leverage.
    const run = enter('enter_long', margin, [90, 91, 80, 90], quiet)
    expect(run.trades.exit_price[0]).toBeCloseTo(3000 / 36, 9)
    expect([run.trades.exit_reason[0], run.liquidations, run.ruined]).toEqual(['liquidation', 1, false])
    expect(run.equity.equity[2]).toBeCloseTo(1000 / 3, 9)
    expect(run.open_trades[0]?.units).toBeCloseTo(40 / 3, 9)
  })

  test('liquidates a short inside the bar', () => {
    // 5 000 − 40 · p = 0.1 · 40 · p at p = 113.636…
    const run = enter('enter_short', margin, [105, 120, 104, 110])
    expect(run.trades.exit_price[0]).toBeCloseTo(5000 / 44, 9)
    expect(run.trades.exit_reason[0]).toBe('liquidation')
  })

  test('liquidates at the open where a gap has passed that price', () => {
    expect(tradesIn(enter('enter_long', margin, [80, 81, 79, 80]))).toEqual(['long 40: 100 → 80 liquidation'])
    expect(tradesIn(enter('enter_long', margin, [74, 81, 73, 80]))).toEqual(['long 40: 100 → 74 ruin'])
  })

  test('is kept where borrowing eats the equity: the level moves with the cash', () => {
    // A day of interest on 3 000 at 1 % is 30: 3 030 are owed on bar 2, so 3 030 / 36 is the price.
    const run = enter('enter_long', { ...margin, funding_rate_annual: 3.65 }, [90, 91, 84, 90])
    expect(run.trades.exit_price[0]).toBeCloseTo(3030 / 36, 9)
  })
})

describe('sizing', () => {
  const size = (config: Partial<BacktestConfig>, bars: readonly Row[] = [quiet, quiet]) => {
    const last = bars.length - 2
    const run = runCase({
      bars,
      signals: { enter_long: [last] },
      config: { initial_capital: 10_000, ...config },
    })
    return [run.open_trades[0]?.units ?? 0, run.reduced_orders, run.rejected_orders]
  }

  test('a value buys what it pays at the open', () => {
    expect(size({ sizing: { mode: 'value', value: 2550 } })).toEqual([25.5, 0, 0])
    expect(size({ sizing: { mode: 'value', value: 2550 }, units: 'whole' })).toEqual([25, 0, 0])
    expect(size({ sizing: { mode: 'value', value: 25_000 } })).toEqual([100, 1, 0])
  })

  test('a fraction is one of equity times leverage', () => {
    expect(size({ sizing: { mode: 'fraction', fraction: 0.5 }, leverage: 3 })).toEqual([150, 0, 0])
  })

  test('all in leaves the least commission a fill pays', () => {
    expect(size({ sizing: { mode: 'all_in' }, commission_min: 50 })).toEqual([99.5, 0, 0])
    expect(size({ sizing: { mode: 'all_in' }, commission_per_unit: 1 })).toEqual([near(10_000 / 101), 0, 0])
  })

  test('lots are floored, and 0.3 is three lots of 0.1', () => {
    expect(size({ sizing: { mode: 'units', units: 0.3 }, lot_size: 0.1 })).toEqual([near(0.3), 0, 0])
    expect(size({ sizing: { mode: 'units', units: 17 }, lot_size: 5 })).toEqual([15, 0, 0])
    expect(size({ sizing: { mode: 'units', units: 4 }, lot_size: 5 })).toEqual([0, 0, 1])
    expect(size({ sizing: { mode: 'all_in' }, lot_size: 30 })).toEqual([90, 0, 0])
  })

  test('a volatility target divides by what the closes did, up to the one that decides', () => {
    // Log returns of +ln 1.1, −ln 1.1: mean 0, sample deviation √2 · ln 1.1 a day, times √365 a year.
    const bars: Row[] = [quiet, [110, 110, 110, 110], quiet, quiet]
    const realised = Math.SQRT2 * Math.log(1.1) * Math.sqrt(365)
    const sizing = { mode: 'volatility_target', annual_volatility: 0.5, lookback_bars: 2 } as const
    expect(size({ sizing }, bars)).toEqual([near((100 * 0.5) / realised), 0, 0])
    expect(size({ sizing: { ...sizing, annual_volatility: 5 } }, bars)).toEqual([near(100), 1, 0])
    expect(size({ sizing: { ...sizing, lookback_bars: 3 } }, bars)).toEqual([0, 0, 1])
    expect(size({ sizing })).toEqual([0, 0, 1])
  })

  test('half of Kelly follows the trades so far, up to its cap', () => {
    // Fractions 0.1 of 10 000 until two trades are closed: +100 and −50 before costs, R = 2 by the amounts below.
    const level = (price: number): Row => [price, price, price, price]
    const bars = [100, 100, 110, 100, 100, 95, 100, 100].map(level)
    const run = (cap: number) => {
      const sizing = { mode: 'kelly', cap, min_trades: 2, fraction: 0.1 } as const
      const signals = { enter_long: [0, 3, 6], exit_long: [1, 4] }
      const config = { initial_capital: 10_000, sizing }
      const { trades, open_trades, equity } = runCase({ bars, signals, config })
      return {
        net: [...trades.net_pnl],
        value: (open_trades[0]?.units ?? 0) * 100,
        equity: equity.equity[6] ?? 0,
      }
    }
    const { net, value, equity } = run(1)
    expect(net).toEqual([near(100), near(-50.5)])
    // W = 1/2, R = 100 / 50.5: (0.5 − 0.5 · 0.505) / 2.
    expect(value / equity).toBeCloseTo((0.5 - 0.5 * 0.505) / 2, 9)
    expect(run(0.05).value / run(0.05).equity).toBeCloseTo(0.05, 9)
  })
})
