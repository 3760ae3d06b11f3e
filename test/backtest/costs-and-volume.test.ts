import { describe, expect, test } from '@jest/globals'
import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import { type FillCase, ordersIn, type Row, runCase, tradesIn } from '../fixtures/fill-case.ts'

const quiet: Row = [100, 101, 99, 100]
const near = (value: number) => expect.closeTo(value, 9)

/** Ten units bought at 100 at the open of bar 1 and sold at 110 at the open of bar 2. */
const roundTrip = (config: Partial<BacktestConfig>, given: Partial<FillCase> = {}): FillCase => ({
  bars: [quiet, quiet, [110, 111, 109, 110]],
  signals: { enter_long: [0], exit_long: [1] },
  config,
  ...given,
})

describe('what a round trip of 1 000 and 1 100 costs', () => {
  test.each<[string, Partial<BacktestConfig>, { commission?: number; spread?: number; slippage?: number }]>([
    // Half of 20 basis points each way: 1 and 1.1.
    ['half the spread each side', { spread_bps: 20 }, { spread: 2.1 }],
    ['slippage', { slippage_bps: 20 }, { slippage: 4.2 }],
    // On 1 000 + 1 + 2 and on 1 100 − 1.1 − 2.2.
    [
      'a commission on the value after spread and slippage',
      { spread_bps: 20, slippage_bps: 20, commission_rate: 0.01 },
      { spread: 2.1, slippage: 4.2, commission: 10.03 + 10.967 },
    ],
    ['a commission per unit', { commission_per_unit: 0.05 }, { commission: 1 }],
    // 1.5 is below the minimum of 2; 1.1 · 10 + 1 is not.
    ['a commission of at least so much', { commission_fixed: 1.5, commission_min: 2 }, { commission: 4 }],
    [
      'a commission above its minimum',
      { commission_rate: 0.01, commission_fixed: 1, commission_min: 2 },
      { commission: 11 + 12 },
    ],
    [
      'the tier of the value traded before',
      {
        commission_rate: 0.5,
        commission_tiers: [
          { from_value: 0, rate: 0.01 },
          { from_value: 1000, rate: 0.005 },
        ],
      },
      { commission: 10 + 5.5 },
    ],
    [
      'the rate where no tier begins so low',
      { commission_rate: 0.02, commission_tiers: [{ from_value: 1001, rate: 0.005 }] },
      { commission: 20 + 22 },
    ],
  ])('%s', (_name, config, costs) => {
    const { trades, equity } = runCase(roundTrip(config))
    const { commission = 0, spread = 0, slippage = 0 } = costs
    expect([trades.commission[0], trades.spread[0], trades.slippage[0]]).toEqual(
      [commission, spread, slippage].map(near),
    )
    expect(trades.gross_pnl[0]).toBe(100)
    expect(trades.net_pnl[0]).toBeCloseTo(100 - commission - spread - slippage, 9)
    expect(equity.equity[2]).toBeCloseTo(100_100 - commission - spread - slippage, 9)
  })

  test('a target and a limit entry pay neither spread nor slippage', () => {
    const config = { spread_bps: 20, slippage_bps: 20, commission_rate: 0.01 }
    const signals = { enter_long: [0], limit: 5, target: 10 }
    const bars: Row[] = [quiet, [98, 99, 94, 97], [100, 106, 99, 100]]
    const { trades } = runCase({ bars, signals, plan: { entry: 'limit' }, config })
    expect([trades.spread[0], trades.slippage[0], trades.commission[0]]).toEqual([0, 0, near(9.5 + 10.5)])
  })

  test('the value traded counts for a calendar month', () => {
    // Bars from 1 January on: the third trade, on 2 February, begins again with the first tier.
    const bars = Array.from({ length: 36 }, (): Row => [100, 100, 100, 100])
    const signals = { enter_long: [0, 10, 31], exit_long: [2, 12, 33] }
    const tiers = [
      { from_value: 0, rate: 0.01 },
      { from_value: 2000, rate: 0.001 },
    ]
    const { trades } = runCase({ bars, signals, config: { commission_tiers: tiers } })
    expect([...trades.commission]).toEqual([near(20), near(2), near(20)])
  })
})

