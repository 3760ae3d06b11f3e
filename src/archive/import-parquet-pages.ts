import { crc32 } from 'node:zlib'
import type { ColumnMetaData, PageHeader } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompress } from './import-parquet-codecs.ts'
import {
  PageReader,
  type Physical,
  type PhysicalType,
  readDeltas,
  readHybrid,
  readPlain,
  readSplit,
  readTexts,
  toNumbers,
} from './import-parquet-decode.ts'
import type { FileWindow, ParquetSource } from './import-parquet-source.ts'
import { endOfStruct } from './import-parquet-thrift.ts'

/** Bytes of a page, unpacked; writers make pages of about one megabyte. */
const maxPageBytes = 64 * 1024 * 1024
/** Rows of a page. */
const maxPageRows = 4 * 1024 * 1024
/** Headers have some dozen bytes, more only where statistics of long texts are in them. */
const headerBytes = [4096, 1024 * 1024]

/** What a page's values mean, as numbers: NaN for what is none. */
export type Convert = (values: Physical) => Float64Array

/** The rows of one page. NaN is what is no number, and null where `isNull` is 1. */
export type Page = { readonly values: Float64Array; readonly isNull: Uint8Array | null }

/** One column of one row group. */
export type ColumnChunk = {
  readonly meta: ColumnMetaData
  readonly physical: PhysicalType
  readonly isOptional: boolean
  readonly rows: number
  readonly convert: Convert
}

/** Reads a column chunk page by page: in memory is one page, however many rows the group has. */
export class ColumnPages {
  readonly #window: FileWindow
  readonly #chunk: ColumnChunk
  readonly #end: number
  #at: number
  #left: number
  #dictionary: Float64Array | null = null

