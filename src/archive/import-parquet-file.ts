import { type ColumnMetaData, type FileMetaData, parquetMetadata, type SchemaElement } from 'hyparquet'
import { type CsvColumns, readHeader } from '../market/csv-header.ts'
import { Problem } from '../problems.ts'
import { codecNames } from './import-parquet-codecs.ts'
import type { PhysicalType } from './import-parquet-decode.ts'
import type { ColumnChunk, Convert } from './import-parquet-pages.ts'
import type { ParquetSource } from './import-parquet-source.ts'
import { endOfStruct } from './import-parquet-thrift.ts'
import { clockConverter, numberConverter, timeConverter } from './import-parquet-values.ts'

const maxFooterBytes = 16 * 1024 * 1024
const tailBytes = 8

/** A column that bars are made of. */
export type ParquetColumn = {
  readonly name: string
  readonly physical: PhysicalType
  readonly isOptional: boolean
  readonly convert: Convert
}

type ParquetColumns = Readonly<
  Record<'time' | 'open' | 'high' | 'low' | 'close', ParquetColumn> &
    Record<'clock' | 'volume', ParquetColumn | null>
>

/** What a Parquet file says about itself. */
export type ParquetFile = { readonly metadata: FileMetaData; readonly columns: ParquetColumns }

/** @throws {Problem} 'bars-invalid' when it is not a Parquet file, is damaged or lacks columns */
export function openParquet(source: ParquetSource): ParquetFile {
  const metadata = damagedUnless('the footer cannot be read', () => readFooter(source))
  return { metadata, columns: findColumns(metadata) }
}

/** Runs what fails only where the file is damaged or written in a way that is not read. */
export function damagedUnless<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    // A failure of the disk is nobody's file.
    if (!(error instanceof Error) || error instanceof Problem || 'syscall' in error) throw error
    throw new Problem(
      'bars-invalid',
      `the Parquet file is damaged or cannot be read: ${where}: ${error.message}`,
      {
        errors: [{ pointer: '/body', code: 'parquet', message: `${where}: ${error.message}` }],
        hint: 'Write the file again, for example with pandas, polars or DuckDB, or send CSV.',
      },
    )
  }
}

function readFooter(source: ParquetSource): FileMetaData {
  const window = source.window()
  const magic = (offset: number) =>
    source.size < 12 ? '' : Buffer.from(window.read(offset, 4)).toString('latin1')
  if (magic(0) === 'PARE') throw new Error('it is encrypted')
  if (magic(0) !== 'PAR1' || magic(source.size - 4) !== 'PAR1')
    throw new Error('it does not begin and end with PAR1, as every Parquet file does')
  const tail = window.read(source.size - tailBytes, tailBytes)
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  if (length > Math.min(maxFooterBytes, source.size - 12))
    throw new Error(`it claims to have ${length} bytes`)
  const footer = window.read(source.size - tailBytes - length, length + tailBytes)
  if (endOfStruct(footer.subarray(0, length), 0) === null) throw new Error('it ends too early')
  const metadata = parquetMetadata(footer.slice(), { geoparquet: false })
  const rows = metadata.row_groups.reduce((sum, group) => sum + countOf(group.num_rows), 0)
  if (rows !== countOf(metadata.num_rows))
    throw new Error('its row groups do not have as many rows as it says')
  return metadata
}

function countOf(value: unknown): number {
  const count = Number(value)
  if (typeof value !== 'bigint' || !(count >= 0 && count <= Number.MAX_SAFE_INTEGER))
    throw new Error('it has no number of rows')
  return count
}

/** The chunk of a column in a row group. @throws {Error} when there is none */
export function chunkOf(metadata: FileMetaData, group: number, column: ParquetColumn): ColumnChunk {
  const row = metadata.row_groups[group]
  const found = row?.columns.find(({ meta_data: meta }) => isNamed(meta, column.name))
  const meta = found?.meta_data
  if (row === undefined || meta === undefined) throw new Error('the column is missing')
  if (found?.file_path !== undefined) throw new Error('the column lies in another file')
  if (!codecNames.includes(meta.codec))
    throw new Error(`the codec ${meta.codec} is not one of ${codecNames.join(', ')}`)
  return { ...column, meta, rows: Number(row.num_rows) }
}

const isNamed = (meta: ColumnMetaData | undefined, name: string): boolean =>
  meta?.path_in_schema.length === 1 && meta.path_in_schema[0] === name

function findColumns(metadata: FileMetaData): ParquetColumns {
  const leaves = damagedUnless('the schema cannot be read', () => topLevel(metadata.schema))
  const found = readHeader(leaves.map(({ name }) => name))
  if (!('names' in found)) throw refuse(found.map(message => ({ pointer: '/columns', message })))
  const faults: { pointer: string; message: string }[] = []
  const columnAt = (field: 'time' | 'clock' | 'open' | 'high' | 'low' | 'close' | 'volume') => {
    const position = found[field]
    const column = position === null ? null : columnOf(leaves[position], field)
    if (typeof column !== 'string') return column
    faults.push({ pointer: `/columns/${found.names[position ?? -1]}`, message: column })
    return null
  }
  const [time, open, high, low, close] = [
    columnAt('time'),
    columnAt('open'),
    columnAt('high'),
    columnAt('low'),
    columnAt('close'),
  ]
  const [clock, volume] = [columnAt('clock'), columnAt('volume')]
  if (faults.length > 0 || !time || !open || !high || !low || !close) throw refuse(faults)
  return { time, clock, open, high, low, close, volume }
}

function refuse(faults: readonly { pointer: string; message: string }[]): Problem {
  const errors = faults.map(fault => ({ ...fault, code: 'header' }))
  return new Problem('bars-invalid', errors[0]?.message ?? 'the file has no columns that can be read', {
    errors,
    hint: 'The file needs columns for time, open, high, low and close; volume is optional.',
  })
}

/** The columns that are not nested. */
function topLevel(schema: readonly SchemaElement[]): SchemaElement[] {
  const leaves: SchemaElement[] = []
  for (let at = 1; at < schema.length; ) {
    const element = schema[at] as SchemaElement
    if (element.num_children === undefined || element.num_children === 0) leaves.push(element)
    at = endOfElement(schema, at, 0)
  }
  return leaves
}

function endOfElement(schema: readonly SchemaElement[], at: number, depth: number): number {
  const children = schema[at]?.num_children ?? 0
  if (depth > 50 || children < 0 || children > schema.length)
    throw new Error('its columns are nested wrongly')
  let end = at + 1
  for (let child = 0; child < children; child++) end = endOfElement(schema, end, depth + 1)
  return end
}

function columnOf(element: SchemaElement | undefined, field: keyof CsvColumns): ParquetColumn | string {
  if (element?.type === undefined || element.repetition_type === 'REPEATED')
    return `the column for ${field} is not a plain column`
  const physical = { type: element.type, length: element.type_length ?? 0 }
  const converter = field === 'time' ? timeConverter : field === 'clock' ? clockConverter : numberConverter
  const convert = converter(element, physical)
  const { name } = element
  if (typeof convert === 'string') return `the column ${name} cannot be the ${field}: ${convert}`
  return { name, physical, isOptional: element.repetition_type !== 'REQUIRED', convert }
}
