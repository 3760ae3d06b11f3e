const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** One UTC day in milliseconds. */
export const dayMs = 24 * hourMs

/** THE table of timeframes. `durationMs` is null where the calendar decides: a UTC month. */
export const timeframes = {
  '1m': { durationMs: minuteMs, title: '1 minute' },
  '3m': { durationMs: 3 * minuteMs, title: '3 minutes' },
  '5m': { durationMs: 5 * minuteMs, title: '5 minutes' },
  '15m': { durationMs: 15 * minuteMs, title: '15 minutes' },
  '30m': { durationMs: 30 * minuteMs, title: '30 minutes' },
  '1h': { durationMs: hourMs, title: '1 hour' },
  '2h': { durationMs: 2 * hourMs, title: '2 hours' },
  '4h': { durationMs: 4 * hourMs, title: '4 hours' },
  '6h': { durationMs: 6 * hourMs, title: '6 hours' },
  '12h': { durationMs: 12 * hourMs, title: '12 hours' },
  '1d': { durationMs: dayMs, title: '1 day' },
  '1w': { durationMs: 7 * dayMs, title: '1 week' },
  '1M': { durationMs: null, title: '1 calendar month' },
} as const satisfies Record<string, { durationMs: number | null; title: string }>

export type Timeframe = keyof typeof timeframes

/** Every timeframe, shortest first. */
export const timeframeNames = Object.keys(timeframes) as Timeframe[]

/** Whether `name` is in the table; case matters: `1m` is a minute, `1M` a month. */
export function isTimeframe(name: string): name is Timeframe {
  return Object.hasOwn(timeframes, name)
}

/**
 * Epoch milliseconds UTC at which a bar opened at `openTimeMs` is complete: open + duration; for `1M` the
 * start of the next UTC month, whatever day of the month the bar is dated.
 */
export function closeTimeMs(openTimeMs: number, timeframe: Timeframe): number {
  const { durationMs } = timeframes[timeframe]
  if (durationMs !== null) return openTimeMs + durationMs
  const open = new Date(openTimeMs)
  return Date.UTC(open.getUTCFullYear(), open.getUTCMonth() + 1, 1)
}

/** How often a return is measured, and how many of them make a year. */
export type Periods = { readonly periods_per_year: number; readonly basis: string }

/** The frequency of the returns that performance ratios are computed from. */
export type ReturnFrequency = 'daily' | 'weekly' | 'monthly'

/**
 * The frequency of equity returns: intraday equity is resampled to the last value of each UTC day, so that
 * 1m and 1h runs of one strategy have comparable ratios.
 */
export function returnFrequency(timeframe: Timeframe): ReturnFrequency {
  if (timeframe === '1w') return 'weekly'
  return timeframe === '1M' ? 'monthly' : 'daily'
}

/**
 * Periods per year of *equity returns*: monthly 12, weekly 52, otherwise daily (intraday is resampled to
 * days), 365 for markets open at weekends and 252 for the rest.
 * @param time bar open times, epoch ms UTC, oldest first
 * Source: backtesting.py's weekend rule, trading-conventions E4.
 */
export function returnPeriodsPerYear(time: Float64Array, timeframe: Timeframe): Periods {
  const frequency = returnFrequency(timeframe)
  if (frequency === 'weekly') return { periods_per_year: 52, basis: '52 weeks' }
  if (frequency === 'monthly') return { periods_per_year: 12, basis: '12 months' }
  const share = weekendShare(time, timeframe)
  return share > weekendThreshold
    ? { periods_per_year: 365, basis: `365 calendar days: ${percent(share)} of the bars are on weekends` }
    : { periods_per_year: 252, basis: `252 trading days: ${percent(share)} of the bars are on weekends` }
}

/**
 * Periods per year of *bars*: as `returnPeriodsPerYear`, times the average bars per UTC day present when
 * the timeframe is shorter than a day.
 * @param time bar open times, epoch ms UTC, oldest first
 */
export function periodsPerYear(time: Float64Array, timeframe: Timeframe): Periods {
  const days = returnPeriodsPerYear(time, timeframe)
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null || durationMs >= dayMs || time.length === 0) return days
  const barsPerDay = time.length / countDays(time)
  return {
    periods_per_year: days.periods_per_year * barsPerDay,
    basis: `${days.basis}; ${Number(barsPerDay.toFixed(2))} bars per day`,
  }
}

/** 60 % of the share a market open every day would have. */
const weekendThreshold = (0.6 * 2) / 7

/** By the middle of each bar: a day that opens at local midnight in Tokyo opens on the day before in UTC. */
function weekendShare(time: Float64Array, timeframe: Timeframe): number {
  if (time.length === 0) return 0
  const halfMs = (timeframes[timeframe].durationMs ?? 0) / 2
  let weekend = 0
  for (let i = 0; i < time.length; ) {
    const day = Math.floor(((time[i] as number) + halfMs) / dayMs)
    // 1 January 1970 was a Thursday: day 0 counts as 4 with Sunday 0.
    const weekday = (((day + 4) % 7) + 7) % 7
    const next = firstFrom(time, (day + 1) * dayMs - halfMs, i)
    if (weekday === 0 || weekday === 6) weekend += next - i
    i = next
  }
  return weekend / time.length
}

/** Index of the first bar at or after `timeMs`, behind `from`; as quick as it is near. */
function firstFrom(time: Float64Array, timeMs: number, from: number): number {
  let step = 1
  let low = from
  while (low + step < time.length && (time[low + step] as number) < timeMs) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, time.length)
  while (low + 1 < high) {
    const middle = (low + high) >>> 1
    if ((time[middle] as number) < timeMs) low = middle
    else high = middle
  }
  return high
}

function countDays(time: Float64Array): number {
  let days = 0
  let last = Number.NaN
  for (let i = 0; i < time.length; i++) {
    const day = Math.floor((time[i] as number) / dayMs)
    if (day !== last) days++
    last = day
  }
  return days
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
