import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { measureTrades } from '../../src/backtest/trade-metrics.ts'
import { splitTrades } from '../../src/backtest/trade-splits.ts'
import { type TradeRow, tradesOf } from '../fixtures/measured-run.ts'

const rows: readonly TradeRow[] = [
  { pnl: 20, fraction: 0.2, days: 2, bars: 2, symbol: 'AAA' },
  { pnl: 10, fraction: 0.1, days: 1, bars: 1, symbol: 'BBB', side: 'short', reason: 'target' },
  { pnl: 0, fraction: 0, days: 3, bars: 3, symbol: 'AAA' },
  { pnl: -6, fraction: -0.05, days: 1, bars: 1, symbol: 'BBB', reason: 'stop', ambiguous: true },
  { pnl: -4, fraction: -0.1, days: 1, bars: 1, symbol: 'AAA', reason: 'stop' },
  { pnl: -5, fraction: -0.02, days: 4, bars: 4, symbol: 'AAA', side: 'short', reason: 'stop' },
]

test('trades are measured as a calculation by hand does', () => {
  expect(measureTrades(tradesOf(rows))).toEqual({
    trades: 6,
    winning_trades: 2,
    losing_trades: 3,
    net_pnl: 15,
    win_rate_fraction: 1 / 3,
    profit_factor: 2,
    expectancy: 2.5,
    // Won 15 on average, lost 5.
    expectancy_ratio: expect.closeTo(1 / 3 - 0, 12),
    payoff_ratio: 3,
    kelly_fraction: expect.closeTo(1 / 3 - 2 / 3 / 3, 12),
    avg_win: 15,
    avg_loss: -5,
    best_trade: 20,
    worst_trade: -6,
    best_trade_return_fraction: 0.2,
    worst_trade_return_fraction: -0.1,
    avg_trade_return_fraction: expect.closeTo((1.2 * 1.1 * 0.95 * 0.9 * 0.98) ** (1 / 6) - 1, 12),
    // Squares of the differences from 2.5: 306.25, 56.25, 6.25, 72.25, 42.25, 56.25.
    sqn: expect.closeTo((Math.sqrt(6) * 2.5) / Math.sqrt(539.5 / 5), 12),
    max_consecutive_wins: 2,
    max_consecutive_losses: 3,
    avg_bars_held: 2,
    avg_trade_duration_days: 2,
    max_trade_duration_days: 4,
    ambiguous_trades: 1,
  })
})

test('what only winners, only losers or no trades leave undefined says why', () => {
  const won = measureTrades(tradesOf([{ pnl: 1 }, { pnl: 2 }]))
  expect(won).toMatchObject({
    profit_factor: { undefined: 'no trade lost' },
    kelly_fraction: { undefined: 'no trade lost' },
    avg_loss: { undefined: 'no trade lost' },
  })
  const lost = measureTrades(tradesOf([{ pnl: -1, fraction: -1.5 }]))
  expect(lost).toMatchObject({
    profit_factor: 0,
    payoff_ratio: { undefined: 'no trade won' },
    sqn: { undefined: 'fewer than two trades' },
    avg_trade_return_fraction: { undefined: 'a trade lost all it was worth, or more' },
  })
  const none = { undefined: 'there are no trades' }
  expect(measureTrades(tradesOf([]))).toMatchObject({
    ...{ trades: 0, net_pnl: 0, max_consecutive_losses: 0, ambiguous_trades: 0 },
    ...{ expectancy: none, best_trade: none, kelly_fraction: none, max_trade_duration_days: none },
  })
  expect(measureTrades(tradesOf([{ pnl: 3 }, { pnl: 3 }])).sqn).toEqual({
    undefined: 'the trades do not vary',
  })
})

test('a long series of returns neither overflows nor vanishes', () => {
  const many = (fraction: number) => tradesOf(new Array<TradeRow>(5000).fill({ pnl: 1, fraction }))
  expect(measureTrades(many(0.5)).avg_trade_return_fraction).toBeCloseTo(0.5, 9)
  expect(measureTrades(many(-0.5)).avg_trade_return_fraction).toBeCloseTo(-0.5, 9)
})

test('every split has all trades once', () => {
  const row = fc.record({
    pnl: fc.integer({ min: -50, max: 50 }),
    symbol: fc.constantFrom('AAA', 'BBB'),
    side: fc.constantFrom('long' as const, 'short' as const),
    reason: fc.constantFrom('signal' as const, 'stop' as const, 'liquidation' as const),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), list => {
      const trades = tradesOf(list)
      const splits = splitTrades(trades, ['AAA', 'BBB'])
      const all = measureTrades(trades)
      for (const parts of [splits.side, splits.symbol, splits.exit_reason]) {
        const groups = Object.values(parts)
        const sum = (name: 'trades' | 'net_pnl' | 'winning_trades') =>
          groups.reduce((total, group) => total + (group?.[name] ?? 0), 0)
        for (const name of ['trades', 'net_pnl', 'winning_trades'] as const)
          expect(sum(name)).toBeCloseTo(all[name] as number, 9)
      }
    }),
  )
})

test('a symbol without trades is listed, a reason without trades is not', () => {
  const splits = splitTrades(tradesOf(rows), ['AAA', 'BBB', 'CCC'])
  expect(Object.keys(splits.symbol)).toEqual(['AAA', 'BBB', 'CCC'])
  expect(splits.symbol.CCC).toMatchObject({ trades: 0, expectancy: null })
  expect(Object.keys(splits.exit_reason)).toEqual(['signal', 'stop', 'target'])
  expect(splits.exit_reason.stop).toMatchObject({ trades: 3, max_consecutive_losses: 3, avg_win: null })
})
