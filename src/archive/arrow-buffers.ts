import type { Data } from 'apache-arrow'

const two32 = 2 ** 32

/**
 * Added to a whole number within ±2^51, its bits are those of the number as int64 plus a constant, because the unit of
 * the last place is 1 up there.
 */
const intoBits = 1.5 * 2 ** 52
/** The upper half of that constant; the lower one is 0. */
const bitsOfSum = 0x43380000

/** Whole numbers as int64; NaN becomes 0, to be marked null. BigInt conversion of every value costs ten times as much. */
export function toInt64(values: Float64Array): BigInt64Array {
  const { length } = values
  const sums = new Float64Array(length)
  const halves = new Int32Array(sums.buffer)
  for (let i = 0; i < length; i++) {
    const value = values[i] as number
    const sum = value + intoBits
    sums[i] = sum
    if (sum - intoBits === value && Math.abs(value) < 2 ** 51)
      halves[2 * i + 1] = (halves[2 * i + 1] as number) - bitsOfSum
    else writeHalves(value, i, halves)
  }
  return new BigInt64Array(sums.buffer)
}

/** The same by division, for any value. */
function writeHalves(value: number, i: number, halves: Int32Array): void {
  const isNull = Number.isNaN(value)
  if (!isNull && !Number.isSafeInteger(value)) throw new Error(`${value} at row ${i} is not a whole number`)
  const high = isNull ? 0 : Math.floor(value / two32)
  halves[2 * i] = isNull ? 0 : value - high * two32
  halves[2 * i + 1] = high
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
  if (areFinite(values)) return { nullCount: 0 }
  const { bits, count } = packBits(values.length, i => !Number.isNaN(values[i]))
  const nullCount = values.length - count
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap: bits }
}

/** Two sums, so that one addition does not wait for the other: a value that is not finite makes its sum NaN for good. */
function areFinite(values: Float64Array): boolean {
  const { length } = values
  let [even, odd] = [0, 0]
  for (let i = 0; i + 1 < length; i += 2) {
    even += (values[i] as number) * 0
    odd += (values[i + 1] as number) * 0
  }
  const last = length % 2 === 0 ? 0 : (values[length - 1] as number)
  return even + odd + last * 0 === 0
}

/** What `makeData` needs of texts: UTF-8 one after the other, and where each begins. What repeats is encoded once. */
export function packTexts(values: readonly (string | null)[]): Nulls & {
  valueOffsets: Int32Array
  data: Uint8Array
} {
  const { words, codes } = findWords(values)
  const valueOffsets = new Int32Array(codes.length + 1)
  let size = 0
  for (let i = 0; i < codes.length; i++) {
    size += (words[codes[i] as number] as Uint8Array).length
    valueOffsets[i + 1] = size
  }
  const data = new Uint8Array(size)
  for (let i = 0; i < codes.length; i++) {
    const word = words[codes[i] as number] as Uint8Array
    let at = valueOffsets[i] as number
    // A call of `set` takes longer than copying the few bytes of a word.
    if (word.length > 32) data.set(word, at)
    else for (let k = 0; k < word.length; k++) data[at++] = word[k] as number
  }
  return { valueOffsets, data, ...packNulls(values) }
}

/** Every different text in UTF-8, the empty one of nulls first, and which of them each value is. */
function findWords(values: readonly (string | null)[]): { words: readonly Uint8Array[]; codes: Uint32Array } {
  const encoder = new TextEncoder()
  const words = [new Uint8Array(0)]
  const known = new Map<string | null, number>([[null, 0]])
  const codes = new Uint32Array(values.length)
  let last: string | null = null
  let code = 0
  for (let i = 0; i < codes.length; i++) {
    const value = values[i] as string | null
    if (value !== last) {
      code = known.get(value) ?? words.length
      if (code === words.length) {
        words.push(encoder.encode(value ?? ''))
        known.set(value, code)
      }
      last = value
    }
    codes[i] = code
  }
  return { words, codes }
}

/** What `makeData` needs of booleans: a bitmap, least significant bit first. */
export function packBooleans(values: readonly (boolean | null)[]): Nulls & { data: Uint8Array } {
  return { data: packBits(values.length, i => values[i] === true).bits, ...packNulls(values) }
}

type Nulls = { nullCount: number; nullBitmap?: Uint8Array }

function packNulls(values: readonly unknown[]): Nulls {
  if (!values.includes(null)) return { nullCount: 0 }
  const { bits, count } = packBits(values.length, i => values[i] !== null)
  return { nullCount: values.length - count, nullBitmap: bits }
}

/** @returns a bit per index, and how many of them are set */
function packBits(length: number, isSet: (i: number) => boolean): { bits: Uint8Array; count: number } {
  const bits = new Uint8Array(Math.ceil(length / 64) * 8)
  let count = 0
  for (let i = 0; i < length; i++) {
    if (!isSet(i)) continue
    bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7))
    count++
  }
  return { bits, count }
}

function forEachNull(chunk: Data, visit: (row: number) => void): void {
  if (chunk.nullCount === 0) return
  for (let i = 0; i < chunk.length; i++) {
    const bit = i + chunk.offset
    if ((((chunk.nullBitmap[bit >> 3] as number) >> (bit & 7)) & 1) === 0) visit(i)
  }
}
