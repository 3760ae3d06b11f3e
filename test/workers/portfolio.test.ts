import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { BarsArchive } from '../../src/archive/bars.ts'
import { decodeTable, type Table } from '../../src/archive/tables.ts'
import type { Bars } from '../../src/market/bars.ts'
import type { BacktestingResult } from '../../src/operations/backtesting.ts'
import { barsOf, barsOfCloses, mondayMs } from '../fixtures/bars.ts'
import { backtestingParams } from '../support/backtesting-params.ts'
import { strategyText } from '../support/strategy-text.ts'
import { completed, makeHome, operationId, runWorker } from '../support/worker.ts'

const dayMs = 86_400_000

type Stored = readonly [symbol: string, timeframe: '1d' | '4h', bars: Bars]

async function homeWith(datasets: readonly Stored[]): Promise<string> {
  const home = makeHome()
  const archive = new BarsArchive(home)
  for (const [symbol, timeframe, bars] of datasets)
    await archive.publish(symbol, timeframe, bars, { source: 'test', now: 0, calendar: '24-7' })
  return home
}

/** Runs a backtest without costs unless `params` say otherwise. */
async function trade(home: string, params: object) {
  const free = { commission_rate: 0, slippage_bps: 0, initial_capital: 1_000 }
  const { result, artifacts } = completed<BacktestingResult>(
    await runWorker(home, 'backtesting', backtestingParams({ ...free, ...params })),
  )
  // Read at once: the next run of the same operation writes over them.
  const tables = new Map(
    artifacts
      .filter(({ rows }) => rows !== null)
      .map(artifact => [
        artifact.name,
        decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact))),
      ]),
  )
  const table = (name: string): Table => {
    const found = tables.get(name)
    if (found === undefined) throw new Error(`there is no table ${name}`)
    return found
  }
  return { result, table }
}

const column = ({ columns }: Table, name: string) => [...(columns.find(c => c.name === name)?.values ?? [])]

/** Bars whose close is each number and whose open is the close before. */
const rising = (closes: readonly number[]) =>
  barsOf(
    closes.map((close, i) => {
      const open = closes[i - 1] ?? close
      return { open, close, high: Math.max(open, close), low: Math.min(open, close), volume: 100 }
    }),
  )

const buyAbove = strategyText(
  '    enter_long: close > 10\n    exit_long: close < 10\n    sizing: { mode: value, value: 400 }',
  '  range: { type: atr, period: 1 }',
)

test('several symbols share one account: what one holds the other cannot spend', async () => {
  const home = await homeWith([
    ['A', '1d', rising([9, 20, 20, 9, 9])],
    ['B', '1d', rising([9, 20, 20, 9, 9])],
    ['C', '1d', rising([9, 20, 20, 9, 9])],
  ])
  const { result, table } = await trade(home, { strategy_yaml: buyAbove, symbols: ['A', 'B', 'C'] })
  const trades = table('trades')
  // 1,000 pays 400 for A and for B; for C are 200 left.
  expect(column(trades, 'symbol')).toEqual(['A', 'B', 'C'])
  expect(column(trades, 'units')).toEqual([20, 20, 10])
  expect(result).toMatchObject({
    symbols: ['A', 'B', 'C'],
    bars: 5,
    splits: { symbol: { A: { trades: 1 }, B: { trades: 1 }, C: { trades: 1 } } },
    orders: { placed: 6, filled: 6 },
  })
  const first = await trade(home, { strategy_yaml: buyAbove, symbols: ['C', 'A', 'B'], max_positions: 1 })
  expect(column(first.table('trades'), 'symbol')).toEqual(['C'])
})

test('the range of several symbols is the union of their bars, and one without any is left out', async () => {
  const later = barsOf([9, 20, 20, 9].map(close => ({ open: close, high: close, low: close, close })))
  const shifted = {
    ...later,
    time: later.time.map(time => time + 3 * dayMs),
    close_time: later.close_time.map(time => time + 3 * dayMs),
  }
  const home = await homeWith([
    ['A', '1d', rising([9, 20, 20, 9])],
    ['B', '1d', shifted],
  ])
  const symbols = ['A', 'B']
  const { result, table } = await trade(home, { strategy_yaml: buyAbove, symbols })
  expect(result.bars).toBe(7)
  expect(column(table('trades'), 'symbol')).toEqual(['A', 'B'])
  expect(column(table('signals'), 'symbol')).toEqual(['A', 'A', 'A', 'A', 'B', 'B', 'B', 'B'])
  const end = new Date(mondayMs + 3 * dayMs).toISOString()
  const early = await trade(home, { strategy_yaml: buyAbove, symbols, end })
  expect(early.result).toMatchObject({ symbols, bars: 3 })
  expect(new Set(column(early.table('signals'), 'symbol'))).toEqual(new Set(['A']))
})

