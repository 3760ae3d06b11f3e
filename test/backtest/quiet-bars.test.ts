import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BacktestInput, runBacktest, traceBacktest } from '../../src/backtest/engine.ts'
import { anyFullConfig, anyPlan, decisions, freeConfig, marketOf } from '../fixtures/backtest.ts'
import { anyRough, anySingle } from '../fixtures/backtest-inputs.ts'
import { anyBars, barsOfCloses } from '../fixtures/bars.ts'
import { firstDifference } from '../fixtures/run-difference.ts'

test('bars on which nothing can happen may be passed: the run is the same to the bit', () => {
  let trades = 0
  fc.assert(
    fc.property(anySingle, input => {
      const passed = runBacktest(input)
      trades += passed.trades.length
      expect(firstDifference(passed, traceBacktest(input, false))).toBeNull()
    }),
    { numRuns: 300 },
  )
  expect(trades).toBeGreaterThan(100)
})

test('quiet stretches are passed with sparse signals too', () => {
  const sparse = anyBars(60, 200).chain(bars =>
    fc
      .record({
        at: fc.array(fc.nat(bars.length - 1), { minLength: 4, maxLength: 4 }),
        stop: fc.integer({ min: 3, max: 40 }),
      })
      .map(({ at: [a = 0, b = 0, c = 0, d = 0], stop }) =>
        marketOf(
          bars,
          decisions(bars.length, {
            enter_long: [a],
            exit_long: [b],
            enter_short: [c],
            exit_short: [d],
            stop,
            target: stop,
          }),
        ),
      ),
  )
  fc.assert(
    fc.property(sparse, anyFullConfig, anyPlan, (market, config, plan) => {
      const input: BacktestInput = { markets: [market], config, plan }
      expect(firstDifference(runBacktest(input), traceBacktest(input, false))).toBeNull()
    }),
    { numRuns: 200 },
  )
})

/** Market orders at the next open that no volume and no ticks bound. */
const anyPlain = fc.oneof(anySingle, anyRough).map(
  ({ config, plan, ...input }): BacktestInput => ({
    ...input,
    config: { ...config, fill_on: 'next_open', volume_share: null, tick_size: null },
    plan: { ...plan, entry: 'market' },
    keepOrders: false,
  }),
)

test('orders that nothing but the money bounds are filled by a shorter way: the run is the same to the bit', () => {
  const seen = { trades: 0, levels: 0, reversals: 0, rejected: 0, liquidations: 0 }
  fc.assert(
    fc.property(anyPlain, input => {
      const passed = runBacktest(input)
      const { exit_reason } = passed.trades
      seen.trades += passed.trades.length
      seen.levels += exit_reason.filter(reason => reason === 'stop' || reason === 'target').length
      seen.reversals += exit_reason.filter(reason => reason === 'reversal').length
      seen.rejected += passed.rejected_orders
      seen.liquidations += passed.liquidations
      expect(firstDifference(passed, traceBacktest(input, false))).toBeNull()
    }),
    { numRuns: 1000 },
  )
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
})

test('an exit that costs more than it brings ruins the account by the shorter way too', () => {
  const bars = barsOfCloses([100, 100, 100, 2, 2, 2, 2, 2])
  const signals = decisions(bars.length, { enter_long: [1, 4], exit_long: [3] })
  const input: BacktestInput = {
    markets: [marketOf(bars, signals)],
    config: { ...freeConfig, commission_fixed: 10 },
    keepOrders: false,
  }
  const run = runBacktest(input)
  // 0.9 units for 90 and 10 of commission; sold for 1.80 less 10.
  expect(run.equity.equity[4]).toBeCloseTo(-8.2, 12)
  expect(run).toMatchObject({ ruined: true, trades: { length: 1 } })
  expect(firstDifference(run, traceBacktest(input, false))).toBeNull()
})
