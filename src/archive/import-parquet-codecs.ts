import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'

type Decompress = (input: Uint8Array, size: number) => Uint8Array

/** Every codec gives exactly `size` bytes or throws: what a file unpacks to is bounded by what its header says. */
const codecs: Readonly<Record<string, Decompress>> = {
  UNCOMPRESSED: input => input,
  SNAPPY: unpackSnappy,
  GZIP: (input, size) => gunzipSync(input, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (input, size) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
  ZSTD: (input, size) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
  LZ4_RAW: unpackLz4,
}

export const codecNames = Object.keys(codecs)

/** @throws {Error} when the input is damaged or not `size` bytes long unpacked; {RangeError} likewise */
export function decompress(codec: string, input: Uint8Array, size: number): Uint8Array {
  const output = codecs[codec]?.(input, size)
  if (output === undefined) throw new Error(`the codec ${codec} is not one of ${codecNames.join(', ')}`)
  if (output.length !== size) throw new Error(`a page unpacks to ${output.length} bytes, not ${size}`)
  return output
}

/** A place in the input, and how far the output has come. */
type Unpacking = { readonly input: Uint8Array; readonly output: Uint8Array; at: number; done: number }

function byteOf(state: Unpacking): number {
  const byte = state.input[state.at++]
  if (byte === undefined) throw new Error('a page ends too early')
  return byte
}

/** Little-endian, at most four bytes. */
function numberOf(state: Unpacking, bytes: number): number {
  let value = 0
  for (let i = 0; i < bytes; i++) value += byteOf(state) * 256 ** i
  return value
}

function literal(state: Unpacking, length: number): void {
  const { input, output } = state
  if (state.at + length > input.length || state.done + length > output.length)
    throw new Error('a page is longer than it says')
  const { at, done } = state
  // Most are a few bytes: a view and a copy of them cost more than a loop.
  if (length > 64) output.set(input.subarray(at, at + length), done)
  else for (let i = 0; i < length; i++) output[done + i] = input[at + i] as number
  state.at += length
  state.done += length
}

/** Repeats what was written `offset` bytes ago; it may reach into what it writes. */
function repeat(state: Unpacking, offset: number, length: number): void {
  const { output, done } = state
  if (offset < 1 || offset > done || done + length > output.length)
    throw new Error('a page repeats what is not there')
  for (let i = done; i < done + length; i++) output[i] = output[i - offset] as number
  state.done += length
}

/** Source: google/snappy, format_description.txt */
function unpackSnappy(input: Uint8Array, size: number): Uint8Array {
  const state: Unpacking = { input, output: new Uint8Array(size), at: 0, done: 0 }
  while (byteOf(state) > 127);
  while (state.at < input.length) {
    const tag = byteOf(state)
    const bits = tag >> 2
    if ((tag & 3) === 0) literal(state, (bits < 60 ? bits : numberOf(state, bits - 59)) + 1)
    else if ((tag & 3) === 1) repeat(state, (tag >> 5) * 256 + byteOf(state), (bits & 7) + 4)
    else repeat(state, numberOf(state, (tag & 3) === 2 ? 2 : 4), bits + 1)
  }
  return state.output.subarray(0, state.done)
}

/** Source: lz4/lz4, doc/lz4_Block_format.md */
function unpackLz4(input: Uint8Array, size: number): Uint8Array {
  const state: Unpacking = { input, output: new Uint8Array(size), at: 0, done: 0 }
  const lengthOf = (bits: number) => {
    let length = bits
    for (let more = bits === 15 ? 255 : 0; more === 255; length += more) more = byteOf(state)
    return length
  }
  while (state.at < input.length) {
    const token = byteOf(state)
    literal(state, lengthOf(token >> 4))
    if (state.at === input.length) break
    const offset = numberOf(state, 2)
    repeat(state, offset, lengthOf(token & 15) + 4)
  }
  return state.output.subarray(0, state.done)
}
