import { expect, test } from '@jest/globals'
import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { freeConfig, runOne, signalsAt } from '../fixtures/backtest.ts'
import { barsOf, mondayMs } from '../fixtures/bars.ts'

const bars = barsOf(
  [
    [100, 102, 99, 101],
    [101, 103, 100, 102], //  1 enter
    [102, 106, 101, 105], //  2 filled at 102
    [105, 108, 104, 107],
    [107, 109, 103, 104], //  4 exit
    [104, 105, 98, 99], //    5 filled at 104
    [99, 101, 97, 100], //    6 enter
    [100, 104, 99, 103], //   7 filled at 100
    [103, 110, 102, 109], //  8 enter again: ignored while long
    [109, 112, 108, 111],
    [111, 113, 107, 108], // 10 exit
    [108, 109, 105, 106], // 11 filled at 108
  ].map(([open = 0, high = 0, low = 0, close = 0]) => ({ open, high, low, close })),
)

const config: BacktestConfig = {
  ...freeConfig,
  initial_capital: 10_000,
  commission_rate: 0.001,
  commission_fixed: 1,
  slippage_bps: 10,
  sizing: { mode: 'all_in' },
  units: 'whole',
  close_open_trades: true,
}

const day = (i: number) => mondayMs + i * dayMs
const near = (values: readonly number[]) => values.map(value => expect.closeTo(value, 9))

test('two round trips cost, earn and last what a calculation by hand says', () => {
  const run = runOne({ bars, signals: signalsAt(12, [1, 6, 8], [4, 10]), config })
  // Trade 1: one unit costs 102 · 1.001 · 1.001 = 102.204102; (10 000 − 1) / 102.204102 = 97.8 → 97 units.
  //   in:  value 9 894, slippage 9.894, commission 0.001 · 9 903.894 + 1 = 10.903894; cash 85.202106
  //   out: value 10 088, slippage 10.088, commission 0.001 · 10 077.912 + 1 = 11.077912; cash 10 152.036194
  //   gross 97 · 2 = 194; costs 21.981806 + 19.982; net 152.036194
  //   held on bars 2, 3, 4 and at the open of 5: highest 109, lowest 101 (98 came after the exit)
  // Trade 2: (10 152.036194 − 1) / (100 · 1.002001) = 101.3 → 101 units.
  //   in:  value 10 100, slippage 10.1, commission 0.001 · 10 110.1 + 1 = 11.1101; cash 30.826094
  //   out: value 10 908, slippage 10.908, commission 0.001 · 10 897.092 + 1 = 11.897092; cash 10 916.021002
  //   gross 101 · 8 = 808; costs 23.007192 + 21.008; net 763.984808; highest 113, lowest 99
  const { trades } = run
  expect(trades.length).toBe(2)
  expect([...trades.trade_id]).toEqual([1, 2])
  expect(trades.side).toEqual(['long', 'long'])
  expect([...trades.entry_time]).toEqual([day(2), day(7)])
  expect([...trades.exit_time]).toEqual([day(5), day(11)])
  expect([...trades.entry_price]).toEqual([102, 100])
  expect([...trades.exit_price]).toEqual([104, 108])
  expect([...trades.units]).toEqual([97, 101])
  expect([...trades.gross_pnl]).toEqual([194, 808])
  expect([...trades.commission]).toEqual(near([21.981806, 23.007192]))
  expect([...trades.slippage]).toEqual(near([19.982, 21.008]))
  expect([...trades.net_pnl]).toEqual(near([152.036194, 763.984808]))
  expect([...trades.return_fraction]).toEqual(near([152.036194 / 9894, 763.984808 / 10_100]))
  expect([...trades.bars_held]).toEqual([3, 4])
  expect([...trades.max_favourable_excursion]).toEqual([97 * 7, 101 * 13])
  expect([...trades.max_adverse_excursion]).toEqual([97 * 1, 101 * 1])
  expect(trades.exit_reason).toEqual(['signal', 'signal'])
  expect(run.commission_total).toBeCloseTo(44.988998, 9)
  expect(run.slippage_total).toBeCloseTo(40.99, 9)
  expect(run.exposed_bars).toBe(9)
  expect([run.unfilled_signals, run.rejected_orders, run.open_trade]).toEqual([0, 0, null])
})

