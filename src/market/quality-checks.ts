import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/** `critical` and `high` make a dataset unhealthy, `medium` deserves a look, `info` is for the record. */
export type Severity = 'critical' | 'high' | 'medium' | 'info'

/** Robust standard deviations beyond which a return is an outlier. */
export const outlierDeviations = 15
/** Medians of fewer returns than this are not trusted: the floor alone decides. */
export const fewestReturns = 20
/** A volume spike is this many times the median of its surroundings. */
export const spikeMultiple = 100
/** Bars that a volume is compared with. */
export const volumeBlock = 2_000
/** Ratios at which shares are commonly split, either way. */
export const splitRatios = [2, 3, 4, 5, 7, 10, 20] as const
/** Fraction by which a price step may differ from a split ratio. */
export const splitTolerance = 0.01

/**
 * THE list of quality checks, in the order of the report. `severity` holds unless `description` says when it
 * changes. Counts are of bars.
 */
export const qualityChecks = {
  not_finite: {
    severity: 'critical',
    description: 'A time, price or volume is no finite number, or the time is beyond all dates.',
  },
  not_positive: { severity: 'critical', description: 'A price is zero or below.' },
  ohlc_order: {
    severity: 'critical',
    description: 'Open or close lie outside low to high, or high is below low.',
  },
  duplicate_time: { severity: 'critical', description: 'The open time is the one of the bar before.' },
  not_increasing: {
    severity: 'critical',
    description: 'The open time is earlier than that of the bar before.',
  },
  negative_volume: { severity: 'high', description: 'The volume is below zero.' },
  misdated_close: {
    severity: 'medium',
    description:
      'The close time is not the one the calendar gives this bar; high when one is earlier, because then a strategy sees the bar before it is complete. Bars off the grid are compared with their open time alone.',
  },
  possible_unadjusted_split: {
    severity: 'high',
    description: `The first bar of a date opens within ${splitTolerance * 100} % of ${splitRatios.join(', ')} times (or one such part of) the close before, and no known split explains it.`,
  },
  outlier_jump: {
    severity: 'medium',
    description: `The log return from the close before is larger than ${outlierDeviations} robust standard deviations (1.4826 times the median size of the returns) and than a floor: 5 % below 1h, 10 % below 1d, 20 % for 1d, 40 % above. Intraday returns across a pause are judged among themselves.`,
  },
  spike: {
    severity: 'medium',
    description:
      'An outlier that the next bar takes back to within a quarter of its size: often a bad print.',
  },
  stale_run: {
    severity: 'medium',
    description:
      'Bars in a row with the same open, high, low and close: an hour of them and at least 6, for 1d 5, above 4. Usually a feed that stood still. The value is the length of the run.',
  },
  zero_volume: {
    severity: 'medium',
    description: 'Nothing was traded; info when no bar has a volume, as in markets that report none.',
  },
  volume_spike: {
    severity: 'info',
    description: `The volume is more than ${spikeMultiple} times the median of the traded bars among the ${volumeBlock} around it. The value is that multiple.`,
  },
  outside_session: { severity: 'medium', description: 'The calendar has no session at the open time.' },
  off_grid: { severity: 'medium', description: 'The open time is inside a session, but no bar begins then.' },
} as const satisfies Record<string, { severity: Severity; description: string }>

export type QualityCheckName = keyof typeof qualityChecks

/** Log returns below this size are never outliers: ln(1 + floor of the table's text). */
export function outlierFloor(timeframe: Timeframe): number {
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null || durationMs > dayMs) return Math.log(1.4)
  if (durationMs === dayMs) return Math.log(1.2)
  return durationMs < hourMs ? Math.log(1.05) : Math.log(1.1)
}

/** Identical bars in a row, the first one counted, from which a run is stale. */
export function staleRunLength(timeframe: Timeframe): number {
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null || durationMs > dayMs) return 4
  if (durationMs === dayMs) return 5
  return Math.max(6, hourMs / durationMs)
}

const hourMs = 3_600_000
