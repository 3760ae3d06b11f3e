import type { Drawdown } from '../backtest/drawdowns.ts'
import { type EquityCurve, equityColumns } from '../backtest/equity.ts'
import { type Orders, orderColumns } from '../backtest/orders.ts'
import { type Trades, tradeColumns } from '../backtest/trades.ts'
import { dayMs } from '../market/timeframe.ts'
import type { Column, Table } from './tables.ts'

type Kind = Pick<Column, 'kind' | 'unit'>

const money = { kind: 'number', unit: 'currency' } as const
const units = { kind: 'number', unit: 'units' } as const
const fraction = { kind: 'number', unit: 'fraction' } as const
const time = { kind: 'time' } as const
const text = { kind: 'text' } as const

const tradeKinds = {
  trade_id: { kind: 'integer' },
  symbol: text,
  side: text,
  entry_time: time,
  entry_price: money,
  exit_time: time,
  exit_price: money,
  units,
  gross_pnl: money,
  commission: money,
  spread: money,
  slippage: money,
  borrow: money,
  funding: money,
  net_pnl: money,
  return_fraction: fraction,
  bars_held: { kind: 'integer', unit: 'bar' },
  max_favourable_excursion: money,
  max_adverse_excursion: money,
  stop_price: money,
  target_price: money,
  entry_reason: text,
  exit_reason: text,
  ambiguous: { kind: 'boolean' },
} as const satisfies Record<(typeof tradeColumns)[number], Kind>

const orderKinds = {
  order_id: { kind: 'integer' },
  symbol: text,
  side: text,
  type: text,
  purpose: text,
  position: text,
  placed_time: time,
  limit_price: money,
  stop_price: money,
  units,
  filled_units: units,
  fill_price: money,
  status: text,
  end_time: time,
  commission: money,
  spread: money,
  slippage: money,
} as const satisfies Record<(typeof orderColumns)[number], Kind>

const equityKinds = {
  time,
  equity: money,
  cash: money,
  position_value: money,
  exposure_fraction: fraction,
  drawdown_fraction: fraction,
} as const satisfies Record<(typeof equityColumns)[number], Kind>

/** The artifact `trades`: one row per closed trade, in the order of exits. */
export function tradesTable(trades: Trades): Table {
  const columns = tradeColumns.map(name => columnOf(name, tradeKinds[name], trades[name]))
  return { rows: trades.length, columns }
}

/** The artifact `orders`: one row per order, in the order they were placed. */
export function ordersTable(orders: Orders): Table {
  const columns = orderColumns.map(name => columnOf(name, orderKinds[name], orders[name]))
  return { rows: orders.length, columns }
}

/** The artifact `equity`: one row per moment of the range at which a bar closed. */
export function equityTable(equity: EquityCurve): Table {
  const columns = equityColumns.map(name => columnOf(name, equityKinds[name], equity[name]))
  return { rows: equity.length, columns }
}

/** The artifact `drawdowns`: one row per drawdown, in the order given; `recovered` is null where it lasts to the end. */
export function drawdownsTable(drawdowns: readonly Drawdown[]): Table {
  const column = (read: (drawdown: Drawdown) => number) => Float64Array.from(drawdowns, read)
  return {
    rows: drawdowns.length,
    columns: [
      { name: 'start', kind: 'time', values: column(({ start }) => start) },
      { name: 'trough', kind: 'time', values: column(({ trough }) => trough) },
      { name: 'recovered', kind: 'time', values: column(({ recovered }) => recovered ?? Number.NaN) },
      { name: 'depth_fraction', ...fraction, values: column(({ depth_fraction }) => depth_fraction) },
      {
        name: 'days',
        kind: 'number',
        unit: 'days',
        values: column(({ duration_ms }) => duration_ms / dayMs),
      },
    ],
  }
}

/** @param values of the sort that `kind` says */
function columnOf(
  name: string,
  { kind, unit }: Kind,
  values: Float64Array | Int32Array | readonly string[] | readonly boolean[],
): Column {
  if (kind === 'text') return { name, kind, values: values as readonly string[] }
  if (kind === 'boolean') return { name, kind, values: values as readonly boolean[] }
  const numbers = values instanceof Float64Array ? values : Float64Array.from(values as Int32Array)
  return { name, kind, ...(unit === undefined ? {} : { unit }), values: numbers }
}
