import { Problem } from '../problems.ts'
import type { NamedTensor } from './model-spec.ts'

export type SafeTensors = {
  /** float32, row-major. */
  readonly tensors: readonly NamedTensor[]
  readonly metadata: Readonly<Record<string, string>>
}

type Entry = {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

/** Longest header that is read: the format's own limit. */
const maxHeaderBytes = 100_000_000

/**
 * A SafeTensors file: the length of the header as uint64, the header as JSON, then the values, little-endian.
 * Source: the format's description at github.com/huggingface/safetensors
 */
export function writeSafeTensors({ tensors, metadata }: SafeTensors): Uint8Array<ArrayBuffer> {
  let end = 0
  const entries = tensors.map(({ name, shape, values }): [string, Entry] => {
    const start = end
    end += values.length * 4
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }]
  })
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) })
  const encoded = new TextEncoder().encode(text)
  // Filled up with spaces, so that values start at a multiple of 8.
  const length = Math.ceil(encoded.length / 8) * 8
  const bytes = new Uint8Array(8 + length + end).fill(32, 8, 8 + length)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(length), true)
  bytes.set(encoded, 8)
  let at = 8 + length
  for (const { values } of tensors) {
    for (const value of values) {
      view.setFloat32(at, value, true)
      at += 4
    }
  }
  return bytes
}

/**
 * Reads what `writeSafeTensors` writes, and other files of float32 tensors.
 * @throws {Problem} 'params-invalid' when it is no such file
 */
export function readSafeTensors(bytes: Uint8Array): SafeTensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = bytes.length < 8 ? 0 : Number(view.getBigUint64(0, true))
  if (length === 0 || length > maxHeaderBytes || 8 + length > bytes.length)
    throw refuse('its header is cut off')
  const header = parseHeader(bytes.subarray(8, 8 + length))
  const { __metadata__: metadata = {}, ...entries } = header
  const tensors = Object.entries(entries).map(([name, entry]) => {
    const { dtype, shape = [], data_offsets: offsets = [0, 0] }: Partial<Entry> = { ...(entry as object) }
    const count = shape.reduce((product, size) => product * size, 1)
    const [start, end] = offsets
    if (dtype !== 'F32' || end - start !== count * 4 || !(start >= 0) || 8 + length + end > bytes.length)
      throw refuse(`its tensor ${name} is not float32 or not whole`)
    const at = 8 + length + start
    const values = Float32Array.from({ length: count }, (_, i) => view.getFloat32(at + i * 4, true))
    return { name, shape, values }
  })
  return { tensors, metadata: metadata as Record<string, string> }
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed }
  } catch (error) {
    throw refuse(`its header is not JSON: ${error instanceof Error ? error.message : error}`)
  }
  throw refuse('its header is no map')
}

const refuse = (why: string): Problem => new Problem('params-invalid', `this is no SafeTensors file: ${why}`)
