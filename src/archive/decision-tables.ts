import type { DecidedMarket, ReadIndicator } from '../strategy/market-input.ts'
import { ruleKinds } from '../strategy/strategy.ts'
import type { Column, Table } from './tables.ts'

/** A market with what its rules read: the same indicators in every market. */
export type ReadMarket = DecidedMarket & { readonly indicators: readonly ReadIndicator[] }

/** Rows that `signals` and `indicators` have at most. */
export const maxDecisionRows = 250_000

/** Which bars of one market are rows. */
type Part = { readonly market: ReadMarket; readonly rows: Int32Array }

export type DecisionTables = {
  /** time, close_time, symbol, a column per rule and one per distance that the strategy has. */
  readonly signals: Table
  /** time, close_time, symbol, and what the rules and distances read there. */
  readonly indicators: Table
  /** Bars in the range, of all markets. */
  readonly bars: number
  /** Whether each of them is a row; if not, the rows are the first bars on which a rule is true. */
  readonly isComplete: boolean
}

/**
 * The artifacts `signals` and `indicators` of a run: the same rows in both, market after market, oldest bar first.
 * Every bar of the range where they are at most `limit`, else the first `limit` of those on which a rule is true.
 */
export function decisionTables(markets: readonly ReadMarket[], limit = maxDecisionRows): DecisionTables {
  const bars = markets.reduce((sum, market) => sum + market.bars.length - market.from, 0)
  const isComplete = bars <= limit
  const parts = chooseRows(markets, isComplete ? null : limit)
  const rows = parts.reduce((sum, part) => sum + part.rows.length, 0)
  const gather = gatherer(parts, rows)
  const head = headColumns(parts, rows, gather)
  return {
    signals: { rows, columns: [...head, ...ruleColumns(parts, rows), ...distanceColumns(markets, gather)] },
    indicators: {
      rows,
      columns: [
        ...head,
        ...(markets[0]?.indicators ?? []).map(({ name, unit }, i) =>
          gather({ name, kind: 'number', unit }, market => market.indicators[i]?.values),
        ),
      ],
    },
    bars,
    isComplete,
  }
}

/** @param limit null: every bar of the range */
function chooseRows(markets: readonly ReadMarket[], limit: number | null): Part[] {
  let left = limit ?? Number.POSITIVE_INFINITY
  return markets.map(market => {
    const { from, signals, bars } = market
    const most = Math.min(bars.length - from, left)
    const rows =
      limit === null
        ? Int32Array.from({ length: most }, (_, i) => from + i)
        : decidedRows(signals, { from, to: bars.length, most })
    left -= rows.length
    return { market, rows }
  })
}

/** The first `most` bars of a span on which a rule is true. */
function decidedRows(
  { enter_long, exit_long, enter_short, exit_short }: ReadMarket['signals'],
  { from, to, most }: { readonly from: number; readonly to: number; readonly most: number },
): Int32Array {
  const rows = new Int32Array(most)
  let count = 0
  for (let i = from; i < to && count < most; i++) {
    const entered = (enter_long[i] as number) | (enter_short[i] as number)
    const left = (exit_long[i] as number) | (exit_short[i] as number)
    if ((entered | left) !== 0) rows[count++] = i
  }
  return rows.subarray(0, count)
}

type Head = { readonly name: string; readonly kind: 'number' | 'time'; readonly unit?: string }
type Gather = (head: Head, read: (market: ReadMarket) => Float64Array | null | undefined) => Column

function gatherer(parts: readonly Part[], rows: number): Gather {
  return (head, read) => {
    const values = new Float64Array(rows)
    let at = 0
    for (const { market, rows } of parts) {
      const column = read(market)
      const part = values.subarray(at, at + rows.length)
      if (column === undefined || column === null) part.fill(Number.NaN)
      else for (let i = 0; i < rows.length; i++) part[i] = column[rows[i] as number] as number
      at += rows.length
    }
    return { ...head, values }
  }
}

function headColumns(parts: readonly Part[], rows: number, gather: Gather): Column[] {
  return [
    gather({ name: 'time', kind: 'time' }, ({ bars }) => bars.time),
    gather({ name: 'close_time', kind: 'time' }, ({ bars }) => bars.close_time),
    { name: 'symbol', kind: 'text', values: symbolsOf(parts, rows) },
  ]
}

function symbolsOf(parts: readonly Part[], rows: number): string[] {
  const symbols = new Array<string>(rows)
  let at = 0
  for (const { market, rows } of parts) {
    symbols.fill(market.symbol, at, at + rows.length)
    at += rows.length
  }
  return symbols
}

function ruleColumns(parts: readonly Part[], rows: number): Column[] {
  return ruleKinds.map(name => {
    const values = new Array<boolean>(rows)
    let at = 0
    for (const { market, rows } of parts) {
      const column = market.signals[name]
      for (let i = 0; i < rows.length; i++) values[at++] = column[rows[i] as number] === 1
    }
    return { name, kind: 'boolean', values }
  })
}

const distances = ['stop_distance', 'target_distance', 'limit_distance', 'entry_stop_distance'] as const

function distanceColumns(markets: readonly ReadMarket[], gather: Gather): Column[] {
  return distances
    .filter(name => markets.some(({ signals }) => signals[name] !== null))
    .map(name => gather({ name, kind: 'number', unit: 'currency' }, ({ signals }) => signals[name]))
}