describe('a share of the volume', () => {
  const config = { volume_share: { limit_fraction: 0.1, impact: 0 } } as const
  const day = (open: number, volume: number): Row => [open, open + 1, open - 1, open, volume]

  test('an entry is filled over several bars, at the average of their opens', () => {
    // 4 of 40, 4 of 40, the 2 that are left.
    const run = runCase({
      bars: [quiet, day(100, 40), day(103, 40), day(106, 40), quiet],
      signals: { enter_long: [0] },
      config,
    })
    expect(tradesIn(run)).toEqual(['long 10: 102.4 →'])
    expect(ordersIn(run)).toEqual(['buy market: filled 10 at 102.4'])
    expect([...run.equity.position_value]).toEqual([0, 400, 824, 1060, 1000])
  })

  test('an exit is filled over several bars, and the trade ends with the last of them', () => {
    const run = runCase({
      bars: [quiet, day(100, 100), day(110, 60), day(120, 60), quiet],
      signals: { enter_long: [0], exit_long: [1] },
      config,
    })
    // 6 at 110 and 4 at 120.
    expect(tradesIn(run)).toEqual(['long 10: 100 → 114 signal'])
    expect([run.trades.gross_pnl[0], run.trades.bars_held[0], run.equity.equity[4]]).toEqual([
      near(140),
      2,
      near(100_140),
    ])
  })

  test('what a stop could not sell is sold at the next open, and the target is cancelled', () => {
    const run = runCase({
      bars: [quiet, day(100, 100), [98, 99, 94, 95, 60], [112, 113, 111, 112, 60], quiet],
      signals: { enter_long: [0], stop: 5, target: 10 },
      config,
    })
    // 6 at 95 and 4 at 112.
    expect(tradesIn(run)).toEqual(['long 10: 100 → 101.8 stop'])
    expect(ordersIn(run)).toEqual([
      'buy market: filled 10 at 100',
      'sell stop 95: filled 10 at 101.8',
      'sell limit 110: cancelled',
    ])
  })

  test('what a target could not sell waits at its price', () => {
    const run = runCase({
      bars: [quiet, day(100, 100), [108, 111, 107, 108, 60], day(105, 60), [111, 112, 110, 111, 60]],
      signals: { enter_long: [0], target: 10 },
      config,
    })
    // 6 at 110 and 4 at the open of 111.
    expect(tradesIn(run)).toEqual(['long 10: 100 → 110.4 target'])
  })

  test('an entry that ends before it is filled keeps what it got', () => {
    const run = runCase({
      bars: [quiet, day(100, 40), day(103, 40), day(106, 40)],
      signals: { enter_long: [0] },
      plan: { good_till: { bars: 2 } },
      config,
    })
    expect([tradesIn(run), ordersIn(run)]).toEqual([
      ['long 8: 101.5 →'],
      ['buy market: partly_filled 8 at 101.5'],
    ])
  })

  test('an entry at closes has as many of them as it is good for', () => {
    const run = runCase({
      bars: [day(100, 40), day(103, 40), day(106, 40), quiet],
      signals: { enter_long: [0] },
      plan: { good_till: { bars: 1 } },
      config: { ...config, fill_on: 'close' },
    })
    expect(tradesIn(run)).toEqual(['long 8: 101.5 →'])
  })

  test('does not bound a liquidation', () => {
    const run = runCase({
      bars: [quiet, day(100, 400), [90, 91, 70, 90, 50]],
      signals: { enter_long: [0] },
      config: { ...config, initial_capital: 1000, sizing: { mode: 'all_in' }, leverage: 4 },
    })
    expect(tradesIn(run)).toEqual(['long 40: 100 → 75 ruin'])
  })

  test('is one for the exit and the entry of a bar', () => {
    const run = runCase({
      bars: [quiet, day(100, 100), day(110, 120), quiet],
      signals: { enter_long: [0], enter_short: [1] },
      config,
    })
    // Of 12 units the exit takes 10, the entry of the other side 2; quiet has no volume.
    expect(tradesIn(run)).toEqual(['long 10: 100 → 110 reversal', 'short 2: 110 →'])
  })

  test('ends with the position: what an entry has left is cancelled by the exit', () => {
    const run = runCase({
      bars: [quiet, day(100, 40), [98, 99, 94, 95, 40], day(96, 40), day(97, 40), day(98, 400)],
      signals: { enter_long: [0], stop: 5 },
      config,
    })
    // 4 at 100 and 4 at 98; the stop at 95 finds no volume on that bar: 4 at 96 and 4 at 97.
    expect(tradesIn(run)).toEqual(['long 8: 99 → 96.5 stop'])
    expect(ordersIn(run)).toEqual(['buy market: partly_filled 8 at 99', 'sell stop 95: filled 8 at 96.5'])
  })

  test('cuts what an entry has left to what can still be paid for', () => {
    const run = runCase({
      bars: [quiet, day(100, 40), day(200, 40), day(200, 40)],
      signals: { enter_long: [0] },
      config: { ...config, initial_capital: 1000 },
    })
    // 4 for 400; at 200 the 4 are worth 800 of an equity of 1 400, which leaves 600 for 3.
    expect(ordersIn(run)).toEqual([`buy market: partly_filled 7 at ${1000 / 7}`])
    expect(run.equity.cash[3]).toBe(0)
  })

  test('its impact is the square of the share, on the price of what is not a limit order', () => {
    // 10 of 100 is a share of 0.1: 0.5 · 0.01 = 0.5 % of 1 000 and of 1 100.
    const { trades } = runCase({
      bars: [quiet, day(100, 100), day(110, 100)],
      signals: { enter_long: [0], exit_long: [1] },
      config: { volume_share: { limit_fraction: 0.1, impact: 0.5 } },
    })
    expect(trades.slippage[0]).toBeCloseTo(5 + 5.5, 9)
  })

  test('without volume nothing is traded', () => {
    const run = runCase({ bars: [quiet, quiet, quiet], signals: { enter_long: [0] }, config })
    expect([tradesIn(run), ordersIn(run)]).toEqual([[], ['buy market: unfilled']])
  })
})

