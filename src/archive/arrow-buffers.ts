import type { Data } from 'apache-arrow'

const two32 = 2 ** 32

/**
 * Whole numbers as int64; NaN becomes 0, to be marked null. Written as two halves: BigInt conversion of
 * every value costs ten times as much.
 */
export function toInt64(values: Float64Array): BigInt64Array {
  const target = new BigInt64Array(values.length)
  const halves = new Int32Array(target.buffer)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) continue
    if (!Number.isSafeInteger(value)) throw new Error(`${value} at row ${i} is not a whole number`)
    const high = Math.floor(value / two32)
    halves[2 * i] = value - high * two32
    halves[2 * i + 1] = high
  }
  return target
}

/**
 * The int64 values of a chunk as numbers; null becomes NaN.
 * @param inPlace write them over the chunk, whose memory is not touched for the first time then: twice as fast
 */
export function fromInt64(chunk: Data, inPlace: boolean): Float64Array {
  const { buffer, byteOffset, length } = chunk.values as BigInt64Array
  const low = new Uint32Array(buffer, byteOffset, length * 2)
  const high = new Int32Array(buffer, byteOffset, length * 2)
  const target = inPlace ? new Float64Array(buffer, byteOffset, chunk.length) : new Float64Array(chunk.length)
  joinHalves(low, high, target)
  forEachNull(chunk, i => {
    target[i] = Number.NaN
  })
  return target
}

/** Values read as the bytes of int64 become the numbers they mean, in their place. */
export function int64ToFloat64(values: Float64Array): void {
  const { buffer, byteOffset, length } = values
  joinHalves(
    new Uint32Array(buffer, byteOffset, length * 2),
    new Int32Array(buffer, byteOffset, length * 2),
    values,
  )
}

function joinHalves(low: Uint32Array, high: Int32Array, target: Float64Array): void {
  for (let i = 0; i < target.length; i++) {
    target[i] = (high[2 * i + 1] as number) * two32 + (low[2 * i] as number)
  }
}

/**
 * The float64 values of a chunk, as a view. Our own files keep NaN in the place of a null; where another
 * writer left something else, it becomes NaN in a copy.
 */
export function withNaNWhereNull(chunk: Data): Float64Array {
  const view = (chunk.values as Float64Array).subarray(0, chunk.length)
  let values = view
  forEachNull(chunk, i => {
    if (Number.isNaN(values[i])) return
    if (values === view) values = view.slice()
    values[i] = Number.NaN
  })
  return values
}

/** What `makeData` needs to know of nulls: a bitmap, least significant bit first, 1 = valid; none without NaN. */
export function packValidity(values: Float64Array): Nulls {
  let nullCount = 0
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) nullCount++
  if (nullCount === 0) return { nullCount }
  return { nullCount, nullBitmap: bitmapOf(values.length, i => !Number.isNaN(values[i])) }
}

/** What `makeData` needs of texts: UTF-8 one after the other, and where each begins. What repeats is encoded once. */
export function packTexts(values: readonly (string | null)[]): Nulls & {
  valueOffsets: Int32Array
  data: Uint8Array
} {
  const encoder = new TextEncoder()
  const known = new Map<string, Uint8Array>()
  const parts = values.map(value => {
    if (value === null) return null
    const encoded = known.get(value) ?? encoder.encode(value)
    known.set(value, encoded)
    return encoded
  })
  const valueOffsets = new Int32Array(values.length + 1)
  let size = 0
  parts.forEach((part, i) => {
    size += part?.length ?? 0
    valueOffsets[i + 1] = size
  })
  const data = new Uint8Array(size)
  parts.forEach((part, i) => {
    if (part !== null) data.set(part, valueOffsets[i])
  })
  return { valueOffsets, data, ...packNulls(values) }
}

/** What `makeData` needs of booleans: a bitmap, least significant bit first. */
export function packBooleans(values: readonly (boolean | null)[]): Nulls & { data: Uint8Array } {
  return { data: bitmapOf(values.length, i => values[i] === true), ...packNulls(values) }
}

type Nulls = { nullCount: number; nullBitmap?: Uint8Array }

function packNulls(values: readonly unknown[]): Nulls {
  const nullCount = values.reduce<number>((count, value) => (value === null ? count + 1 : count), 0)
  return nullCount === 0
    ? { nullCount }
    : { nullCount, nullBitmap: bitmapOf(values.length, i => values[i] !== null) }
}

function bitmapOf(length: number, isSet: (i: number) => boolean): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(length / 64) * 8)
  for (let i = 0; i < length; i++) {
    if (isSet(i)) bitmap[i >> 3] = (bitmap[i >> 3] as number) | (1 << (i & 7))
  }
  return bitmap
}

function forEachNull(chunk: Data, visit: (row: number) => void): void {
  if (chunk.nullCount === 0) return
  for (let i = 0; i < chunk.length; i++) {
    const bit = i + chunk.offset
    if ((((chunk.nullBitmap[bit >> 3] as number) >> (bit & 7)) & 1) === 0) visit(i)
  }
}
