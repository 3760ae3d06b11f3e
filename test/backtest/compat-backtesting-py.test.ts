import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BacktestConfig, type OrderPlan, plainPlan } from '../../src/backtest/backtest-config.ts'
import type { BacktestRun } from '../../src/backtest/backtest-run.ts'
import { runBacktestingPy } from '../../src/backtest/compat-backtesting-py.ts'
import type { TradeSignals } from '../../src/backtest/trade-signals.ts'
import type { Bars } from '../../src/market/bars.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { anyBars, barsOf } from '../fixtures/bars.ts'

const plain: BacktestConfig = {
  initial_capital: 1_000,
  commission_rate: 0,
  commission_fixed: 0,
  commission_per_unit: 0,
  commission_min: 0,
  commission_tiers: [],
  spread_bps: 0,
  slippage_bps: 0,
  volume_share: null,
  borrow_rate_annual: 0,
  funding_rate_annual: 0,
  sizing: { mode: 'all_in' },
  units: 'whole',
  lot_size: null,
  tick_size: null,
  leverage: 1,
  maintenance_margin_fraction: 0,
  max_positions: null,
  fill_on: 'next_open',
  intrabar: 'pessimistic',
  close_open_trades: false,
}

type Marks = Partial<Record<'enter_long' | 'exit_long' | 'enter_short' | 'exit_short', readonly number[]>>
type Distances = Partial<Record<'stop' | 'target' | 'limit' | 'entryStop', number>>

function signalsOf(length: number, marks: Marks, distances: Distances): TradeSignals {
  const mark = (bars: readonly number[] = []) =>
    Uint8Array.from({ length }, (_, i) => (bars.includes(i) ? 1 : 0))
  const column = (value: number | undefined) =>
    value === undefined ? null : new Float64Array(length).fill(value)
  return {
    enter_long: mark(marks.enter_long),
    exit_long: mark(marks.exit_long),
    enter_short: mark(marks.enter_short),
    exit_short: mark(marks.exit_short),
    stop_distance: column(distances.stop),
    target_distance: column(distances.target),
    limit_distance: column(distances.limit),
    entry_stop_distance: column(distances.entryStop),
  }
}

type Case = {
  readonly marks: Marks
  readonly distances?: Distances
  readonly config?: Partial<BacktestConfig>
  readonly plan?: Partial<OrderPlan>
}

function run(bars: Bars, { marks, distances = {}, config = {}, plan = {} }: Case): BacktestRun {
  const signals = signalsOf(bars.length, marks, distances)
  return runBacktestingPy({
    markets: [{ symbol: 'TEST', bars, signals, from: 0, finer: null }],
    config: { ...plain, ...config },
    plan: { ...plainPlan, ...plan },
  })
}

/** Bars of open, high, low, close on every other day, so that no open is at the time of the close before. */
const ohlc = (...rows: readonly (readonly [number, number, number, number])[]) =>
  barsOf(
    rows.map(([open, high, low, close]) => ({ open, high, low, close })),
    '1d',
    2 * dayMs,
  )

const barsOfCloses = (closes: readonly number[]) =>
  ohlc(...closes.map(close => [close, close, close, close] as const))

/** What a trade is told by; its exit bar by its time. */
function summary(bars: Bars, { trades }: BacktestRun) {
  const barOf = (timeMs: number) =>
    bars.time.findLastIndex((open, i) => timeMs >= open && timeMs <= (bars.close_time[i] ?? 0))
  return Array.from({ length: trades.length }, (_, i) => ({
    side: trades.side[i],
    units: trades.units[i],
    entry: trades.entry_price[i],
    exit: trades.exit_price[i],
    exitBar: barOf(trades.exit_time[i] ?? 0),
    reason: trades.exit_reason[i],
  }))
}

/** The first seven days of Google, 19 to 27 August 2004: the data of backtesting.py's own tests. */
const google = ohlc(
  [100, 104.06, 95.96, 100.34],
  [101.01, 109.08, 100.5, 108.31],
  [110.75, 113.48, 109.05, 109.4],
  [111.24, 111.6, 103.57, 104.87],
  [104.96, 108, 103.88, 106],
  [104.95, 107.95, 104.66, 107.91],
  [108.1, 108.62, 105.69, 106.15],
)

