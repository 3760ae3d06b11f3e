/** How a file writes decimals: `1,234.5` is point style, `1.234,5` comma style. */
export type NumberStyle = 'point' | 'comma'

const plainForm = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const dressedForm = /^([+-]?)\s*[$€£¥]?\s*([\d.,'\u00a0\u202f ]*\d[.,]?)(e[+-]?\d+)?\s*([kmbt])?\s*[$€£¥]?$/i
const bodies = {
  point: /^(\d{1,3}(?:[,'\u00a0\u202f ]\d{3})+|\d*)(?:\.(\d*))?$/,
  comma: /^(\d{1,3}(?:[.'\u00a0\u202f ]\d{3})+|\d*)(?:,(\d*))?$/,
} as const satisfies Record<NumberStyle, RegExp>
const powers: Readonly<Record<string, number>> = { k: 3, m: 6, b: 9, t: 12 }

/**
 * The number in a cell, exactly rounded, or null. Signs, exponents, thousands separators, one currency sign and
 * K, M, B, T for thousands to trillions are understood.
 */
export function parseCsvNumber(text: string, style: NumberStyle): number | null {
  if (style === 'point' && plainForm.test(text)) return Number(text)
  const [, sign = '', body = '', exponent = 'e0', suffix = ''] = dressedForm.exec(text) ?? []
  const match = bodies[style].exec(body)
  if (match === null || body === '') return null
  const [, whole = '', fraction = ''] = match
  if (whole === '' && fraction === '') return null
  const digits = `${whole.replace(/\D/g, '')}.${fraction}`
  const power = Number(exponent.slice(1)) + (powers[suffix.toLowerCase()] ?? 0)
  return Number(`${sign}${digits}e${power}`)
}

/** Divisors that are exact as doubles; the quotient with a whole number below 2^53 is exactly rounded. */
const tens = Float64Array.from({ length: 16 }, (_, power) => 10 ** power)

/**
 * The number written in bytes[start, end) with at most 15 digits and no exponent, equal to `Number` of the same
 * text; NaN for every other text, which `parseCsvNumber` may still understand.
 * @param point the byte of the decimal separator
 */
export function readDecimal(bytes: Uint8Array, start: number, end: number, point: number): number {
  const sign = bytes[start]
  const from = sign === 45 || sign === 43 ? start + 1 : start
  let value = 0
  let pointAt = -1
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number
    const digit = byte - 48
    if (digit >= 0 && digit <= 9) value = value * 10 + digit
    else if (byte === point && pointAt === -1) pointAt = i
    else return Number.NaN
  }
  const digits = end - from - (pointAt === -1 ? 0 : 1)
  if (digits < 1 || digits > 15) return Number.NaN
  if (pointAt !== -1) value /= tens[end - pointAt - 1] as number
  return sign === 45 ? -value : value
}

/**
 * The style that all of these cells fit.
 * @param delimiter of the file: where it is a comma, decimals with a comma need quotes and are as unusual as they are likely elsewhere
 * @returns null when `1,234` may be meant either way and nothing else tells; then someone must ask
 */
export function detectNumberStyle(cells: readonly string[], delimiter: string): NumberStyle | null {
  const written = cells.filter(cell => /\d/.test(cell))
  const fits = (style: NumberStyle) => written.every(cell => parseCsvNumber(cell, style) !== null)
  // What fits neither is reported cell by cell: in the style of programs.
  if (!written.some(cell => cell.includes(',')) || !fits('comma')) return 'point'
  if (!fits('point')) return 'comma'
  // Every comma stands before three digits. A longer number without a separator shows that none of them groups.
  return delimiter !== ',' && written.some(cell => /^\D*\d{4,}\D*$/.test(cell)) ? 'comma' : null
}
