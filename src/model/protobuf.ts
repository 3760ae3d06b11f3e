/**
 * Messages of Protocol Buffers as bytes: just what ONNX needs.
 * Source: protobuf.dev/programming-guides/encoding
 */

/** A field of a message: its number and its value, already with its wire type. */
export type Field = readonly [number: number, wireType: 0 | 2 | 5, bytes: Uint8Array]

/** A message of fields, in this order. */
export function message(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  return concatenate(
    fields.flatMap(([number, wireType, bytes]) => [
      varint(number * 8 + wireType),
      ...(wireType === 2 ? [varint(bytes.length)] : []),
      bytes,
    ]),
  )
}

/** @param value whole, 0–2^53 − 1 */
export const integer = (number: number, value: number): Field => [number, 0, varint(value)]

export const text = (number: number, value: string): Field => [number, 2, new TextEncoder().encode(value)]

export const bytes = (number: number, value: Uint8Array): Field => [number, 2, value]

function varint(value: number): Uint8Array {
  const found: number[] = []
  let rest = value
  while (rest >= 128) {
    found.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Uint8Array.of(...found, rest)
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
