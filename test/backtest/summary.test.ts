import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { summarise } from '../../src/backtest/summary.ts'
import { tradeMetricNames } from '../../src/backtest/trade-metric-definitions.ts'
import { exitReasons } from '../../src/backtest/trades.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeSignals } from '../../src/strategy/signals.ts'
import { decisions, freeConfig, runOne, signalsAt } from '../fixtures/backtest.ts'
import { barsOf, barsOfCloses } from '../fixtures/bars.ts'
import { contextOf, curveOf, grow, measuredMarket, runOf } from '../fixtures/measured-run.ts'

test('a summary names its range and what to be careful about', () => {
  const bars = barsOfCloses([10, 10, 10, 30])
  const config = { ...freeConfig, initial_capital: 20, units: 'whole' } as const
  const run = runOne({ bars, config, signals: signalsAt(4, [2, 3], []) })
  const summary = summarise(
    run,
    contextOf(0, { config, markets: [measuredMarket(bars, { firstUsableBar: 2 })] }),
  )
  expect(summary).toMatchObject({
    bars: 4,
    start: '2024-01-01T00:00:00.000Z',
    end: '2024-01-05T00:00:00.000Z',
    unfilled_signals: 1,
    rejected_orders: 1,
    open_trades: [],
    return_frequency: 'daily',
  })
  expect(summary.warnings).toEqual([
    'There are no closed trades.',
    'The range is 4 days long: fewer than 14 say little about a strategy.',
    'Trading was free: commission, spread and slippage are zero.',
    '1 entries were rejected: the money did not buy the smallest amount, or no further position was allowed.',
    'What was decided at the last close was not filled: there is no next open.',
    'The first 2 bars decided nothing: there is not enough history before them.',
  ])
})

test('a summary survives JSON, open trade included', () => {
  const bars = barsOfCloses([10, 10, 10])
  const run = runOne({ bars, config: freeConfig, signals: signalsAt(3, [0], []) })
  const summary = summarise(run, contextOf(0, { markets: [measuredMarket(bars)] }))
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary)
  expect(summary.open_trades).toMatchObject([{ entry_time: '2024-01-02T00:00:00.000Z', units: 10 }])
})

test('the trades are told apart by side and by exit reason, each group measured like all', () => {
  // Short 10 → 12 (−20 %: 100 → 80), long 12 → 15 (80 → 100), long 15 → 12 (100 → 80).
  const bars = barsOfCloses([10, 10, 12, 15, 15, 12, 12])
  const signals = decisions(7, { enter_short: [0], enter_long: [1, 3], exit_long: [2, 4] })
  const run = runOne({ bars, config: freeConfig, signals })
  const { splits, metrics, warnings } = summarise(
    run,
    contextOf(0, { markets: [measuredMarket(bars, { symbol: 'TEST' })] }),
  )
  expect(metrics).toMatchObject({ trades: 3, net_pnl: expect.closeTo(-20, 9), avg_bars_held: 1 })
  expect(splits.side.short).toMatchObject({ trades: 1, losing_trades: 1, profit_factor: 0, avg_win: null })
  expect(splits.side.short.net_pnl).toBeCloseTo(-20, 9)
  expect(splits.side.long).toMatchObject({ trades: 2, winning_trades: 1, win_rate_fraction: 0.5 })
  expect(splits.side.long.profit_factor).toBeCloseTo(1, 9)
  expect(splits.symbol.TEST).toMatchObject({ trades: 3, losing_trades: 2 })
  expect(Object.keys(splits.exit_reason)).toEqual(['signal', 'reversal'])
  expect(splits.exit_reason.reversal?.net_pnl).toBeCloseTo(-20, 9)
  expect(warnings).toContain(
    'Borrowing was free: the shorts cost nothing but their fills. borrow_rate_annual is zero.',
  )
})

test('doubtful fills, ruin, missing stops and entries cut to the equity are pointed out', () => {
  const bars = barsOf([
    { open: 10, high: 10, low: 10, close: 10 },
    { open: 10, high: 12, low: 8, close: 10 },
    { open: 10, high: 10, low: 10, close: 10 },
    { open: 30, high: 30, low: 30, close: 30 },
  ])
  const given = decisions(4, { enter_long: [0], enter_short: [1], stop: 1, target: 1 })
  const config = { ...freeConfig, sizing: { mode: 'units', units: 11 } } as const
  const run = runOne({ bars, config, signals: { ...given, enter_long: Uint8Array.of(1, 0, 1, 0) } })
  const { warnings } = summarise(
    run,
    contextOf(0, { config, markets: [measuredMarket(bars, { firstUsableBar: 0 })] }),
  )
  expect(warnings.filter(warning => /reached stop|ruined|smaller than/.test(warning))).toEqual([
    'The account was ruined: nothing was left of the equity, and nothing was traded after that.',
    '1 of 2 trades ended on a bar that reached stop and target: the stop was taken to be first.',
    '2 entries are smaller than the sizing asks for: the equity did not pay for more.',
  ])
  const unknown = decisions(4, { enter_long: [0], stop: Number.NaN })
  const without = runOne({ bars, config, signals: unknown })
  expect(
    summarise(without, contextOf(0, { config, markets: [measuredMarket(bars, { firstUsableBar: 0 })] }))
      .warnings,
  ).toContain('1 entries were not taken: a price or distance they need was not known.')
})

