const maxDepth = 16

/**
 * Where the Thrift structure (compact protocol) that begins at `start` ends. It is walked before anything is built
 * of it: a list of a few bytes may claim a billion elements.
 * @returns null when it reaches beyond the bytes
 * @throws {Error} when it is damaged or nests deeper than Parquet's do
 * Source: Apache Thrift, doc/specs/thrift-compact-protocol.md
 */
export function endOfStruct(bytes: Uint8Array, start: number): number | null {
  try {
    return skipStruct({ bytes, at: start }, 0)
  } catch (error) {
    if (error instanceof EndOfBytes) return null
    throw error
  }
}

class EndOfBytes extends Error {}

type Cursor = { readonly bytes: Uint8Array; at: number }

function skipStruct(cursor: Cursor, depth: number): number {
  if (depth > maxDepth) throw new Error('its structures are nested too deep')
  for (;;) {
    const head = nextByte(cursor)
    const type = head & 15
    if (type === 0) return cursor.at
    if (head >> 4 === 0) varint(cursor)
    // A boolean field has its value in its type.
    if (type > 2) skipValue(cursor, type, depth)
  }
}

function skipValue(cursor: Cursor, type: number, depth: number): void {
  if (type <= 3) cursor.at += 1
  else if (type <= 6) varint(cursor)
  else if (type === 7) cursor.at += 8
  else if (type === 8) skipBytes(cursor)
  else if (type === 9) skipList(cursor, depth)
  else if (type === 12) skipStruct(cursor, depth + 1)
  else throw new Error(`it has a field of the unknown type ${type}`)
  if (cursor.at > cursor.bytes.length) throw new EndOfBytes()
}

function skipBytes(cursor: Cursor): void {
  const length = varint(cursor)
  cursor.at += length
}

function skipList(cursor: Cursor, depth: number): void {
  const head = nextByte(cursor)
  const size = head >> 4 === 15 ? varint(cursor) : head >> 4
  if (size > cursor.bytes.length - cursor.at) throw new EndOfBytes()
  if (depth > maxDepth) throw new Error('its structures are nested too deep')
  for (let i = 0; i < size; i++) skipValue(cursor, Math.max(1, head & 15), depth + 1)
}

function nextByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++]
  if (byte === undefined) throw new EndOfBytes()
  return byte
}

/** Exact below 2^53; what is larger is refused by whoever uses it. */
function varint(cursor: Cursor): number {
  let value = 0
  for (let power = 1; ; power *= 128) {
    const byte = nextByte(cursor)
    value += (byte & 127) * power
    if (byte < 128) return value
    if (power > 2 ** 63) throw new Error('it has a number of too many digits')
  }
}