describe('what the tests of backtesting.py 0.6 state (backtesting/test/_test.py)', () => {
  const rounded = (result: BacktestRun) =>
    [...result.equity.equity.subarray(2, 4)].map(value => Math.round(value * 100) / 100)
  // test_spread_commission: bought at the open of bar 2, sold at that of bar 3, 10 000 in cash.
  test.each([
    // ⌊10 000 / (110.75 · 1.01 + 110.75 · 0.01)⌋ = ⌊88.5…⌋ = 88 units
    [{ spread_bps: 100, commission_rate: 0.01 }, 88, [9_685.31, 9_749.33]],
    // ⌊10 000 / (110.75 + 100 + 110.75 · 0.01)⌋ = ⌊47.2…⌋: the fixed 100 count as if every unit paid them
    [{ commission_fixed: 100, commission_rate: 0.01 }, 47, [9_784.5, 9_718.69]],
    // ⌊10 000 / (110.75 + 1.1075)⌋ = ⌊89.4⌋
    [{ commission_rate: 0.01 }, 89, [9_781.28, 9_846.04]],
  ])('the equity with costs %j', (costs, units, equity) => {
    const config = { initial_capital: 10_000, ...costs }
    const result = run(google, { marks: { enter_long: [1], exit_long: [2] }, config })
    expect(result.trades.units[0]).toBe(units)
    expect(rounded(result)).toEqual(equity)
  })

  // test_commissions: 100 units bought at 1 and sold at 4, where the price jumps over the target of 3.
  test('both commissions of a target that was jumped over', () => {
    const config = {
      initial_capital: 5_000,
      commission_fixed: 10,
      commission_rate: 0.01,
      sizing: { mode: 'units', units: 100 },
    } as const
    const bars = barsOfCloses([1, 1, 1, 2, 4, 1, 2])
    const result = run(bars, { marks: { enter_long: [1] }, distances: { target: 2 }, config })
    // 10 + 0.01 · 100 · 1 + 10 + 0.01 · 100 · 4
    expect(result.commission_total).toBe(25)
    expect(result.equity.equity.at(-1)).toBe(5_000 + (4 - 1) * 100 - 25)
  })

  // test_trade_enter_hit_sl_on_same_day: 17 and 18 October 2012, stop at 720.
  test('a stop that is hit on the bar of the entry', () => {
    const bars = ohlc(
      [740.13, 746.99, 736.46, 744.7],
      [743.95, 756.34, 740.26, 755.49],
      [755.54, 759.42, 676, 695],
      [705.58, 706.7, 672, 681.79],
    )
    const result = run(bars, { marks: { enter_long: [1] }, distances: { stop: 755.49 - 720 } })
    expect(summary(bars, result)).toMatchObject([{ entry: 755.54, exitBar: 2, reason: 'stop' }])
    expect(result.trades.exit_price[0]).toBeCloseTo(720, 9)
  })

  // The same test with an entry stop at 758: its stop loss at 720 waits for the next bar, whose open is below it.
  test('a stop loss of a stop entry waits for the next bar', () => {
    const bars = ohlc(
      [740.13, 746.99, 736.46, 744.7],
      [743.95, 756.34, 740.26, 755.49],
      [755.54, 759.42, 676, 695],
      [705.58, 706.7, 672, 681.79],
    )
    const distances = { entryStop: 758 - 755.49, stop: 758 - 720 }
    const result = run(bars, { marks: { enter_long: [1] }, distances, plan: { entry: 'stop' } })
    expect(result.trades.entry_price[0]).toBeCloseTo(758, 9)
    expect(summary(bars, result)).toMatchObject([{ exit: 705.58, exitBar: 3, reason: 'stop' }])
  })

  // test_stop_entry_and_tp_in_same_bar: sold by a stop at 108 on bar 3, where the target of 105 is on the way.
  test('a stop entry reaches its target on the same bar where its stop loss is out of reach', () => {
    const distances = { entryStop: 109.4 - 108, stop: 113 - 108, target: 108 - 105 }
    const result = run(google, { marks: { enter_short: [2] }, distances, plan: { entry: 'stop' } })
    expect(result.trades.entry_price[0]).toBeCloseTo(108, 9)
    expect(result.trades.exit_price[0]).toBeCloseTo(105, 9)
    expect(summary(google, result)).toMatchObject([{ side: 'short', exitBar: 3, reason: 'target' }])
  })

  // test_gh_521: filled at the close of the decision, its stop of 90 counts from the next bar on.
  test('a stop of a trade on close is gapped through', () => {
    const bars = barsOfCloses([100, 100, 100, 50, 50])
    const config = { initial_capital: 100, fill_on: 'close', sizing: { mode: 'units', units: 1 } } as const
    const result = run(bars, { marks: { enter_long: [1] }, distances: { stop: 10 }, config })
    expect(result.trades.exit_price[0]).toBe(50)
  })

  // test_trade_on_close_closes_trades_on_close, without the second trade: in and out at the closes of bars 1 and 2.
  test('an exit by rule is filled at the close too', () => {
    const closes = [100, 101, 102, 50, 51]
    const bars = ohlc(...closes.map(close => [close - 10, close, close - 10, close] as const))
    const config = { fill_on: 'close', sizing: { mode: 'units', units: 1 } } as const
    const result = run(bars, { marks: { enter_long: [1], exit_long: [2] }, config })
    expect(summary(bars, result)).toMatchObject([{ entry: 101, exit: 102, exitBar: 2 }])
  })

  // The same test filled at opens: in at the open of bar 2, 92, and out at that of bar 3, 40.
  test('and at the next open otherwise', () => {
    const closes = [100, 101, 102, 50, 51]
    const bars = ohlc(...closes.map(close => [close - 10, close, close - 10, close] as const))
    const config = { sizing: { mode: 'units', units: 1 } } as const
    const result = run(bars, { marks: { enter_long: [1], exit_long: [2] }, config })
    expect(summary(bars, result)).toMatchObject([{ entry: 92, exit: 40, exitBar: 3 }])
  })
})

