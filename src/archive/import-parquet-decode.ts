/**
 * Texts of a page, each to be read once, in their order. A page may hold millions of few bytes: a view of each at the
 * same time would take twenty times their bytes.
 */
export type Texts = { readonly length: number; next(): Uint8Array }

/** Values as they lie in a page; which it is depends on the physical type. */
export type Physical = Float64Array | BigInt64Array | Texts

/** A physical type of Parquet, and the bytes of a value of fixed length. */
export type PhysicalType = { readonly type: string; readonly length: number }

const julianEpochDay = 2_440_588n
const nanosOfDay = 86_400_000_000_000n

/** A page and how far it is read. Reading beyond its end throws a RangeError. */
export class PageReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  take(length: number): Uint8Array {
    if (!(length >= 0 && this.at + length <= this.bytes.length)) throw new RangeError('a page ends too early')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  byte(): number {
    return this.view.getUint8(this.at++)
  }

  uint32(): number {
    this.at += 4
    return this.view.getUint32(this.at - 4, true)
  }

  /** At most 64 bits. */
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
    throw new RangeError('a page has a number of too many digits')
  }

  zigzag(): bigint {
    const value = this.varint()
    return (value >> 1n) ^ -(value & 1n)
  }
}

/** `count` values one after the other. Source: Apache Parquet, Encodings.md, as for the functions below */
export function readPlain(page: PageReader, { type, length }: PhysicalType, count: number): Physical {
  const size = { INT32: 4, FLOAT: 4, DOUBLE: 8, INT64: 8, INT96: 12 }[type]
  if (size !== undefined) {
    const bytes = page.take(size * count)
    return readFixed(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), type, count)
  }
  if (type === 'FIXED_LEN_BYTE_ARRAY') return { length: count, next: () => page.take(length) }
  if (type === 'BYTE_ARRAY') return { length: count, next: () => page.take(page.uint32()) }
  throw new Error(`values of the type ${type} are not read`)
}

function readFixed(view: DataView, type: string, count: number): Physical {
  if (type === 'INT64' || type === 'INT96') {
    const values = new BigInt64Array(count)
    for (let i = 0; i < count; i++)
      values[i] = type === 'INT64' ? view.getBigInt64(8 * i, true) : nanosOf(view, 12 * i)
    return values
  }
  const values = new Float64Array(count)
  if (type === 'INT32') for (let i = 0; i < count; i++) values[i] = view.getInt32(4 * i, true)
  else if (type === 'FLOAT') for (let i = 0; i < count; i++) values[i] = view.getFloat32(4 * i, true)
  else for (let i = 0; i < count; i++) values[i] = view.getFloat64(8 * i, true)
  return values
}

/** The old timestamps of Impala and Spark: nanoseconds of a Julian day. */
function nanosOf(view: DataView, at: number): bigint {
  const day = BigInt(view.getInt32(at + 8, true)) - julianEpochDay
  return BigInt.asIntN(64, day * nanosOfDay + view.getBigInt64(at, true))
}

/** `count` small numbers in the hybrid of run lengths and packed bits. @param width bits of each, 0–32 */
export function readHybrid(page: PageReader, width: number, count: number): Uint32Array {
  const values = new Uint32Array(count)
  if (width > 32) throw new RangeError(`a page has numbers of ${width} bits`)
  for (let at = 0; at < count; ) {
    const head = Number(page.varint())
    if (head === 0) throw new RangeError('a page has an empty run')
    if (head % 2 === 0) {
      const bytes = page.take((width + 7) >> 3)
      const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0)
      const end = Math.min(count, at + head / 2)
      values.fill(value, at, end)
      at = end
    } else {
      const groups = (head - 1) / 2
      // Writers may leave out the padding of the last group.
      const bytes = page.take(Math.min(groups * width, page.bytes.length - page.at))
      at = unpackBits(bytes, width, values.subarray(at, at + groups * 8)) + at
    }
  }
  return values
}

/** Fills `values` from packed bits, least significant first. @returns how many there are */
function unpackBits(bytes: Uint8Array, width: number, values: Uint32Array): number {
  if (values.length * width > bytes.length * 8) throw new RangeError('a page ends too early')
  for (let i = 0, bit = 0; i < values.length; i++, bit += width) {
    let value = 0
    for (let read = 0; read < width; ) {
      const from = (bit + read) & 7
      const taken = Math.min(8 - from, width - read)
      value += (((bytes[(bit + read) >> 3] as number) >> from) & ((1 << taken) - 1)) * 2 ** read
      read += taken
    }
    values[i] = value
  }
  return values.length
}

/** DELTA_BINARY_PACKED: whole numbers as distances to the one before. */
export function readDeltas(page: PageReader, count: number): BigInt64Array {
  const block = Number(page.varint())
  const perBlock = Number(page.varint())
  const perMini = block / perBlock
  const stored = Number(page.varint())
  if (!(Number.isInteger(perMini) && perMini > 0 && perMini % 8 === 0 && block <= 65_536 && stored >= count))
    throw new RangeError('a page has damaged distances')
  const values = new BigInt64Array(count)
  let value = page.zigzag()
  if (count > 0) values[0] = value
  for (let at = 1; at < stored; ) {
    const least = page.zigzag()
    const widths = page.take(perBlock)
    for (let mini = 0; mini < perBlock && at < stored; mini++) {
      const width = widths[mini] as number
      const packed = page.take((perMini * width) / 8)
      const end = Math.min(stored, at + perMini)
      for (let i = 0; at < end; i++, at++) {
        value = BigInt.asIntN(64, value + least + bitsAt(packed, i * width, width))
        if (at < count) values[at] = value
        else return values
      }
    }
  }
  return values
}

function bitsAt(bytes: Uint8Array, bit: number, width: number): bigint {
  if (width > 64) throw new RangeError(`a page has numbers of ${width} bits`)
  let low = 0
  let high = 0
  for (let read = 0; read < width; ) {
    const from = (bit + read) & 7
    const taken = Math.min(8 - from, width - read, read < 32 ? 32 - read : 64)
    const part = ((bytes[(bit + read) >> 3] as number) >> from) & ((1 << taken) - 1)
    if (read < 32) low += part * 2 ** read
    else high += part * 2 ** (read - 32)
    read += taken
  }
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low)
}

/** DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. */
export function readTexts(page: PageReader, count: number): Texts {
  const lengths = toNumbers(readDeltas(page, count))
  let at = 0
  return { length: count, next: () => page.take(lengths[at++] as number) }
}

const two32 = 2 ** 32

/** 64-bit numbers by their halves: `Number(bigint)` of every value costs several times as much. */
export function toNumbers(values: BigInt64Array): Float64Array {
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  const high = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const result = new Float64Array(values.length)
  for (let i = 0; i < result.length; i++)
    result[i] = (high[2 * i + 1] as number) * two32 + (low[2 * i] as number)
  return result
}

/** BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, and so on. */
export function readSplit(page: PageReader, { type, length }: PhysicalType, count: number): Physical {
  const size = { INT32: 4, FLOAT: 4, DOUBLE: 8, INT64: 8 }[type] ?? length
  const split = page.take(size * count)
  const bytes = new Uint8Array(split.length)
  for (let byte = 0; byte < size; byte++)
    for (let i = 0; i < count; i++) bytes[i * size + byte] = split[byte * count + i] as number
  return readPlain(new PageReader(bytes), { type, length }, count)
}