test('the equity is cash plus units at the close of every bar', () => {
  const { equity } = runOne({ bars, signals: signalsAt(12, [1, 6, 8], [4, 10]), config })
  expect([...equity.time]).toEqual(Array.from({ length: 12 }, (_, i) => day(i + 1)))
  const units = [0, 0, 97, 97, 97, 0, 0, 101, 101, 101, 101, 0]
  expect([...equity.position_value]).toEqual(units.map((count, i) => count * (bars.close[i] ?? 0)))
  expect([...equity.cash]).toEqual(
    near([
      1e4,
      1e4,
      ...Array(3).fill(85.202106),
      ...Array(2).fill(10_152.036194),
      ...Array(4).fill(30.826094),
      10_916.021002,
    ]),
  )
  expect([...equity.equity]).toEqual(
    near([
      10_000, 10_000, 10_270.202106, 10_464.202106, 10_173.202106, 10_152.036194, 10_152.036194,
      10_433.826094, 11_039.826094, 11_241.826094, 10_938.826094, 10_916.021002,
    ]),
  )
  expect(equity.drawdown_fraction[3]).toBe(0)
  expect(equity.drawdown_fraction[5]).toBeCloseTo(312.165912 / 10_464.202106, 12)
})

test('what is open at the end is sold at the last close, with costs, inside the last equity point', () => {
  const { trades, equity, open_trade } = runOne({ bars, signals: signalsAt(12, [6], []), config })
  // (10 000 − 1) / 100.2001 = 99.8 → 99 units: value 9 900, slippage 9.9, commission 10.9099; cash 79.1901.
  // Out at 106: value 10 494, slippage 10.494, commission 0.001 · 10 483.506 + 1 = 11.483506.
  expect(trades.exit_reason).toEqual(['end_of_data'])
  expect(trades.exit_price[0]).toBe(106)
  expect(trades.exit_time[0]).toBe(day(12))
  expect(trades.bars_held[0]).toBe(4)
  expect(trades.max_favourable_excursion[0]).toBe(99 * 13)
  expect(equity.equity[11]).toBeCloseTo(79.1901 + 10_494 - 10.494 - 11.483506, 9)
  expect(equity.position_value[11]).toBe(0)
  expect(open_trade).toBeNull()
})

test('without closing, the open position is reported with its unrealised result', () => {
  const run = runOne({
    bars,
    signals: signalsAt(12, [6], []),
    config: { ...config, close_open_trades: false },
  })
  expect(run.trades.length).toBe(0)
  expect(run.open_trade).toEqual({
    symbol: 'TEST',
    side: 'long',
    entry_time: day(7),
    entry_price: 100,
    units: 99,
    last_price: 106,
    gross_pnl: 99 * 6,
    commission: expect.closeTo(10.9099, 9),
    spread: 0,
    slippage: expect.closeTo(9.9, 9),
    borrow: 0,
    funding: 0,
    net_pnl: expect.closeTo(594 - 10.9099 - 9.9, 9),
    bars_held: 4,
    max_favourable_excursion: 99 * 13,
    max_adverse_excursion: 99 * 1,
    stop_price: null,
    current_stop_price: null,
    target_price: null,
  })
  expect(run.equity.equity[11]).toBeCloseTo(79.1901 + 99 * 106, 9)
})

test('a fraction of the equity is all an entry may spend, costs included', () => {
  const sizing = { mode: 'fraction', fraction: 0.5 } as const
  const { equity } = runOne({
    bars,
    signals: signalsAt(12, [1], []),
    config: { ...config, sizing, units: 'fractional' },
  })
  expect(equity.cash[2]).toBeCloseTo(5000, 9)
  expect(equity.position_value[2]).toBeCloseTo((105 * 4999) / 102.204102, 9)
})
