import { expect, test } from '@jest/globals'
import { decisionTables, type ReadMarket } from '../../src/archive/decision-tables.ts'
import { encodeTable, type Table } from '../../src/archive/tables.ts'
import { ColumnCache } from '../../src/features/column-cache.ts'
import type { Bars } from '../../src/market/bars.ts'
import { cutMarket, decideOn, readIndicators } from '../../src/strategy/market-input.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { requireRules } from '../../src/strategy/strategy.ts'
import { barsOfCloses, mondayMs } from '../fixtures/bars.ts'

const strategy = requireRules(
  parseStrategy(`
name: tested
training_data:
  symbols: { mode: multi_symbol, list: [A, B] }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  mean: { type: sma, period: 2 }
  range: { type: atr, period: 1 }
decisions:
  rules:
    enter_long: close > mean
    stop_loss: { indicator: range, multiple: 2 }
    entry: { type: limit, limit: { percent: 1 } }
`).strategy,
)
const dayMs = 86_400_000

/** A market of daily closes; its range begins on day `start`. */
function market(symbol: string, closes: readonly number[], start = 0): ReadMarket {
  const cache = new ColumnCache(1_000_000)
  const bars: Bars = barsOfCloses(closes)
  const cut = cutMarket({ symbol, bars, finer: null }, { start: mondayMs + start * dayMs, end: null })
  return {
    ...decideOn(strategy, cut, { cache }),
    indicators: readIndicators(strategy, cut.bars, cache),
  }
}

const column = ({ columns }: Table, name: string) => [...(columns.find(c => c.name === name)?.values ?? [])]
const names = ({ columns }: Table) => columns.map(({ name }) => name)

test('every bar of the range is a row, market after market, with what was read and what was decided', () => {
  const tables = decisionTables([market('A', [1, 2, 1, 3], 1), market('B', [5, 4, 6])])
  const { signals, indicators } = tables
  expect(names(signals)).toEqual([
    ...['time', 'close_time', 'symbol', 'enter_long', 'exit_long', 'enter_short', 'exit_short'],
    ...['stop_distance', 'limit_distance'],
  ])
  expect(names(indicators)).toEqual(['time', 'close_time', 'symbol', 'mean', 'range'])
  for (const table of [signals, indicators]) {
    expect(column(table, 'symbol')).toEqual(['A', 'A', 'A', 'B', 'B', 'B'])
    expect(column(table, 'time')).toEqual([1, 2, 3, 0, 1, 2].map(day => mondayMs + day * dayMs))
    expect(encodeTable(table).length).toBeGreaterThan(0)
  }
  // A was warm before its range began; the first bar of B is its warm-up.
  expect(column(indicators, 'mean')).toEqual([1.5, 1.5, 2, Number.NaN, 4.5, 5])
  expect(column(signals, 'enter_long')).toEqual([true, false, true, false, false, true])
  expect(column(signals, 'stop_distance')).toEqual([2, 2, 4, Number.NaN, 2, 4])
  expect(column(signals, 'limit_distance')).toEqual([0.02, 0.01, 0.03, 0.05, 0.04, 0.06])
  expect(tables).toMatchObject({ bars: 6, isComplete: true })
})

test('of a long range the rows are the first bars on which a rule was true, the same in both tables', () => {
  const markets = [market('A', [1, 2, 3, 2, 1, 2]), market('B', [1, 2, 1, 2, 3])]
  const tables = decisionTables(markets, 5)
  expect(tables).toMatchObject({ bars: 11, isComplete: false })
  for (const table of [tables.signals, tables.indicators]) {
    expect(table.rows).toBe(5)
    expect(column(table, 'symbol')).toEqual(['A', 'A', 'A', 'B', 'B'])
    expect(column(table, 'time')).toEqual([1, 2, 5, 1, 3].map(day => mondayMs + day * dayMs))
  }
  expect(column(tables.signals, 'enter_long')).toEqual([true, true, true, true, true])
  expect(decisionTables(markets, 11).isComplete).toBe(true)
})

test('units follow what an indicator reads', () => {
  const { indicators } = decisionTables([market('A', [1, 2, 3])])
  expect(indicators.columns.map(({ unit }) => unit)).toEqual([
    undefined,
    undefined,
    undefined,
    'price',
    'price',
  ])
})