describe('by hand', () => {
  test('the spread is paid once, at the entry, and both commissions on the prices paid', () => {
    const bars = barsOfCloses([100, 100, 100, 110, 110])
    const config = { spread_bps: 200, commission_rate: 0.05, initial_capital: 1_000 }
    const result = run(bars, { marks: { enter_long: [1], exit_long: [2] }, config })
    // price with spread 102, and 5 of commission: ⌊1 000 / 107⌋ = 9 units; 9 · 102 · 0.05 + 9 · 110 · 0.05
    const { trades } = result
    expect(trades.units[0]).toBe(9)
    expect(trades.spread[0]).toBeCloseTo(9 * 2, 9)
    expect(trades.commission[0]).toBeCloseTo(45.9 + 49.5, 9)
    expect(trades.net_pnl[0]).toBeCloseTo(9 * (110 - 102) - 95.4, 9)
    expect(result.equity.equity.at(-1)).toBeCloseTo(1_000 + 72 - 95.4, 9)
    expect(result.spread_total).toBeCloseTo(18, 9)
  })

  test('a short sells below the price by the spread and buys back at the price', () => {
    const bars = barsOfCloses([100, 100, 100, 90, 90])
    const result = run(bars, {
      marks: { enter_short: [1], exit_short: [2] },
      config: { spread_bps: 200 },
    })
    // sold at 98: ⌊1 000 / 98⌋ = 10 units; 10 · (98 − 90)
    expect(result.trades.units[0]).toBe(10)
    expect(result.trades.net_pnl[0]).toBeCloseTo(80, 9)
  })

  test('units are whole, and the leverage multiplies what is available', () => {
    const bars = barsOfCloses([30, 30, 30, 30])
    const marks = { enter_long: [1] }
    const unitsWith = (config: Partial<BacktestConfig>) => run(bars, { marks, config }).open_trades[0]?.units
    expect(unitsWith({ initial_capital: 100 })).toBe(3) // ⌊3.33⌋
    expect(unitsWith({ initial_capital: 100, leverage: 5 })).toBe(16) // ⌊16.67⌋
    expect(unitsWith({ initial_capital: 100, sizing: { mode: 'fraction', fraction: 0.5 } })).toBe(1) // ⌊1.67⌋
    // all in is a fraction just below 1: what would be exactly 3 units is 2
    expect(unitsWith({ initial_capital: 90 })).toBe(2)
  })

  test('units that the margin does not pay are not bought at all', () => {
    const sizing = { mode: 'units', units: 11 } as const
    const result = run(barsOfCloses([100, 100, 100, 100]), { marks: { enter_long: [1] }, config: { sizing } })
    expect(result).toMatchObject({ rejected_orders: 1, open_trades: [] })
  })

  test('the opposite entry closes at the same open and sizes from what is left', () => {
    const bars = barsOfCloses([100, 100, 100, 100, 80, 70])
    const result = run(bars, {
      marks: { enter_long: [1], enter_short: [3] },
      config: { close_open_trades: true },
    })
    // 9 units at 100 (all in is just below 1), sold at 80: 1 000 − 180 = 820; ⌊820 / 80⌋ = 10 short, closed at 70
    expect(summary(bars, result)).toMatchObject([
      { side: 'long', units: 9, entry: 100, exit: 80, reason: 'reversal' },
      { side: 'short', units: 10, entry: 80, exit: 70, reason: 'end_of_data' },
    ])
    expect(result.equity.equity.at(-1)).toBe(820 + 100)
  })

  test('the stop is processed before the target of the same bar', () => {
    const bars = ohlc([100, 100, 100, 100], [100, 100, 100, 100], [100, 120, 80, 100], [100, 100, 100, 100])
    const result = run(bars, { marks: { enter_long: [1] }, distances: { stop: 10, target: 10 } })
    expect(summary(bars, result)).toMatchObject([{ exit: 90, exitBar: 2, reason: 'stop' }])
    expect(result.trades.ambiguous).toEqual([true])
  })

  test('stops and targets lie at their distance from the deciding close, not from the fill', () => {
    const bars = ohlc([100, 100, 100, 100], [100, 100, 100, 100], [97, 99, 95, 96], [96, 112, 96, 111])
    const result = run(bars, { marks: { enter_long: [1] }, distances: { stop: 6, target: 10 } })
    // filled at 97; stop 94 is not reached by 95, target 110 is by 112
    expect(summary(bars, result)).toMatchObject([{ entry: 97, exit: 110, exitBar: 3 }])
    expect(result.trades.stop_price[0]).toBe(94)
  })

  test('a stop that the open lies beyond fills at the open, a target too', () => {
    const flat = [100, 100, 100, 100] as const
    const stopped = ohlc(flat, flat, flat, [80, 85, 75, 80])
    const stop = run(stopped, { marks: { enter_long: [1] }, distances: { stop: 10 } })
    expect(summary(stopped, stop)).toMatchObject([{ exit: 80, reason: 'stop' }])
    const jumped = ohlc(flat, flat, flat, [120, 125, 115, 120])
    const target = run(jumped, { marks: { enter_long: [1] }, distances: { target: 10 } })
    expect(summary(jumped, target)).toMatchObject([{ exit: 120, reason: 'target' }])
  })

  test('a limit entry fills at the limit, or better at the open', () => {
    const flat = [100, 100, 100, 100] as const
    const entry = (bars: Bars) =>
      run(bars, { marks: { enter_long: [1] }, distances: { limit: 5 }, plan: { entry: 'limit' } })
    expect(entry(ohlc(flat, flat, [100, 100, 95, 99])).open_trades[0]?.entry_price).toBe(95)
    expect(entry(ohlc(flat, flat, [92, 93, 91, 92])).open_trades[0]?.entry_price).toBe(92)
    expect(entry(ohlc(flat, flat, [100, 100, 95.5, 99])).open_trades).toEqual([])
  })

  test('a stop-limit entry whose limit lies before its stop is not filled on the bar that triggers it', () => {
    const flat = [100, 100, 100, 100] as const
    const bars = ohlc(flat, flat, [100, 106, 99, 104], [104, 104, 101, 103])
    // stop at 105, limit 2 below it at 103: triggered on bar 2, filled on bar 3 at min(104, 103)
    const distances = { entryStop: 5, limit: -2 }
    const result = run(bars, { marks: { enter_long: [1] }, distances, plan: { entry: 'stop_limit' } })
    expect(result.open_trades[0]).toMatchObject({ entry_price: 103, bars_held: 0 })
  })

  test('the last bar is gone through again, so that what is open ends at its open', () => {
    const bars = ohlc([10, 10, 10, 10], [10, 10, 10, 10], [10, 12, 9, 11], [12, 15, 11, 14])
    const open = run(bars, { marks: { enter_long: [1] } })
    expect(open.equity.equity.at(-1)).toBe(1_000 + 99 * (14 - 10))
    const closed = run(bars, { marks: { enter_long: [1] }, config: { close_open_trades: true } })
    expect(summary(bars, closed)).toMatchObject([{ exit: 12, exitBar: 3, reason: 'end_of_data' }])
    expect(closed.equity.equity.at(-1)).toBe(1_000 + 99 * (12 - 10))
  })

  test('what is decided on the last bar fills at its open only when it is gone through again', () => {
    const bars = ohlc([10, 10, 10, 10], [10, 10, 10, 10], [12, 15, 11, 14])
    const marks = { enter_long: [2] }
    expect(run(bars, { marks })).toMatchObject({ unfilled_signals: 1, open_trades: [] })
    const closed = run(bars, { marks, config: { close_open_trades: true } })
    expect(closed).toMatchObject({ unfilled_signals: 0, open_trades: [{ entry_price: 12, units: 83 }] })
  })

  test('an equity of 0 or less ends it, and what is owed is forgotten', () => {
    const bars = barsOfCloses([100, 100, 100, 100, 250, 50, 50])
    const result = run(bars, { marks: { enter_short: [1] } })
    // 9 units short at 100 lose 1 350 at 250
    expect(summary(bars, result)).toMatchObject([{ units: 9, exit: 250, exitBar: 4, reason: 'ruin' }])
    expect([...result.equity.equity]).toEqual([1_000, 1_000, 1_000, 1_000, 0, 0, 0])
    expect(result).toMatchObject({ ruined: true, open_trades: [] })
  })

  test('nothing is decided on the first bar', () => {
    const result = run(barsOfCloses([100, 100, 100]), { marks: { enter_long: [0] } })
    expect(result.open_trades).toEqual([])
  })
})

