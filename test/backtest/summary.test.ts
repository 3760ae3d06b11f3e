import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { runBacktest } from '../../src/backtest/engine.ts'
import { summarise } from '../../src/backtest/summary.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeSignals } from '../../src/strategy/signals.ts'
import { freeConfig, signalsAt } from '../fixtures/backtest.ts'
import { barsOfCloses } from '../fixtures/bars.ts'

test('a summary names its range and what to be careful about', () => {
  const bars = barsOfCloses([10, 10, 10, 30])
  const config = { ...freeConfig, initial_capital: 20, units: 'whole' } as const
  const run = runBacktest({ bars, config, signals: signalsAt(4, [2, 3], []) })
  const summary = summarise(run, { bars, config, timeframe: '1d', firstUsableBar: 2 })
  expect(summary).toMatchObject({
    bars: 4,
    start: '2024-01-01T00:00:00.000Z',
    end: '2024-01-05T00:00:00.000Z',
    unfilled_signals: 1,
    rejected_orders: 1,
    open_trade: null,
    return_frequency: 'daily',
  })
  expect(summary.warnings).toEqual([
    'There are no closed trades.',
    'Trading was free: commission and slippage are zero.',
    '1 entries were rejected: the money did not buy the smallest amount.',
    'The order decided at the last close was not filled: there is no next open.',
    'The first 2 bars of the range decided nothing: there is not enough history before them.',
  ])
})

test('a summary survives JSON, open trade included', () => {
  const bars = barsOfCloses([10, 10, 10])
  const run = runBacktest({ bars, config: freeConfig, signals: signalsAt(3, [0], []) })
  const summary = summarise(run, { bars, config: freeConfig, timeframe: '1d', firstUsableBar: 0 })
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary)
  expect(summary.open_trade).toMatchObject({ entry_time: '2024-01-02T00:00:00.000Z', units: 10 })
})

test('the first example runs from file to summary on five years of Apple', () => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv'))
  const bars = reader.end()
  const { strategy } = parseStrategy(readFileSync('examples/strategies/sma_cross.yaml', 'utf8'))
  const signals = computeSignals(strategy, bars)
  const config = { ...freeConfig, initial_capital: 10_000, commission_rate: 0.001, close_open_trades: true }
  const run = runBacktest({ bars, signals, config })
  const { metrics, warnings } = summarise(run, {
    bars,
    config,
    timeframe: '1d',
    firstUsableBar: signals.first_usable_bar,
  })
  expect(metrics.trades).toBeGreaterThan(5)
  expect(metrics.buy_and_hold_return_fraction).toBeGreaterThan(1)
  expect(metrics.sharpe).not.toBeNull()
  expect(warnings).toContain(
    'The first 50 bars of the range decided nothing: there is not enough history before them.',
  )
})