test('a summary shows months, drawdowns and buy and hold beside each other', () => {
  const curve = curveOf(grow([0.1, -0.2, 0.1, 0.2]))
  const bars = barsOfCloses([10, 11, 12, 9])
  const { monthly_returns, worst_drawdowns, benchmark, metrics } = summarise(
    runOf(curve),
    contextOf(4, { markets: [measuredMarket(bars)] }),
  )
  expect(monthly_returns).toHaveLength(1)
  expect(monthly_returns[0]?.months[0]).toBeCloseTo(0.1616, 12)
  expect(worst_drawdowns).toEqual([
    {
      start: '2024-01-02T00:00:00.000Z',
      trough: '2024-01-03T00:00:00.000Z',
      recovered: '2024-01-05T00:00:00.000Z',
      depth_fraction: expect.closeTo(0.2, 12),
      days: 3,
    },
  ])
  // Bought at the first close, 10: returns 0, 10 %, 1/11, −25 %.
  expect(benchmark).toMatchObject({ symbols: ['AAA'], max_drawdown_fraction: expect.closeTo(0.25, 12) })
  expect(benchmark?.total_return_fraction).toBeCloseTo(-0.1, 12)
  expect(benchmark?.total_return_fraction).toBe(metrics.buy_and_hold_return_fraction)
  const none = contextOf(4, { markets: [measuredMarket(bars, { firstUsableBar: 4 })] })
  expect(summarise(runOf(curve), none).benchmark).toBeNull()
})

test('the contract lists the metrics of a split, and the exit reasons, of the engine', () => {
  const { schemas } = parse(readFileSync('openapi.yaml', 'utf8')).components
  const { BacktestTradeMetrics: ofTrades, BacktestSplits: ofSplits } = schemas
  expect(Object.keys(ofTrades.properties)).toEqual(tradeMetricNames)
  expect(ofTrades.required).toEqual(tradeMetricNames)
  expect(Object.keys(ofSplits.properties.exit_reason.properties)).toEqual(exitReasons)
  for (const reason of exitReasons)
    expect(ofSplits.properties.exit_reason.description).toContain(`\`${reason}\``)
})

test.each([
  ['sma_cross', 16, 135_792.377631885],
  ['rsi_reversion', 6, 125_380.330681882],
])('%s on five years of Apple ends with the money it always ended with', (name, trades, equity) => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv'))
  const bars = reader.end()
  const { strategy } = parseStrategy(readFileSync(`examples/strategies/${name}.yaml`, 'utf8'))
  // The defaults of the contract. Source of the amounts: this engine; a change of them is a change of what users got.
  const config = {
    ...freeConfig,
    initial_capital: 100_000,
    commission_rate: 0.001,
    commission_fixed: 0,
    slippage_bps: 5,
    sizing: { mode: 'all_in' },
    units: 'whole',
    close_open_trades: true,
  } as const
  const run = runOne({ bars, signals: computeSignals(strategy, bars), config })
  expect(run.trades.length).toBe(trades)
  expect(run.equity.equity.at(-1)).toBeCloseTo(equity, 6)
})

test('the first example runs from file to summary on five years of Apple', () => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv'))
  const bars = reader.end()
  const { strategy } = parseStrategy(readFileSync('examples/strategies/sma_cross.yaml', 'utf8'))
  const signals = computeSignals(strategy, bars)
  const config = { ...freeConfig, initial_capital: 10_000, commission_rate: 0.001, close_open_trades: true }
  const run = runOne({ bars, signals, config })
  const { metrics, warnings } = summarise(
    run,
    contextOf(0, { config, markets: [measuredMarket(bars, { firstUsableBar: signals.first_usable_bar })] }),
  )
  expect(metrics.trades).toBeGreaterThan(5)
  expect(metrics.buy_and_hold_return_fraction).toBeGreaterThan(1)
  expect(metrics.sharpe).not.toBeNull()
  expect(warnings).toContain('The first 50 bars decided nothing: there is not enough history before them.')
})
