import { describe, expect, test } from '@jest/globals'
import { type Row, runCase, tradesIn } from '../fixtures/fill-case.ts'

const level = (price: number): Row => [price, price, price, price]

describe('levels rounded to ticks stay on their side of the entry', () => {
  test('a target nearer than a tick is the first tick beyond it', () => {
    const high: Row = [100.8, 101, 100.5, 100.9]
    const long = { bars: [level(100.8), high], signals: { enter_long: [0], target: 0.1 } }
    expect(tradesIn(runCase({ ...long, config: { tick_size: 1 } }))).toEqual(['long 10: 100.8 → 101 target'])
    const low: Row = [100.2, 100.5, 99.9, 100.3]
    const short = { bars: [level(100.2), low], signals: { enter_short: [0], target: 0.15 } }
    expect(tradesIn(runCase({ ...short, config: { tick_size: 1 } }))).toEqual([
      'short 10: 100.2 → 100 target',
    ])
    expect(
      tradesIn(
        runCase({ ...short, bars: [level(100.2), [100.2, 101.5, 100.1, 100.3]], config: { tick_size: 1 } }),
      ),
    ).toEqual(['short 10: 100.2 →'])
  })

  test('a stop nearer than rounding can tell is a tick away', () => {
    const bars = [level(100), level(100)]
    const run = runCase({ bars, signals: { enter_long: [0], stop: 1e-9 }, config: { tick_size: 1 } })
    expect(run.open_trades[0]?.stop_price).toBe(99)
  })

  test('risk is counted to the stop as it is rounded', () => {
    const { trades } = runCase({
      bars: [level(101), level(101), [101, 101, 90, 90]],
      signals: { enter_long: [0], stop: 1 },
      config: { initial_capital: 10_000, tick_size: 5, sizing: { mode: 'risk', risk_percent: 1 } },
    })
    // 100 of 10 000 to lose; the stop at 100 is on the grid, so 1 away: as far as the equity pays, 99.0099.
    expect(trades.net_pnl[0]).toBeCloseTo(-99.0099, 4)
    const far = runCase({
      bars: [level(101), level(101), [101, 101, 90, 90]],
      signals: { enter_long: [0], stop: 2 },
      config: { initial_capital: 10_000, tick_size: 5, sizing: { mode: 'risk', risk_percent: 1 } },
    })
    // 99 is rounded to 95, 6 away: 100 / 6 units.
    expect(far.trades.units[0]).toBeCloseTo(100 / 6, 9)
    expect(far.trades.net_pnl[0]).toBeCloseTo(-100, 9)
  })
})

describe('a stop that the volume does not fill', () => {
  const config = {
    initial_capital: 10_000,
    leverage: 4,
    maintenance_margin_fraction: 0.1,
    sizing: { mode: 'all_in' },
    volume_share: { limit_fraction: 1, impact: 0 },
  } as const
  const busy: Row = [100, 100, 100, 100, 1e6]
  const signals = { enter_long: [0], stop: 5 }
  const after: Row = [99, 100, 98, 99, 1e6]

  test('does not keep the account from being liquidated', () => {
    const run = runCase({ bars: [busy, busy, [100, 100, 40, 99, 0], after], signals, config })
    // 400 · p − 30 000 = 0.1 · 400 · p
    expect(run.trades.exit_reason).toEqual(['liquidation'])
    expect(run.trades.exit_price[0]).toBeCloseTo(30_000 / 360, 9)
    expect(run.orders.status).toEqual(['filled', 'cancelled', 'filled'])
  })

  test('nor where it is filled in part, by what is left', () => {
    const run = runCase({ bars: [busy, busy, [100, 100, 60, 99, 40], after], signals, config })
    // 40 at 95; then 360 · p − 26 200 = 0.1 · 360 · p
    expect(run.trades.exit_reason).toEqual(['liquidation'])
    expect(run.trades.exit_price[0]).toBeCloseTo((40 * 95 + (360 * 26_200) / 324) / 400, 9)
  })

  test('nor on the bars it waits on, nor where finer bars are followed', () => {
    const waits: Row = [100, 100, 94, 96, 0]
    const falls: Row = [96, 97, 60, 90, 0]
    const later = runCase({ bars: [busy, busy, waits, falls, after], signals, config })
    // The second half opens where the stop is not yet reached again, or beyond it.
    const [inside, beyond] = [96, 94].map(half => {
      const finer = { 2: [[100, 100, 94, half] as const, [half, 97, 60, 90] as const] }
      return runCase({ bars: [busy, busy, [100, 100, 60, 90, 0], after], signals, config, finer })
    })
    for (const { trades } of [later, inside, beyond].filter(run => run !== undefined)) {
      expect(trades.exit_reason).toEqual(['liquidation'])
      expect(trades.exit_price[0]).toBeCloseTo(30_000 / 360, 9)
    }
  })

  test('waits where the margin is kept', () => {
    const run = runCase({ bars: [busy, busy, [100, 100, 94, 99, 0], after], signals, config })
    expect(tradesIn(run)).toEqual(['long 400: 100 → 99 stop'])
  })
})

test('a target that took the volume of the open leaves no doubt about a stop inside the bar', () => {
  const run = runCase({
    bars: [
      [100, 100, 100, 100, 1000],
      [100, 100, 100, 100, 1000],
      [120, 130, 80, 100, 50],
      [100, 100, 100, 100, 1000],
    ],
    signals: { enter_long: [0], stop: 5, target: 15 },
    config: { volume_share: { limit_fraction: 0.1, impact: 0 } },
  })
  // 5 at the open of 120; the volume has nothing left for the stop, which waits for the next open.
  expect(tradesIn(run)).toEqual(['long 10: 100 → 110 stop'])
})

describe('impact on thin bars', () => {
  const dry: Row = [100, 100, 100, 100, 0]
  const busy: Row = [100, 100, 100, 100, 1e9]
  const volume_share = { limit_fraction: 1, impact: 10 } as const

  test('is not paid where the books are closed at the end of the data', () => {
    const config = { volume_share, close_open_trades: true }
    const { trades } = runCase({ bars: [busy, busy, dry], signals: { enter_long: [0] }, config })
    expect([trades.exit_reason[0], trades.slippage[0]]).toEqual(['end_of_data', expect.closeTo(0, 9)])
  })

  test('never costs more than a forced sale brings', () => {
    const config = {
      volume_share: { limit_fraction: 0.1, impact: 10 },
      initial_capital: 1000,
      leverage: 4,
      maintenance_margin_fraction: 0.1,
      slippage_bps: 10,
    }
    const run = runCase({
      bars: [busy, busy, [100, 100, 60, 60, 0]],
      signals: { enter_long: [0] },
      config: { ...config, sizing: { mode: 'units', units: 30 } },
    })
    const { exit_price, slippage } = run.trades
    expect(slippage[0]).toBeCloseTo(30 * (exit_price[0] ?? 0) + 3, 6)
    // What is owed is what the sale did not bring: nothing is left, which is told.
    expect([run.liquidations, run.ruined]).toEqual([1, true])
  })
})