test('decisions filled at the close that makes them trade at that close', () => {
  const bars: Row[] = [quiet, [101, 103, 100, 102], [103, 106, 102, 105], quiet]
  const run = runCase({ bars, signals: { enter_long: [1], exit_long: [2] }, config: { fill_on: 'close' } })
  expect(tradesIn(run)).toEqual(['long 10: 102 → 105 signal'])
  expect([run.trades.bars_held[0], run.exposed_bars, run.unfilled_signals]).toEqual([1, 2, 0])
  const reversed = runCase({
    bars,
    signals: { enter_long: [1], enter_short: [2] },
    config: { fill_on: 'close' },
  })
  expect(tradesIn(reversed)).toEqual(['long 10: 102 → 105 reversal', 'short 10: 105 →'])
  const timed = runCase({
    bars,
    signals: { enter_long: [0] },
    plan: { max_bars: 2 },
    config: { fill_on: 'close' },
  })
  expect(tradesIn(timed)).toEqual(['long 10: 100 → 105 max_bars'])
})

test('a stop of a position entered at a close counts from the next bar on', () => {
  const bars: Row[] = [[100, 120, 80, 100], quiet, [96, 97, 94, 95]]
  const run = runCase({ bars, signals: { enter_long: [0], stop: 5 }, config: { fill_on: 'close' } })
  expect(tradesIn(run)).toEqual(['long 10: 100 → 95 stop'])
})
