import { type DateOrder, dateToMs, epochToMs } from './csv-time.ts'

/** NaN from the first byte that is not a digit on. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const isSeparator = (byte: number | undefined): boolean => byte === 45 || byte === 47 || byte === 46

/**
 * Epoch ms UTC of the time written in bytes[start, end): an epoch, or a date of full length with or without a time of
 * day and `Z`, equal to what `parseCsvTime` makes of the same text; NaN for every other text, which that may understand.
 * @param order of day and month in 03/02/2020; null: such dates are NaN
 */
export function readTime(bytes: Uint8Array, start: number, end: number, order: DateOrder | null): number {
  const length = end - start
  if (length < 8) return Number.NaN
  const separator = bytes[start + 4]
  if (isSeparator(separator) && separator === bytes[start + 7]) {
    return length < 10
      ? Number.NaN
      : withClock(bytes, start + 10, end, dateAt(bytes, start, start + 5, start + 8))
  }
  const middle = bytes[start + 2]
  if (isSeparator(middle) && middle === bytes[start + 5]) {
    if (length < 10) return Number.NaN
    const isDayFirst = middle === 46 || order === 'day_first'
    if (middle !== 46 && order === null) return Number.NaN
    const [month, day] = isDayFirst ? [start + 3, start] : [start, start + 3]
    return withClock(bytes, start + 10, end, dateAt(bytes, start + 6, month, day))
  }
  if (length === 8 || bytes[start + 8] === 32 || bytes[start + 8] === 84)
    return withClock(bytes, start + 8, end, dateAt(bytes, start, start + 4, start + 6))
  // Fourteen digits may be a date, eighteen and more need more than a double.
  return length === 14 || length > 15 ? Number.NaN : epochToMs(digits(bytes, start, end))
}

/** Milliseconds since midnight of HH:MM or HH:MM:SS, NaN for every other text. */
export function readClock(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if ((length !== 5 && length !== 8) || bytes[start + 2] !== 58) return Number.NaN
  const hour = digits(bytes, start, start + 2)
  const minute = digits(bytes, start + 3, start + 5)
  if (length === 8 && bytes[start + 5] !== 58) return Number.NaN
  const second = length === 8 ? digits(bytes, start + 6, end) : 0
  return hour < 24 && minute < 60 && second < 60 ? ((hour * 60 + minute) * 60 + second) * 1000 : Number.NaN
}

function dateAt(bytes: Uint8Array, year: number, month: number, day: number): number {
  return dateToMs(digits(bytes, year, year + 4), digits(bytes, month, month + 2), digits(bytes, day, day + 2))
}

/** The date plus what stands behind it: nothing, or ` HH:MM[:SS[.fff]]` with or without `Z`. */
function withClock(bytes: Uint8Array, start: number, end: number, dateMs: number): number {
  if (start === end) return dateMs
  const gap = bytes[start]
  if (gap !== 32 && gap !== 84) return Number.NaN
  const last = bytes[end - 1] === 90 ? end - 1 : end
  const hasFraction = last - start === 13 && bytes[start + 9] === 46
  const clockMs = readClock(bytes, start + 1, hasFraction ? start + 9 : last)
  return dateMs + clockMs + (hasFraction ? digits(bytes, start + 10, last) : 0)
}