test('what that library does not have is refused, every part by name', () => {
  expect(() =>
    run(barsOfCloses([1, 1]), {
      marks: {},
      config: { slippage_bps: 5, units: 'fractional', sizing: { mode: 'value', value: 5 } },
      plan: { trailing_stop: true },
    }),
  ).toThrow(
    expect.objectContaining({
      errors: ['/slippage_bps', '/units', '/sizing/mode', '/plan/trailing_stop'].map(pointer =>
        expect.objectContaining({ pointer }),
      ),
    }),
  )
})

test('the results of the trades add up to the change of the equity while there is any', () => {
  const marks = fc.uniqueArray(fc.nat(79), { maxLength: 40 })
  fc.assert(
    fc.property(
      anyBars(2, 80),
      fc.record({ enter_long: marks, exit_long: marks, enter_short: marks, exit_short: marks }),
      fc.record({ stop: fc.integer({ min: 1, max: 20 }), target: fc.integer({ min: 1, max: 20 }) }),
      fc.record({
        initial_capital: fc.integer({ min: 500, max: 1_000_000 }),
        spread_bps: fc.integer({ min: 0, max: 100 }),
        commission_rate: fc.double({ min: 0, max: 0.01, noNaN: true }),
        commission_fixed: fc.nat(5),
        leverage: fc.integer({ min: 1, max: 4 }),
        close_open_trades: fc.boolean(),
        fill_on: fc.constantFrom('next_open', 'close'),
      }),
      (bars, decided, distances, config) => {
        const result = run(bars, { marks: decided, distances, config })
        fc.pre(!result.ruined)
        const net = [...result.trades.net_pnl, ...result.open_trades.map(open => open.net_pnl)]
        const change = (result.equity.equity.at(-1) ?? 0) - config.initial_capital
        const scale = config.initial_capital
        expect(net.reduce((sum, value) => sum + value, 0) / scale).toBeCloseTo(change / scale, 9)
        expect([...result.trades.units].every(units => Number.isInteger(units) && units > 0)).toBe(true)
      },
    ),
  )
})
