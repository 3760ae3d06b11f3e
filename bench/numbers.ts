/** @param fraction 0–1  @returns the nearest-rank percentile; NaN of nothing */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
  return (lower + upper) / 2
}

export const max = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)

/** `12,345` */
export const whole = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–'

/** Milliseconds with as many digits as mean something. */
export const ms = (value: number): string =>
  Number.isFinite(value)
    ? `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole(value)} ms`
    : '–'

/** A rate in millions per second with as many digits as mean something, `160 M` or `1.6 M`. */
export function millionsPerSecond(count: number, durationMs: number): string {
  const millions = count / durationMs / 1000
  return `${millions < 10 ? millions.toFixed(1) : whole(millions)} M`
}

export const percent = (fraction: number): string => `${(fraction * 100).toFixed(1)} %`

/** `p50 1.20 ms, p99 4.10 ms, max 9.00 ms` */
export function spread(values: readonly number[]): string {
  return `p50 ${ms(percentile(values, 0.5))}, p99 ${ms(percentile(values, 0.99))}, max ${ms(max(values))}`
}