const protectedEntry = strategyText(
  `    enter_long: close > 10
    stop_loss: { percent: 10 }
    take_profit: { percent: 10 }`,
  '  range: { type: atr, period: 1 }',
)

/** Days of 20, the last of which reaches 25 and 15; inside it six 4-hour bars that show which came first. */
const days = barsOf([
  { open: 9, high: 9, low: 9, close: 9 },
  { open: 20, high: 20, low: 20, close: 20 },
  { open: 20, high: 25, low: 15, close: 20 },
])
const inside = barsOf(
  [
    { open: 20, high: 21, low: 20, close: 21 },
    { open: 21, high: 25, low: 21, close: 25 },
    { open: 25, high: 25, low: 15, close: 15 },
    { open: 15, high: 20, low: 15, close: 20 },
    { open: 20, high: 20, low: 20, close: 20 },
    { open: 20, high: 20, low: 20, close: 20 },
  ],
  '4h',
  dayMs / 6,
)
const insideLastDay = {
  ...inside,
  time: inside.time.map(time => time + 2 * dayMs),
  close_time: inside.close_time.map(time => time + 2 * dayMs),
}

test('shorter bars show what came first inside a bar; without them the mode decides', async () => {
  const home = await homeWith([
    ['A', '1d', days],
    ['A', '4h', insideLastDay],
  ])
  const exits = async (engine: object) => {
    const { table } = await trade(home, { strategy_yaml: protectedEntry, symbol: 'A', engine })
    const trades = table('trades')
    return [column(trades, 'exit_reason'), column(trades, 'exit_price'), column(trades, 'ambiguous')]
  }
  expect(await exits({})).toEqual([['stop'], [18], [true]])
  expect(await exits({ intrabar: 'optimistic' })).toEqual([['target'], [22], [true]])
  expect(await exits({ intrabar_timeframe: '4h' })).toEqual([['target'], [22], [false]])
})

test('every cost of the request is charged, and stands in its own column', async () => {
  const home = await homeWith([['A', '1d', rising([9, 20, 20, 9, 9])]])
  const { result, table } = await trade(home, {
    strategy_yaml: buyAbove,
    symbol: 'A',
    commission_per_unit: 0.5,
    commission_min: 3,
    spread_bps: 100,
  })
  // 20 units, filled at 20 and at 9: half of 1 % of the value each side.
  expect(column(table('trades'), 'spread')).toEqual([2 + 0.9])
  expect(column(table('trades'), 'commission')).toEqual([20])
  expect(result.metrics).toMatchObject({ spread_total: 2.9, commission_total: 20, final_equity: 757.1 })
})

test('compat backtesting_py runs that engine: what is open at the end is closed at the last open', async () => {
  const home = await homeWith([['A', '1d', rising([9, 20, 30, 40])]])
  const yaml = buyAbove.replace(/ {4}sizing: .*\n/, '')
  const own = await trade(home, { strategy_yaml: yaml, symbol: 'A' })
  const compat = await trade(home, { strategy_yaml: yaml, symbol: 'A', engine: { compat: 'backtesting_py' } })
  expect(column(own.table('trades'), 'exit_price')).toEqual([40])
  expect(column(compat.table('trades'), 'exit_price')).toEqual([30])
  expect(compat.result.orders).toMatchObject({ placed: 0 })
})

test('the artifacts of decisions have what the rules read on every bar of the range', async () => {
  const home = await homeWith([['A', '1d', barsOfCloses([9, 20, 20, 9, 12])]])
  const yaml = strategyText(
    '    enter_long: close > mean\n    stop_loss: { indicator: range, multiple: 2 }',
    '  mean: { type: sma, period: 2 }\n  range: { type: atr, period: 1 }',
  )
  const start = new Date(mondayMs + dayMs).toISOString()
  const { table } = await trade(home, { strategy_yaml: yaml, symbol: 'A', start })
  expect(column(table('indicators'), 'mean')).toEqual([14.5, 20, 14.5, 10.5])
  expect(column(table('indicators'), 'range')).toEqual([11, 0, 11, 3])
  expect(column(table('signals'), 'enter_long')).toEqual([true, false, false, true])
  expect(column(table('signals'), 'stop_distance')).toEqual([22, Number.NaN, 22, 6])
  expect(column(table('drawdowns'), 'depth_fraction').length).toBeLessThan(5)
})
