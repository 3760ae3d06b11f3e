import { type FieldError, Problem } from '../problems.ts'

/**
 * Bars of one symbol and timeframe, oldest first, one element per bar in every column.
 * `time` is the open time and the key: epoch milliseconds UTC, strictly increasing.
 * A decision at the close of bar i may use elements 0..i and nothing later.
 */
export type Bars = {
  readonly length: number
  readonly time: Float64Array
  /** Epoch milliseconds UTC at which the bar is complete and may be used. */
  readonly close_time: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  /** Units traded; 0 where the source has no volume. */
  readonly volume: Float64Array
}

/** One bar as a row. Same units as `Bars`. */
export type Bar = {
  readonly time: number
  readonly close_time: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

/** The columns of `Bars`, in storage order. */
export const barFields = ['time', 'close_time', 'open', 'high', 'low', 'close', 'volume'] as const

/** The columns a strategy may read by name. */
export const priceFields = ['open', 'high', 'low', 'close', 'volume'] as const

/** At most this many faults are listed before an input is refused. */
export const maxBarErrors = 20

/** Index of the first bar with open time ≥ `timeMs`; `bars.length` when there is none. */
export function firstBarAt(bars: Bars, timeMs: number): number {
  let low = 0
  let high = bars.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((bars.time[middle] as number) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

/** Bars with `startMs` ≤ open time < `endMs`; null is unbounded. The columns are views, nothing is copied. */
export function sliceBars(bars: Bars, startMs: number | null, endMs: number | null): Bars {
  const from = startMs === null ? 0 : firstBarAt(bars, startMs)
  const to = endMs === null ? bars.length : firstBarAt(bars, endMs)
  return viewBars(bars, from, Math.max(from, to))
}

/** The first `length` bars, as views: what was known when bar `length - 1` closed. */
export function truncateBars(bars: Bars, length: number): Bars {
  return viewBars(bars, 0, Math.min(Math.max(0, length), bars.length))
}

/** Bar `i` as a row. @throws {RangeError} when there is no bar `i` */
export function barAt(bars: Bars, i: number): Bar {
  if (!(i >= 0 && i < bars.length)) throw new RangeError(`there is no bar ${i} of ${bars.length}`)
  return {
    time: bars.time[i] as number,
    close_time: bars.close_time[i] as number,
    open: bars.open[i] as number,
    high: bars.high[i] as number,
    low: bars.low[i] as number,
    close: bars.close[i] as number,
    volume: bars.volume[i] as number,
  }
}

/** What is wrong with one bar taken alone. */
export type BarFault = {
  readonly field: (typeof priceFields)[number]
  readonly code: string
  readonly message: string
}

/** The first fault of a bar's prices and volume, or null: prices finite and > 0, open and close in [low, high]. */
export function findBarFault(bar: Omit<Bar, 'time' | 'close_time'>): BarFault | null {
  for (const field of ['open', 'high', 'low', 'close'] as const) {
    const price = bar[field]
    if (!Number.isFinite(price))
      return { field, code: 'not_finite', message: `${field} is not a finite number` }
    if (price <= 0)
      return { field, code: 'not_positive', message: `${field} is ${price}, but a price must be above 0` }
  }
  const { open, high, low, close, volume } = bar
  if (high < low)
    return { field: 'high', code: 'high_below_low', message: `high ${high} is below low ${low}` }
  for (const [field, price] of [
    ['open', open],
    ['close', close],
  ] as const) {
    if (price < low || price > high) {
      return {
        field,
        code: 'outside_range',
        message: `${field} ${price} is outside low ${low} to high ${high}`,
      }
    }
  }
  if (!Number.isFinite(volume))
    return { field: 'volume', code: 'not_finite', message: 'volume is not a finite number' }
  if (volume < 0)
    return { field: 'volume', code: 'negative', message: `volume is ${volume}, but may not be negative` }
  return null
}

/**
 * Refuses bars that could not have happened, naming up to 20 faulty rows (row 0 is the oldest bar).
 * @throws {Problem} 'bars-invalid' with pointers `/bars/<row>/<field>`
 */
export function checkBars(bars: Bars): void {
  const errors: FieldError[] = []
  const report = (row: number, field: string, code: string, message: string) =>
    errors.push({ pointer: `/bars/${row}/${field}`, code, message: `row ${row}: ${message}` })
  for (let i = 0; i < bars.length && errors.length < maxBarErrors; i++) {
    const time = bars.time[i] as number
    if (!Number.isFinite(time)) report(i, 'time', 'not_finite', 'time is not a finite number')
    else if (i > 0 && time === bars.time[i - 1])
      report(i, 'time', 'duplicate', `${formatTime(time)} occurs twice`)
    else if (i > 0 && time < (bars.time[i - 1] as number)) {
      report(i, 'time', 'not_increasing', `${formatTime(time)} comes after a later bar`)
    }
    if (!((bars.close_time[i] as number) > time))
      report(i, 'close_time', 'not_after_open', 'the close time is not after the open time')
    const fault = findBarFault(barAt(bars, i))
    if (fault !== null) report(i, fault.field, fault.code, fault.message)
  }
  if (errors.length > 0) {
    throw new Problem('bars-invalid', errors[0]?.message ?? 'the bars are not valid', {
      errors: errors.slice(0, maxBarErrors),
    })
  }
}

/** RFC 3339 UTC, or the raw number when it is outside the range of dates. */
export function formatTime(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs)
}

function viewBars(bars: Bars, from: number, to: number): Bars {
  return {
    length: to - from,
    time: bars.time.subarray(from, to),
    close_time: bars.close_time.subarray(from, to),
    open: bars.open.subarray(from, to),
    high: bars.high.subarray(from, to),
    low: bars.low.subarray(from, to),
    close: bars.close.subarray(from, to),
    volume: bars.volume.subarray(from, to),
  }
}
