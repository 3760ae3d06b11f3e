import { Problem } from '../problems.ts'

/** Bytes `start` to `end`, both included. */
export type ByteRange = { readonly start: number; readonly end: number }

/**
 * The one range a `Range` header asks for. Several ranges, other units and what is not a range are ignored, as
 * RFC 9110 (14.2) allows: the whole is sent.
 * @returns null for the whole
 * @throws {Problem} 'range-not-satisfiable' when it lies outside
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? '']
  if (match === null || (first === '' && last === '')) return null
  if (first === '') {
    const length = Math.min(Number(last), size)
    if (length === 0) throw outside(size)
    return { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) throw outside(size)
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

const outside = (size: number) => new Problem('range-not-satisfiable', `It has ${size} bytes.`)
