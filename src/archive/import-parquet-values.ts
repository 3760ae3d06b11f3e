import type { SchemaElement } from 'hyparquet'
import { parseCsvNumber } from '../market/csv-number.ts'
import { dateToMs, epochToMs, parseCsvTime } from '../market/csv-time.ts'
import { dayMs } from '../market/timeframe.ts'
import { type Physical, type PhysicalType, type Texts, toNumbers } from './import-parquet-decode.ts'
import type { Convert } from './import-parquet-pages.ts'

/** No number and no time is longer. */
const maxTextBytes = 1000
/** Decimals of Parquet have 16 or 32 bytes. */
const maxDecimalBytes = 64
const text = new TextDecoder()

/** How the values of a column become prices and volumes; a string why they cannot. */
export function numberConverter(element: SchemaElement, { type }: PhysicalType): Convert | string {
  const decimal = scaleOf(element)
  if (decimal !== null) return values => wholes(values, digits => scaled(digits, decimal))
  if (type === 'BYTE_ARRAY')
    return values => cells(values, cell => parseCsvNumber(cell, 'point') ?? Number.NaN)
  if (['DOUBLE', 'FLOAT', 'INT32', 'INT64'].includes(type) && !isDateLike(element))
    return isUnsigned(element) ? values => numbers(values).map(asUnsigned) : numbers
  return `it holds ${describe(element)}, not numbers`
}

/** How the values of a column become epoch milliseconds; a string why they cannot. Times without a zone are UTC. */
export function timeConverter(element: SchemaElement, { type }: PhysicalType): Convert | string {
  const { logical_type: logical, converted_type: converted } = element
  const unit = logical?.type === 'TIMESTAMP' ? logical.unit : converted?.replace('TIMESTAMP_', '')
  if (type === 'INT96' || (type === 'INT64' && unit === 'NANOS')) return values => nanosToMs(values)
  if (type === 'INT64' && unit === 'MICROS')
    return values => numbers(values).map(value => Math.floor(value / 1000))
  if (type === 'INT64' && unit === 'MILLIS') return numbers
  if (type === 'INT32' && (logical?.type === 'DATE' || converted === 'DATE'))
    return values => numbers(values).map(days => days * dayMs)
  if (type === 'BYTE_ARRAY') return values => cells(values, timeOfText)
  const isPlain = ['INT32', 'INT64', 'DOUBLE'].includes(type) && !isDateLike(element)
  return isPlain ? values => epochs(values) : `it holds ${describe(element)}, not times`
}

/** How the values of a column become milliseconds since midnight; a string why they cannot. */
export function clockConverter(element: SchemaElement, { type }: PhysicalType): Convert | string {
  const { logical_type: logical, converted_type: converted } = element
  const unit = logical?.type === 'TIME' ? logical.unit : converted?.replace('TIME_', '')
  const perMs = { MILLIS: 1, MICROS: 1e3, NANOS: 1e6 }[unit ?? '']
  if (perMs !== undefined) return values => numbers(values).map(value => Math.floor(value / perMs))
  if (type !== 'BYTE_ARRAY') return `it holds ${describe(element)}, not times of day`
  return values => cells(values, cell => timeOfText(`1970-01-01 ${cell}`))
}

function describe(element: SchemaElement): string {
  return element.logical_type?.type ?? element.converted_type ?? element.type ?? 'a group of columns'
}

function isDateLike({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  const names = [logical?.type, converted]
  return names.some(name => name !== undefined && /^(DATE|TIME|INTERVAL|JSON|BSON|UUID)/.test(name))
}

function isUnsigned({ type, logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  const isMarked =
    converted?.startsWith('UINT') === true || (logical?.type === 'INTEGER' && !logical.isSigned)
  return type === 'INT32' && isMarked
}

const asUnsigned = (value: number): number => value >>> 0

function scaleOf({ logical_type: logical, converted_type: converted, scale }: SchemaElement): number | null {
  if (logical?.type === 'DECIMAL') return logical.scale
  return converted === 'DECIMAL' ? (scale ?? 0) : null
}

/** Exactly rounded where the digits are exact as a double, as the decimals of prices are. */
function scaled(digits: bigint, scale: number): number {
  const value = Number(digits)
  return Number.isSafeInteger(value) && scale >= 0 && scale <= 22
    ? value / 10 ** scale
    : Number(`${digits}e${-scale}`)
}

/** Value by value, as everything here: `Float64Array.from` holds all of a sequence before it converts the first one. */
function wholes(values: Physical, read: (whole: bigint) => number): Float64Array {
  if (isTexts(values)) return each(values, bytes => read(bigEndian(bytes)))
  const result = new Float64Array(values.length)
  for (let i = 0; i < result.length; i++) result[i] = read(BigInt(values[i] as number | bigint))
  return result
}

function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length > maxDecimalBytes) throw new Error(`a decimal has ${bytes.length} bytes`)
  let value = 0n
  for (const byte of bytes) value = value * 256n + BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

function numbers(values: Physical): Float64Array {
  if (values instanceof Float64Array) return values
  if (!(values instanceof BigInt64Array)) throw new Error('texts are no numbers')
  return toNumbers(values)
}

function nanosToMs(values: Physical): Float64Array {
  if (!(values instanceof BigInt64Array)) throw new Error('these are no timestamps')
  return wholes(values, nanos =>
    Number((nanos - (((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n),
  )
}

/** As in CSV: eight digits are a date, the unit of other numbers follows from their size. */
function epochs(values: Physical): Float64Array {
  const times = numbers(values)
  return times.map((value, i) => {
    if (Number.isInteger(value) && value >= 1e7 && value < 1e8)
      return dateToMs(Math.floor(value / 1e4), Math.floor(value / 100) % 100, value % 100)
    return values instanceof BigInt64Array && Math.abs(value) >= 1e17
      ? Number((values[i] as bigint) / 1_000_000n)
      : epochToMs(value)
  })
}

const isTexts = (values: Physical): values is Texts => !ArrayBuffer.isView(values)

function each(values: Texts, read: (bytes: Uint8Array) => number): Float64Array {
  const result = new Float64Array(values.length)
  for (let i = 0; i < result.length; i++) result[i] = read(values.next())
  return result
}

/** NaN for what is too long to be a number or a time. */
function cells(values: Physical, read: (cell: string) => number): Float64Array {
  if (!isTexts(values)) throw new Error('these are no texts')
  return each(values, bytes => (bytes.length > maxTextBytes ? Number.NaN : read(text.decode(bytes).trim())))
}

/** NaN for what is no time, and for a date whose day and month may be exchanged: a column of texts should be ISO 8601. */
function timeOfText(cell: string): number {
  const time = parseCsvTime(cell, null)
  return typeof time === 'number' ? time : Number.NaN
}
