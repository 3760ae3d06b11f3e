import {
  AsyncByteQueue,
  Bool,
  type Data,
  type DataType,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  TimestampMillisecond,
  tableFromIPC,
  Utf8,
} from 'apache-arrow'
import {
  fromInt64,
  packBooleans,
  packTexts,
  packValidity,
  toInt64,
  withNaNWhereNull,
} from './arrow-buffers.ts'

/** A column's values, one per row. */
export type Column = { readonly name: string; readonly unit?: string } & (
  | { /** Epoch ms UTC; NaN = null. */ readonly kind: 'time'; readonly values: Float64Array }
  | { /** NaN = null. */ readonly kind: 'number'; readonly values: Float64Array }
  | { /** Whole numbers within ±2^53; NaN = null. */ readonly kind: 'integer'; readonly values: Float64Array }
  | { readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'boolean'; readonly values: readonly (boolean | null)[] }
)
export type ColumnKind = Column['kind']

/** What artifacts and stored bars are made of. Every column has `rows` values. */
export type Table = { readonly rows: number; readonly columns: readonly Column[] }

/** The formats a stored table is served in. */
export const tableMediaTypes = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.file',
} as const
export type TableFormat = keyof typeof tableMediaTypes

/**
 * The Arrow IPC file of a table; equal tables give equal bytes. Times are timestamps in ms UTC, integers
 * int64; kind and unit of each column stand in its field's metadata.
 */
export function encodeTable(table: Table): Uint8Array {
  const parts = encodeParts(table)
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/**
 * The same file in parts, to be written one after the other. Numbers are views of the table's memory: it must not
 * change before they are written.
 */
export function encodeParts(table: Table): readonly Uint8Array[] {
  for (const { name, values } of table.columns) {
    if (values.length !== table.rows)
      throw new Error(`column ${name} has ${values.length} values, not ${table.rows}`)
  }
  const fields = table.columns.map(column => {
    const facts: [string, string][] = [['kind', column.kind]]
    if (column.unit !== undefined) facts.push(['unit', column.unit])
    return new Field(column.name, arrowTypes[column.kind](), true, new Map(facts))
  })
  const schema = new Schema(fields)
  const children = table.columns.map(encodeColumn)
  const struct = makeData({ type: new Struct(fields), length: table.rows, nullCount: 0, children })
  const parts = new Parts()
  const writer = new RecordBatchFileWriter()
  writer.reset(parts, schema)
  writer.write(new RecordBatch(schema, struct))
  writer.finish()
  return parts.list
}

/**
 * Keeps what a writer writes as it is. The queue that writers have by themselves copies all of it into one piece, and
 * loses values of columns that lie beside each other in memory.
 */
class Parts extends AsyncByteQueue<Uint8Array> {
  readonly list: Uint8Array[] = []

  override write(part: Uint8Array): void {
    this.list.push(part)
  }
}

/**
 * The table of an Arrow IPC file. Number columns are views of `bytes` where their alignment allows it:
 * do not change `bytes` afterwards.
 * @param options.consume time and integer columns are written over `bytes` too: faster, but they cannot be read again
 * @throws {Error} when `bytes` are not such a file or hold a column this server does not write
 */
export function decodeTable(bytes: Uint8Array, options: { consume?: boolean } = {}): Table {
  const { consume = false } = options
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const arrow = tableFromIPC(aligned)
  const columns = arrow.schema.fields.map((field, index): Column => {
    const vector = arrow.getChildAt(index)
    if (vector === null) throw new Error(`column ${field.name} is missing`)
    const unit = field.metadata.get('unit')
    const head = { name: field.name, ...(unit === undefined ? {} : { unit }) }
    const kind = field.metadata.get('kind')
    if (kind === 'time' || kind === 'integer')
      return { ...head, kind, values: joined(vector.data, chunk => fromInt64(chunk, consume)) }
    if (kind === 'number') return { ...head, kind, values: joined(vector.data, withNaNWhereNull) }
    if (kind === 'text' || kind === 'boolean') return { ...head, kind, values: [...vector] }
    throw new Error(`column ${field.name} has the unknown kind ${kind}`)
  })
  return { rows: arrow.numRows, columns }
}

const arrowTypes = {
  time: () => new TimestampMillisecond('UTC'),
  number: () => new Float64(),
  integer: () => new Int64(),
  text: () => new Utf8(),
  boolean: () => new Bool(),
} as const satisfies Record<ColumnKind, () => DataType>

function encodeColumn(column: Column): Data {
  const length = column.values.length
  switch (column.kind) {
    case 'time':
      return makeData({
        type: arrowTypes.time(),
        length,
        data: toInt64(column.values),
        ...packValidity(column.values),
      })
    case 'integer':
      return makeData({
        type: arrowTypes.integer(),
        length,
        data: toInt64(column.values),
        ...packValidity(column.values),
      })
    case 'number':
      return makeData({
        type: arrowTypes.number(),
        length,
        data: column.values,
        ...packValidity(column.values),
      })
    case 'text':
      return makeData({ type: arrowTypes.text(), length, ...packTexts(column.values) })
    case 'boolean':
      return makeData({ type: arrowTypes.boolean(), length, ...packBooleans(column.values) })
  }
}

/** One chunk is used as it is, several are copied together. */
function joined(chunks: readonly Data[], read: (chunk: Data) => Float64Array): Float64Array {
  const parts = chunks.map(read)
  if (parts.length === 1) return parts[0] ?? new Float64Array(0)
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
