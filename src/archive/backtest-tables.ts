import { type EquityCurve, equityColumns } from '../backtest/equity.ts'
import { type Trades, tradeColumns } from '../backtest/trades.ts'
import type { Column, Table } from './tables.ts'

const money = { kind: 'number', unit: 'currency' } as const
const time = { kind: 'time' } as const
const text = { kind: 'text' } as const

const tradeKinds = {
  trade_id: { kind: 'integer' },
  side: text,
  entry_time: time,
  entry_price: money,
  exit_time: time,
  exit_price: money,
  units: { kind: 'number', unit: 'units' },
  gross_pnl: money,
  commission: money,
  slippage: money,
  net_pnl: money,
  return_fraction: { kind: 'number', unit: 'fraction' },
  bars_held: { kind: 'integer', unit: 'bar' },
  max_favourable_excursion: money,
  max_adverse_excursion: money,
  stop_price: money,
  target_price: money,
  entry_reason: text,
  exit_reason: text,
  ambiguous: { kind: 'boolean' },
} as const satisfies Record<(typeof tradeColumns)[number], Pick<Column, 'kind' | 'unit'>>

const equityUnits = {
  equity: 'currency',
  cash: 'currency',
  position_units: 'units',
  drawdown_fraction: 'fraction',
} as const

/** The artifact `trades`: one row per closed trade, in the order of exits. */
export function tradesTable(trades: Trades): Table {
  const columns = tradeColumns.map((name): Column => {
    const { kind, ...unit } = tradeKinds[name]
    const values = trades[name]
    if (kind === 'text') return { name, kind, values: values as readonly string[] }
    if (kind === 'boolean') return { name, kind, values: values as readonly boolean[] }
    return { name, kind, ...unit, values: Float64Array.from(values as Float64Array) }
  })
  return { rows: trades.length, columns }
}

/** The artifact `equity`: one row per bar of the range, at its close. */
export function equityTable(equity: EquityCurve): Table {
  const columns = equityColumns.map(
    (name): Column =>
      name === 'time'
        ? { name, kind: 'time', values: equity.time }
        : { name, kind: 'number', unit: equityUnits[name], values: equity[name] },
  )
  return { rows: equity.length, columns }
}
