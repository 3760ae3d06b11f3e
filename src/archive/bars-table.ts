import { type Bars, barFields } from '../market/bars.ts'
import type { Column, Table } from './tables.ts'

const units = {
  time: undefined,
  close_time: undefined,
  open: 'currency',
  high: 'currency',
  low: 'currency',
  close: 'currency',
  volume: 'units',
} as const satisfies Record<(typeof barFields)[number], string | undefined>

/** Bars as they are stored and shown: one row per bar, oldest first. Nothing is copied. */
export function barsTable(bars: Bars): Table {
  const columns = barFields.map((name): Column => {
    const unit = units[name]
    const kind = name === 'time' || name === 'close_time' ? 'time' : 'number'
    return { name, kind, values: bars[name], ...(unit === undefined ? {} : { unit }) }
  })
  return { rows: bars.length, columns }
}

/** The inverse of {@link barsTable}. @throws {Error} when a column is missing or of another kind */
export function barsOf(table: Table): Bars {
  const column = (name: (typeof barFields)[number]): Float64Array => {
    const found = table.columns.find(other => other.name === name)
    if (found === undefined || (found.kind !== 'time' && found.kind !== 'number')) {
      throw new Error(`there is no column ${name} of numbers`)
    }
    return found.values
  }
  return {
    length: table.rows,
    time: column('time'),
    close_time: column('close_time'),
    open: column('open'),
    high: column('high'),
    low: column('low'),
    close: column('close'),
    volume: column('volume'),
  }
}
