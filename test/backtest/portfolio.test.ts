import { describe, expect, test } from '@jest/globals'
import { type BacktestConfig, plainPlan } from '../../src/backtest/backtest-config.ts'
import { runBacktest } from '../../src/backtest/engine.ts'
import { decisions, marketOf } from '../fixtures/backtest.ts'
import { daysOf, type Row, tenUnits, tradesIn } from '../fixtures/fill-case.ts'

const level = (price: number): Row => [price, price, price, price]
type Given = {
  readonly bars: readonly Row[]
  readonly signals: Parameters<typeof decisions>[1]
  readonly from?: number
}

function run(config: Partial<BacktestConfig>, ...given: readonly [Given, ...Given[]]) {
  const markets = given.map(({ bars, signals, from = 0 }, k) =>
    marketOf(daysOf(bars), decisions(bars.length, signals), { symbol: 'ABC'[k] ?? '', from }),
  )
  const [first, ...rest] = markets
  if (first === undefined) throw new Error('no market')
  return runBacktest({ markets: [first, ...rest], config: { ...tenUnits, ...config }, plan: plainPlan })
}

const four = [100, 100, 110, 110].map(level)

describe('one wallet for several markets', () => {
  const allIn = { initial_capital: 1000, sizing: { mode: 'all_in' } } as const

  test('gives the money to the first of two entries at the same open', () => {
    const result = run(
      allIn,
      { bars: four, signals: { enter_long: [0] } },
      { bars: four, signals: { enter_long: [0] } },
    )
    expect(result.open_trades.map(({ symbol, units }) => [symbol, units])).toEqual([['A', 10]])
    expect(result.rejected_orders).toBe(1)
  })

  test('shares it by fractions of the equity, and values all positions at every close', () => {
    const half = { ...allIn, sizing: { mode: 'fraction', fraction: 0.5 } } as const
    const falling = [50, 50, 40, 40].map(level)
    const result = run(
      half,
      { bars: four, signals: { enter_long: [0] } },
      { bars: falling, signals: { enter_short: [0] } },
    )
    expect(tradesIn(result)).toEqual(['long 5: 100 →', 'short 10: 50 →'])
    // Cash 1 000 − 500 + 500; 5 · 110 − 10 · 40 = 150; gross 950.
    expect([...result.equity.cash]).toEqual([1000, 1000, 1000, 1000])
    expect([...result.equity.position_value]).toEqual([0, 0, 150, 150])
    expect([...result.equity.equity]).toEqual([1000, 1000, 1150, 1150])
    expect(result.equity.exposure_fraction[2]).toBeCloseTo(950 / 1150, 12)
  })

  test('takes the exits of all markets before the entries of any', () => {
    // B leaves at the open of bar 2, at which A enters with B's money.
    const result = run(
      allIn,
      { bars: four, signals: { enter_long: [1] } },
      { bars: four, signals: { enter_long: [0], exit_long: [1] } },
    )
    expect(tradesIn(result)).toEqual(['long 10: 100 → 110 signal', 'long 10: 110 →'])
    expect(result.trades.symbol).toEqual(['B'])
  })

  test('holds no more positions than it may, and counts a reversal as one', () => {
    const both = { bars: four, signals: { enter_long: [0], enter_short: [1] } }
    const result = run({ max_positions: 1 }, both, both)
    expect(tradesIn(result)).toEqual(['long 10: 100 → 110 reversal', 'short 10: 110 →'])
    expect(result.rejected_orders).toBe(2)
    expect(result.orders.status.filter(status => status === 'rejected')).toHaveLength(2)
  })

  test('merges markets by time: one that begins later, has gaps and ends early keeps its last close', () => {
    const whole = daysOf([100, 100, 110, 120, 130].map(level))
    const days = daysOf([10, 10, 11, 12, 12].map(level))
    const pick = (column: Float64Array) => Float64Array.from([1, 3], i => column[i] ?? 0)
    const { length: _, ...columns } = days
    const gappy = {
      length: 2,
      ...(Object.fromEntries(
        Object.entries(columns).map(([name, column]) => [name, pick(column)]),
      ) as typeof columns),
    }
    const result = runBacktest({
      markets: [
        marketOf(whole, decisions(5, {}), { symbol: 'A' }),
        marketOf(gappy, decisions(2, { enter_long: [0] }), { symbol: 'B' }),
      ],
      config: tenUnits,
    })
    expect(result.equity.length).toBe(5)
    expect([...result.equity.time]).toEqual([...whole.close_time])
    expect([...result.equity.position_value]).toEqual([0, 0, 0, 120, 120])
    expect(result.open_trades[0]).toMatchObject({ symbol: 'B', entry_price: 12, entry_time: whole.time[3] })
  })

  test('is closed at the last close of each market', () => {
    const short = [50, 50, 40].map(level)
    const result = run(
      { close_open_trades: true },
      { bars: four, signals: { enter_long: [0] } },
      { bars: short, signals: { enter_long: [0] } },
    )
    expect(tradesIn(result)).toEqual(['long 10: 50 → 40 end_of_data', 'long 10: 100 → 110 end_of_data'])
  })

  test('is ruined as one: what another market lost closes all', () => {
    // 1 000: short 10 of A at 100 is worth nothing more at 200 if B stays; B is sold at its close of the same day.
    const half = { initial_capital: 1000, leverage: 2, sizing: { mode: 'value', value: 1000 } } as const
    const rising: Row[] = [level(100), level(100), [100, 230, 100, 150], level(150)]
    const flat = [50, 50, 50, 50].map(level)
    const result = run(
      half,
      { bars: rising, signals: { enter_short: [0], enter_long: [2] } },
      { bars: flat, signals: { enter_long: [0] } },
    )
    expect(tradesIn(result)).toEqual(['short 10: 100 → 200 ruin', 'long 20: 50 → 50 ruin'])
    expect([result.ruined, result.equity.equity[3]]).toEqual([true, 0])
  })

  test('stays ruined when another market rises by the close: that is closed too, at its close', () => {
    const config = { initial_capital: 1000, leverage: 2, sizing: { mode: 'value', value: 1000 } } as const
    const rising: Row[] = [level(100), level(100), [100, 230, 100, 150], level(150)]
    const better: Row[] = [level(50), level(50), [50, 52, 50, 51], level(60)]
    const result = run(
      config,
      { bars: better, signals: { enter_long: [0, 2] } },
      { bars: rising, signals: { enter_short: [0] } },
    )
    expect(tradesIn(result)).toEqual(['short 10: 100 → 200 ruin', 'long 20: 50 → 51 ruin'])
    expect([result.ruined, result.equity.equity[3]]).toEqual([true, 20])
  })

  test('has its points where the last of the bars that open together closes', () => {
    const bars = daysOf(four)
    const early = { ...bars, close_time: bars.close_time.map(time => time - 3_600_000) }
    const markets = [marketOf(bars, decisions(4, {})), marketOf(early, decisions(4, {}))] as const
    for (const order of [markets, [markets[1], markets[0]] as const])
      expect([...runBacktest({ markets: order, config: tenUnits }).equity.time]).toEqual([...bars.close_time])
  })

  describe('under a margin of 20 %, with 2 000 in each of two and 1 000 of its own', () => {
    const config = {
      initial_capital: 1000,
      leverage: 4,
      maintenance_margin_fraction: 0.2,
      sizing: { mode: 'value', value: 2000 },
    } as const
    const fall = (price: number): Given => ({
      bars: [level(100), level(100), [100, 100, price, price], level(price + 1)],
      signals: { enter_long: [0] },
    })

    test('is liquidated inside a bar, the other market at its open, until the margin is kept', () => {
      // A: 20 · p + 2 000 − 3 000 = 0.2 · (20 · p + 2 000) at 87.5. Then B alone, with 1 250 owed, may fall to 78.125.
      const result = run(config, fall(85), fall(85))
      expect(tradesIn(result)).toEqual(['long 20: 100 → 87.5 liquidation', 'long 20: 100 →'])
      expect([result.liquidations, result.ruined, result.equity.equity[2]]).toEqual([1, false, 450])
    })

    test('is liquidated at the closes, where all of it together is under the margin', () => {
      // 88 is above 87.5, but both at 88 leave 520 for a value of 3 520; without A it is 1 760.
      const result = run(config, fall(88), fall(88))
      expect(tradesIn(result)).toEqual(['long 20: 100 → 88 liquidation', 'long 20: 100 →'])
      expect([result.liquidations, result.equity.equity[2]]).toEqual([1, 520])
    })
  })
})

test('a market without bars in the range is refused by name', () => {
  expect(() => run({}, { bars: four, signals: {} }, { bars: four, signals: {}, from: 4 })).toThrow(
    /no bars of B/,
  )
})