  constructor(source: ParquetSource, chunk: ColumnChunk) {
    const { data_page_offset, dictionary_page_offset, total_compressed_size } = chunk.meta
    const data = Number(data_page_offset)
    const dictionary = Number(dictionary_page_offset ?? 0n)
    this.#window = source.window()
    this.#chunk = chunk
    this.#at = dictionary > 0 ? Math.min(dictionary, data) : data
    this.#end = this.#at + Number(total_compressed_size)
    this.#left = chunk.rows
    if (!(this.#at >= 4 && this.#end > this.#at && this.#end <= source.size))
      throw new Error('a column lies outside the file')
  }

  /** The next page that has rows. @throws {Error} when the chunk is damaged or has fewer rows than the group */
  next(): Page {
    for (;;) {
      const { header, body } = this.#nextPage()
      if (header.type === 'DICTIONARY_PAGE') this.#dictionary = this.#readDictionary(header, body)
      else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
        const page = header.type === 'DATA_PAGE' ? this.#readV1(header, body) : this.#readV2(header, body)
        this.#left -= page.values.length
        if (page.values.length > 0) return page
      }
    }
  }

  #nextPage(): { header: PageHeader; body: Uint8Array } {
    if (this.#at >= this.#end) throw new Error(`a column has ${this.#left} rows too few`)
    const head = this.#header()
    const header = parquetHeader({ view: new DataView(head.buffer, head.byteOffset, head.length), offset: 0 })
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header
    const start = this.#at + head.length
    if (!(packed >= 0 && start + packed <= this.#end)) throw new Error('a page lies outside its column')
    if (!(unpacked >= 0 && Math.max(packed, unpacked) <= maxPageBytes))
      throw new Error(`a page has ${Math.max(packed, unpacked)} bytes; at most ${maxPageBytes} are read`)
    this.#at = start + packed
    const body = this.#window.read(start, packed)
    if (header.crc !== undefined && (crc32(body) | 0) !== header.crc)
      throw new Error('the checksum of a page is wrong')
    return { header, body }
  }

  /** The bytes of the next page's header. */
  #header(): Uint8Array {
    const rest = this.#end - this.#at
    const [few, many] = headerBytes.map(length => Math.min(rest, length)) as [number, number]
    const head = this.#window.read(this.#at, few)
    const end = endOfStruct(head, 0)
    if (end !== null) return head.subarray(0, end)
    const whole = this.#window.read(this.#at, many)
    const farEnd = endOfStruct(whole, 0)
    if (farEnd === null) throw new Error('the header of a page does not end')
    return whole.subarray(0, farEnd)
  }

  #readDictionary(header: PageHeader, body: Uint8Array): Float64Array {
    const count = header.dictionary_page_header?.num_values ?? -1
    checkCount(count, maxPageRows)
    const page = new PageReader(decompress(this.#chunk.meta.codec, body, header.uncompressed_page_size))
    return this.#chunk.convert(readPlain(page, this.#chunk.physical, count))
  }

  #readV1(header: PageHeader, body: Uint8Array): Page {
    const { num_values: rows = -1, encoding = '' } = header.data_page_header ?? {}
    checkCount(rows, this.#left)
    const page = new PageReader(decompress(this.#chunk.meta.codec, body, header.uncompressed_page_size))
    if (!this.#chunk.isOptional) return { values: this.#values(page, encoding, rows), isNull: null }
    const levels = readHybrid(new PageReader(page.take(page.uint32())), 1, rows)
    return this.#spread(page, encoding, levels)
  }

  #readV2(header: PageHeader, body: Uint8Array): Page {
    const facts = header.data_page_header_v2
    const rows = facts?.num_values ?? -1
    checkCount(rows, this.#left)
    const repetitions = facts?.repetition_levels_byte_length ?? 0
    const definitions = facts?.definition_levels_byte_length ?? 0
    const head = new PageReader(body)
    head.take(repetitions)
    const levelBytes = head.take(definitions)
    const packed = head.take(body.length - head.at)
    const size = header.uncompressed_page_size - repetitions - definitions
    const codec = facts?.is_compressed === false ? 'UNCOMPRESSED' : this.#chunk.meta.codec
    // A page of nulls may have no bytes at all, which no codec would have written.
    const page = new PageReader(size === 0 ? new Uint8Array(0) : decompress(codec, packed, size))
    const encoding = facts?.encoding ?? ''
    if (!this.#chunk.isOptional) return { values: this.#values(page, encoding, rows), isNull: null }
    return this.#spread(page, encoding, readHybrid(new PageReader(levelBytes), 1, rows))
  }

  /** Only what is present has a value in the page. */
  #spread(page: PageReader, encoding: string, levels: Uint32Array): Page {
    let present = 0
    for (let row = 0; row < levels.length; row++) present += levels[row] as number
    const packed = this.#values(page, encoding, present)
    if (present === levels.length) return { values: packed, isNull: null }
    const values = new Float64Array(levels.length).fill(Number.NaN)
    const isNull = new Uint8Array(levels.length)
    for (let row = 0, at = 0; row < levels.length; row++) {
      if (levels[row] === 1) values[row] = packed[at++] as number
      else isNull[row] = 1
    }
    return { values, isNull }
  }

  #values(page: PageReader, encoding: string, count: number): Float64Array {
    const { physical, convert } = this.#chunk
    if (count === 0) return new Float64Array(0)
    if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') return this.#lookUp(page, count)
    if (encoding === 'PLAIN') return convert(readPlain(page, physical, count))
    if (encoding === 'BYTE_STREAM_SPLIT') return convert(readSplit(page, physical, count))
    if (encoding === 'DELTA_LENGTH_BYTE_ARRAY') return convert(readTexts(page, count))
    if (encoding === 'DELTA_BINARY_PACKED') {
      const values = readDeltas(page, count)
      return convert(physical.type === 'INT32' ? toNumbers(values) : values)
    }
    throw new Error(`the encoding ${encoding} is not read`)
  }

  #lookUp(page: PageReader, count: number): Float64Array {
    const dictionary = this.#dictionary
    if (dictionary === null) throw new Error('a dictionary is missing')
    const indexes = readHybrid(page, page.byte(), count)
    const values = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const index = indexes[i] as number
      if (index >= dictionary.length) throw new Error('a page names what its dictionary does not have')
      values[i] = dictionary[index] as number
    }
    return values
  }
}

function checkCount(count: number, most: number): void {
  if (!(Number.isInteger(count) && count >= 0 && count <= most))
    throw new Error(`a page claims ${count} values where at most ${most} can be`)
  if (count > maxPageRows) throw new Error(`a page has ${count} values; at most ${maxPageRows} are read`)
}
