import type { SchemaElement } from 'hyparquet'
import { type ColumnSource, parquetWriteBuffer, schemaFromColumnData } from 'hyparquet-writer'
import { formatTime } from '../market/bars.ts'
import { type Column, encodeTable, type Table, type TableFormat } from './tables.ts'

/**
 * A table in the format a client asked for; equal tables give equal bytes. JSON is the `ColumnarTable` of
 * openapi.yaml; CSV is RFC 4180. Times are RFC 3339 in both; null is `null` and the empty cell.
 */
export function renderTable(table: Table, format: TableFormat): Uint8Array {
  switch (format) {
    case 'json':
      return renderJson(table)
    case 'csv':
      return renderCsv(table)
    case 'parquet':
      return renderParquet(table)
    case 'arrow':
      return encodeTable(table)
  }
}

/** Text that grows without ever being one string: those end at half a gigabyte. */
class TextSink {
  private readonly pieces: Uint8Array[] = []
  private pending = ''

  add(text: string): void {
    this.pending += text
    if (this.pending.length > 65_536) this.flush()
  }

  bytes(): Uint8Array {
    this.flush()
    return Buffer.concat(this.pieces)
  }

  private flush(): void {
    this.pieces.push(Buffer.from(this.pending))
    this.pending = ''
  }
}

function renderJson(table: Table): Uint8Array {
  const units = Object.fromEntries(
    table.columns.flatMap(({ name, unit }) => (unit === undefined ? [] : [[name, unit]])),
  )
  const sink = new TextSink()
  sink.add(`{"rows":${table.rows},"units":${JSON.stringify(units)},"columns":{`)
  table.columns.forEach((column, index) => {
    const cell = jsonCells(column)
    sink.add(`${index === 0 ? '' : ','}${JSON.stringify(column.name)}:[`)
    for (let row = 0; row < table.rows; row++) sink.add(row === 0 ? cell(row) : `,${cell(row)}`)
    sink.add(']')
  })
  sink.add('}}')
  return sink.bytes()
}

function jsonCells(column: Column): (row: number) => string {
  if (column.kind === 'time') {
    return row =>
      Number.isNaN(column.values[row]) ? 'null' : `"${formatTime(column.values[row] as number)}"`
  }
  if (column.kind === 'text') return row => JSON.stringify(column.values[row] ?? null)
  // JSON has no word for what is not finite.
  if (column.kind === 'number' || column.kind === 'integer') return row => JSON.stringify(column.values[row])
  return row => String(column.values[row] ?? null)
}

function renderCsv(table: Table): Uint8Array {
  const sink = new TextSink()
  sink.add(`${table.columns.map(({ name }) => quoted(name)).join(',')}\r\n`)
  const cells = table.columns.map(csvCells)
  for (let row = 0; row < table.rows; row++) {
    for (let index = 0; index < cells.length; index++) {
      sink.add(`${index === 0 ? '' : ','}${cells[index]?.(row)}`)
    }
    sink.add('\r\n')
  }
  return sink.bytes()
}

function csvCells(column: Column): (row: number) => string {
  if (column.kind === 'text') return row => quoted(column.values[row] ?? '')
  if (column.kind === 'boolean') return row => String(column.values[row] ?? '')
  const { kind, values } = column
  return row => {
    const value = values[row] as number
    if (Number.isNaN(value)) return ''
    return kind === 'time' ? formatTime(value) : String(value)
  }
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Kinds and units have no place of their own in Parquet: they are key-value metadata `{column}.unit`. */
function renderParquet(table: Table): Uint8Array {
  const columns = table.columns.map(parquetColumn)
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: columns.map(({ name, data }) => ({ name, data })),
      schema: schemaFromColumnData({ columnData: columns }).map(inUtc),
      createdBy: 'ktrdr',
      kvMetadata: table.columns.flatMap(({ name, unit }) =>
        unit === undefined ? [] : [{ key: `${name}.unit`, value: unit }],
      ),
    }),
  )
}

/** Times are instants: without this mark other programs take them for local ones. */
function inUtc(element: SchemaElement): SchemaElement {
  if (element.converted_type !== 'TIMESTAMP_MILLIS') return element
  return { ...element, logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } }
}

function parquetColumn(column: Column): ColumnSource {
  const { name } = column
  switch (column.kind) {
    case 'time':
      return { name, type: 'TIMESTAMP', data: withNulls(column.values, value => new Date(value)) }
    case 'integer':
      return { name, type: 'INT64', data: withNulls(column.values, BigInt) }
    case 'number':
      return { name, type: 'DOUBLE', data: withNulls(column.values, value => value) }
    case 'text':
      return { name, type: 'STRING', data: [...column.values] }
    case 'boolean':
      return { name, type: 'BOOLEAN', data: [...column.values] }
  }
}

function withNulls<T>(values: Float64Array, convert: (value: number) => T): (T | null)[] {
  return Array.from(values, value => (Number.isNaN(value) ? null : convert(value)))
}
