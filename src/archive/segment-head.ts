import { barFields } from '../market/bars.ts'

/** Where the columns of a segment lie in its file, in the order of `barFields`. */
export type SegmentHead = {
  readonly rows: number
  /** Bytes from the start of the file to each column's first value. */
  readonly offsets: readonly number[]
}

/** As many bytes as the head of a segment certainly fits into. */
export const maxHeadBytes = 4096

const magic = 'ARROW1'
/** Where the first message begins: apache-arrow writes the schema into the footer alone. */
const messageStart = 8
/** Every message of the format starts with it, then comes the length of its metadata. */
const continuation = 0xffffffff
/** Numbers of the format's tables: Message.fbs of the Arrow project. */
const field = { headerType: 1, header: 2, rows: 0, nodes: 1, buffers: 2, compression: 3 } as const
const recordBatch = 3

/**
 * Finds the columns of an Arrow file as `encodeTable` writes bars: one record batch, columns of 8 bytes a value, no
 * nulls, not compressed. The types stand in the footer: that they are those of bars, a segment's name vouches for.
 * Read here and not by apache-arrow, which follows damaged lengths for minutes.
 * @param bytes the first of the file
 * @returns null when the file is another one, which only `decodeTable` can read
 */
export function readSegmentHead(bytes: Uint8Array): SegmentHead | null {
  const start = messageStart + 8
  if (bytes.length < start || String.fromCharCode(...bytes.subarray(0, magic.length)) !== magic) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(messageStart, true) !== continuation) return null
  const end = start + view.getInt32(messageStart + 4, true)
  if (end <= start || end > bytes.length) return null
  try {
    return readRecordBatch(new DataView(bytes.buffer, bytes.byteOffset + start, end - start), end)
  } catch (error) {
    // Damaged: a place that the bytes name lies outside of them.
    if (error instanceof RangeError) return null
    throw error
  }
}

function readRecordBatch(view: DataView, bodyStart: number): SegmentHead | null {
  const message = view.getUint32(0, true)
  const type = placeOf(view, message, field.headerType)
  const header = placeOf(view, message, field.header)
  if (type === null || header === null || view.getUint8(type) !== recordBatch) return null
  const batch = header + view.getUint32(header, true)
  const length = placeOf(view, batch, field.rows)
  if (length === null || placeOf(view, batch, field.compression) !== null) return null
  const rows = Number(view.getBigInt64(length, true))
  const nodes = readPairs(view, placeOf(view, batch, field.nodes))
  // Two for each column: what is null, which is empty without nulls, and the values.
  const buffers = readPairs(view, placeOf(view, batch, field.buffers))
  if (nodes?.length !== barFields.length || buffers?.length !== 2 * barFields.length) return null
  if (nodes.some(([nodeRows, nulls]) => nodeRows !== rows || nulls !== 0)) return null
  const values = buffers.filter((_, index) => index % 2 === 1)
  if (values.some(([, size]) => size < rows * Float64Array.BYTES_PER_ELEMENT)) return null
  return { rows, offsets: values.map(([offset]) => bodyStart + offset) }
}

/** Where a field of a flatbuffers table lies, or null when the table leaves it out. */
function placeOf(view: DataView, table: number, id: number): number | null {
  const layout = table - view.getInt32(table, true)
  const entry = 4 + 2 * id
  if (entry >= view.getUint16(layout, true)) return null
  const offset = view.getUint16(layout + entry, true)
  return offset === 0 ? null : table + offset
}

/** A vector of pairs of int64: field nodes (rows, nulls) and buffers (offset, bytes). */
function readPairs(view: DataView, place: number | null): [number, number][] | null {
  if (place === null) return null
  const vector = place + view.getUint32(place, true)
  const count = view.getUint32(vector, true)
  if (count > 2 * barFields.length) return null
  const int64At = (at: number) => Number(view.getBigInt64(at, true))
  return Array.from({ length: count }, (_, i) => {
    const at = vector + 4 + 16 * i
    return [int64At(at), int64At(at + 8)]
  })
}
