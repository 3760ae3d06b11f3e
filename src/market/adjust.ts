import { Problem } from '../problems.ts'
import type { Bars } from './bars.ts'
import type { Calendar } from './calendar.ts'
import { type Adjustment, type CorporateAction, exDateMs } from './corporate-action.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/** What the bars are, and what happened to the share. */
export type ActionContext = {
  readonly timeframe: Timeframe
  readonly calendar: Calendar
  /** In any order. */
  readonly actions: readonly CorporateAction[]
}

/**
 * The date a bar belongs to, as its 00:00 UTC in epoch ms. A daily or longer bar at 00:00 UTC: that date, its
 * label. Any other bar: the date of the session open at its open time, otherwise the market's local date.
 * Never decreases with `timeMs`.
 */
export function barDateMs(timeMs: number, timeframe: Timeframe, calendar: Calendar): number {
  const { durationMs } = timeframes[timeframe]
  const isLabel = (durationMs === null || durationMs >= dayMs) && timeMs % dayMs === 0
  return isLabel ? timeMs : (calendar.sessionAt(timeMs)?.dateMs ?? calendar.localDateMs(timeMs))
}

/**
 * Raw bars as `adjustment` shows them: the same times, new prices and volumes. `none` returns `bars` itself.
 *
 * A bar is *before* an action when its date (`barDateMs`) is before the ex-date. Of a week or month with the
 * ex-date inside, the label is before it, so all of the bar counts as before although part of its prices are
 * not: adjust daily bars and resample where that matters.
 *
 * - `split`: prices before a split are divided by its ratio and volumes multiplied, also when the split is
 *   later than the last bar.
 * - `total`: in addition prices before a dividend D are multiplied by 1 − D / C, C being the raw close of the
 *   last bar before the ex-date, counted in the shares that D was paid on. Volume is not changed. A dividend
 *   without a bar on both sides of its ex-date has no effect. Adjust first and slice afterwards: a slice may
 *   lack the close that a later dividend is measured by.
 *
 * O(bars + actions · log bars). Source: CRSP's price factors, which Yahoo's adjusted close follows;
 * test/market/adjust.test.ts reproduces five years of it.
 * @param bars as traded, oldest first
 * @throws {Problem} 'bars-invalid' when an action makes no sense, e.g. a dividend not below the price
 */
export function adjustBars(bars: Bars, options: ActionContext & { readonly adjustment: Adjustment }): Bars {
  if (options.adjustment === 'none') return bars
  const marks = placeActions(bars, options)
  const steps: Step[] = []
  for (const [i, { end, action }] of marks.entries()) {
    if (action.kind === 'split') {
      steps.push({ end, ratio: action.ratio, factor: 1 })
    } else if (options.adjustment === 'total' && end > 0 && end < bars.length) {
      const close = (bars.close[end - 1] as number) / sharesBetween(marks, i)
      steps.push({ end, ratio: 1, factor: dividendFactor(action, close) })
    }
  }
  return scaleBars(bars, steps, 'adjust')
}

/**
 * Bars as traded, from a vendor that delivers prices and volumes adjusted for splits (not for dividends):
 * before each split prices are multiplied by its ratio and volumes divided. The inverse of `split`.
 * @param bars split-adjusted, oldest first
 * @param options with every split the vendor adjusted for, later ones than the last bar included
 * @throws {Problem} 'bars-invalid' when an action makes no sense
 */
export function unadjustSplits(bars: Bars, options: ActionContext): Bars {
  const steps = placeActions(bars, options).flatMap(({ end, action }) =>
    action.kind === 'split' ? [{ end, ratio: action.ratio, factor: 1 }] : [],
  )
  return scaleBars(bars, steps, 'unadjust')
}

/** An action and the index of the first bar that is not before it. */
type Mark = { readonly dateMs: number; readonly end: number; readonly action: CorporateAction }

/** What bars [0, end) are adjusted by: prices ÷ ratio × factor, volume × ratio. */
type Step = { readonly end: number; readonly ratio: number; readonly factor: number }

type Dividend = CorporateAction & { readonly kind: 'dividend' }

/** Oldest first; of one date splits first, because a dividend of that date is paid on the new shares. */
function placeActions(bars: Bars, { timeframe, calendar, actions }: ActionContext): Mark[] {
  const rank = (action: CorporateAction) => (action.kind === 'split' ? 0 : 1)
  return actions
    .map(action => {
      const dateMs = exDateMs(action)
      return { dateMs, end: firstBarOn(bars, dateMs, timeframe, calendar), action }
    })
    .sort((a, b) => a.dateMs - b.dateMs || rank(a.action) - rank(b.action))
}

/** Index of the first bar whose date is not before `dateMs`. */
function firstBarOn(bars: Bars, dateMs: number, timeframe: Timeframe, calendar: Calendar): number {
  let low = 0
  let high = bars.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (barDateMs(bars.time[middle] as number, timeframe, calendar) < dateMs) low = middle + 1
    else high = middle
  }
  return low
}

/** Shares that one share of the last bar before dividend `i` had become by the ex-date. */
function sharesBetween(marks: readonly Mark[], i: number): number {
  let shares = 1
  for (let k = i - 1; k >= 0 && marks[k]?.end === marks[i]?.end; k--) {
    const action = marks[k]?.action
    if (action?.kind === 'split') shares *= action.ratio
  }
  return shares
}

/** @param close the last before the ex-date, per share that the dividend was paid on */
function dividendFactor({ ex_date, amount }: Dividend, close: number): number {
  if (amount < close) return 1 - amount / close
  throw new Problem(
    'bars-invalid',
    `the dividend of ${ex_date} is ${amount} per share, but the close before it is only ${close}`,
    {
      hint: 'Correct the amount: it is per share as it was on the ex-date. Adjustment split ignores dividends.',
    },
  )
}

/** @param steps in ascending order of `end` */
function scaleBars(bars: Bars, steps: readonly Step[], direction: 'adjust' | 'unadjust'): Bars {
  const open = Float64Array.from(bars.open)
  const high = Float64Array.from(bars.high)
  const low = Float64Array.from(bars.low)
  const close = Float64Array.from(bars.close)
  const volume = Float64Array.from(bars.volume)
  let ratio = 1
  let factor = 1
  for (let s = steps.length - 1; s >= 0; s--) {
    const step = steps[s] as Step
    ratio *= step.ratio
    factor *= step.factor
    const [multiply, divide] = direction === 'adjust' ? [factor, ratio] : [ratio, factor]
    const range = { from: steps[s - 1]?.end ?? 0, to: step.end }
    for (const column of [open, high, low, close]) scale(column, range, { multiply, divide })
    if (direction === 'adjust') scale(volume, range, { multiply: ratio, divide: 1 })
    else scale(volume, range, { multiply: 1, divide: ratio })
  }
  return { ...bars, open, high, low, close, volume }
}

function scale(
  column: Float64Array,
  range: { readonly from: number; readonly to: number },
  by: { readonly multiply: number; readonly divide: number },
): void {
  // Dividing, instead of multiplying by 1 / ratio, leaves round prices round.
  for (let i = range.from; i < range.to; i++) column[i] = ((column[i] as number) / by.divide) * by.multiply
}
