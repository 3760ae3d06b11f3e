import { barDateMs } from './adjust.ts'
import type { Bars } from './bars.ts'
import type { Calendar } from './calendar.ts'
import { type CorporateAction, exDateMs } from './corporate-action.ts'
import {
  fewestReturns,
  outlierDeviations,
  outlierFloor,
  splitRatios,
  splitTolerance,
} from './quality-checks.ts'
import { medianInPlace } from './quality-median.ts'
import { isDate, type QualityTally } from './quality-tally.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/** Returns that are far from the others. Bars with an impossible close or out of order take no part. */
export function checkJumps(bars: Bars, timeframe: Timeframe, tally: QualityTally): void {
  const returns = logReturns(bars)
  const isAcross = makeIsAcross(bars, timeframe)
  const within = outlierSize(returns, i => !isAcross(i), timeframe)
  const across = outlierSize(returns, isAcross, timeframe)
  // A return that is NaN is no outlier.
  const isOutlier = (i: number) => Math.abs(returns[i] as number) > (isAcross(i) ? across : within)
  for (let i = 1; i < bars.length; i++) {
    if (!isOutlier(i)) continue
    const [jump, next] = [returns[i] as number, returns[i + 1] ?? Number.NaN]
    const isSpike = Math.abs(jump + next) <= Math.abs(jump) / 4
    const value = Math.expm1(jump)
    tally.add(isSpike ? 'spike' : 'outlier_jump', { time: bars.time[i] as number, value }, () => {
      const moved = `the close moved by ${(value * 100).toFixed(2)} %`
      return isSpike ? `${moved} and came back with the next bar` : moved
    })
    // The way back is part of the spike.
    if (isSpike) i++
  }
}

/** Element i is ln(close[i] ÷ close[i − 1]); NaN where that is no return. */
function logReturns({ length, time, close }: Bars): Float64Array {
  const returns = new Float64Array(length).fill(Number.NaN)
  for (let i = 1; i < length; i++) {
    const [now, before] = [close[i] as number, close[i - 1] as number]
    const isReturn = now > 0 && before > 0 && now < Number.POSITIVE_INFINITY
    if (isReturn && (time[i] as number) > (time[i - 1] as number)) returns[i] = Math.log(now / before)
  }
  return returns
}

/** Whether a return spans a pause: nights move prices by other amounts than minutes do. */
function makeIsAcross({ time }: Bars, timeframe: Timeframe): (i: number) => boolean {
  const { durationMs } = timeframes[timeframe]
  if (durationMs === null || durationMs >= dayMs) return () => false
  return i => (time[i] as number) - (time[i - 1] as number) > 1.5 * durationMs
}

/**
 * The size from which a log return is an outlier. Sizes are measured from 0, not from the median return, which
 * is near 0 in a market and far off in one that swings between two levels.
 */
function outlierSize(returns: Float64Array, counts: (i: number) => boolean, timeframe: Timeframe): number {
  const sizes = new Float64Array(returns.length)
  let length = 0
  for (let i = 1; i < returns.length; i++) {
    const value = returns[i] as number
    if (!Number.isNaN(value) && counts(i)) sizes[length++] = Math.abs(value)
  }
  const floor = outlierFloor(timeframe)
  if (length < fewestReturns) return floor
  return Math.max(floor, outlierDeviations * 1.4826 * medianInPlace(sizes, length))
}

export type SplitContext = {
  readonly timeframe: Timeframe
  readonly calendar: Calendar
  /** Splits that are known; dividends are ignored. */
  readonly actions: readonly CorporateAction[]
}

/** Dates that open a common split ratio away from the close before, without a split that says why. */
export function checkSplits(bars: Bars, context: SplitContext, tally: QualityTally): void {
  const { timeframe, calendar, actions } = context
  const splitDates = actions.filter(({ kind }) => kind === 'split').map(exDateMs)
  const dateOf = (i: number) => barDateMs(bars.time[i] as number, timeframe, calendar)
  for (let i = 1; i < bars.length; i++) {
    const step = (bars.open[i] as number) / (bars.close[i - 1] as number)
    // Nearly every bar ends here.
    if (!(step < 0.6 || step > 1.8) || !(step > 0)) continue
    const ratio = splitRatios.find(r => isNear(step, r) || isNear(1 / step, r))
    if (ratio === undefined || !isDate(bars.time[i] as number) || !isDate(bars.time[i - 1] as number))
      continue
    const [before, date] = [dateOf(i - 1), dateOf(i)]
    if (!(date > before) || splitDates.some(split => split > before && split <= date)) continue
    const kind = step < 1 ? `${ratio}:1` : `1:${ratio}`
    tally.add(
      'possible_unadjusted_split',
      { time: bars.time[i] as number, value: step },
      () => `opens at ${step.toFixed(4)} times the close before, like a split ${kind}`,
    )
  }
}

function isNear(step: number, ratio: number): boolean {
  return Math.abs(step / ratio - 1) <= splitTolerance
}
