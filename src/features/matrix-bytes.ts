import type { SymbolRows } from './feature-table.ts'

/** What is hashed: a matrix, or a table with its symbols. */
export type HashedRows = {
  readonly rows: number
  readonly ids: readonly string[]
  readonly values: Float32Array
  readonly time: Float64Array
  readonly close_time: Float64Array
  readonly symbols?: readonly SymbolRows[]
}

/** Values written between two looks at the checkpoint. */
const chunk = 262_144

/** Names the layout: a change of it changes every hash. */
const format = 'ktrdr-features-1'

/**
 * The canonical bytes of features, the same on every machine, to be hashed or compared. All numbers little-endian:
 * uint32 length of the header; the header, JSON in UTF-8 `{"format","ids","rows","symbols"}` (symbols is null for a
 * matrix); open times and close times as float64, epoch ms; values as float32, row-major.
 * @param checkpoint called every few milliseconds; it may throw to stop the work
 */
export function matrixBytes(features: HashedRows, checkpoint: () => void = () => {}): Uint8Array {
  const { rows, ids, values, time, close_time } = features
  const symbols = features.symbols?.map(({ symbol, from, to }) => ({ symbol, from, to })) ?? null
  const header = new TextEncoder().encode(JSON.stringify({ format, ids, rows, symbols }))
  const bytes = new Uint8Array(4 + header.length + 8 * (time.length + close_time.length) + 4 * values.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, header.length, true)
  bytes.set(header, 4)
  let at = 4 + header.length
  for (const column of [time, close_time]) {
    for (let i = 0; i < column.length; i++, at += 8) view.setFloat64(at, column[i] as number, true)
  }
  for (let start = 0; start < values.length; start += chunk) {
    checkpoint()
    const end = Math.min(start + chunk, values.length)
    for (let i = start; i < end; i++, at += 4) view.setFloat32(at, values[i] as number, true)
  }
  return bytes
}
