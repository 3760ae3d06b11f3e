import { Problem } from '../problems.ts'
import { gridOf, isIntraday, placeBars, type Slot } from './bar-grid.ts'
import { type Bars, formatTime } from './bars.ts'
import { BarsBuilder } from './bars-builder.ts'
import type { Calendar } from './calendar.ts'
import { type CorporateAction, exDateMs } from './corporate-action.ts'
import { dayMs, type Timeframe, timeframeNames, timeframes } from './timeframe.ts'

/** What to make of which bars. */
export type ResampleOptions = {
  /** The timeframe of the source bars. */
  readonly from: Timeframe
  /** A longer timeframe that `from` fits into. */
  readonly to: Timeframe
  readonly calendar: Calendar
  /** Epoch ms UTC up to which the source is complete; by default the close time of its last bar. */
  readonly knownUntilMs?: number
}

/**
 * Longer bars out of shorter ones: first open, highest high, lowest low, last close, sum of the volumes.
 * Each source bar belongs to the slot of the calendar that its open time is in (daily bars: their session
 * date). A bar is made only of slots closed at `knownUntilMs`, so that more input never changes one; where the
 * source begins inside a slot the first bar has what there is. Resampling in two steps with one
 * `knownUntilMs` gives the same bars as in one (volumes to the rounding of the sum).
 * A source bar that reaches beyond the slot it opens in, because it is not on the grid of the calendar, delays
 * the `close_time` of the longer bar until it is complete itself: nothing can be used before it was known.
 * @param bars oldest first, as `checkBars` accepts them
 * @returns the longer bars and how many source bars were left out because no session is open at their time
 * @throws {Problem} 'params-invalid' when `from` does not fit into `to`
 */
export function resampleBars(
  bars: Bars,
  options: ResampleOptions,
): { readonly bars: Bars; readonly outsideSession: number } {
  const { from, to, calendar } = options
  const fault = resampleFault(from, to)
  if (fault !== null)
    throw new Problem('params-invalid', fault, {
      hint: 'Choose a longer timeframe, or start from shorter bars.',
    })
  const place = placeBars(calendar, from, to)
  const reach = isIntraday(from) ? gridOf(calendar, from).closeTimeOf : () => 0
  const knownUntilMs = options.knownUntilMs ?? bars.close_time[bars.length - 1] ?? 0
  const builder = new BarsBuilder()
  const finish = (bar: OpenBar) => {
    const closeTime = Math.max(bar.slot.closeTime, reach(bar.lastTime))
    if (closeTime <= knownUntilMs)
      builder.append({ ...bar.prices, time: bar.slot.time, close_time: closeTime })
  }
  let outsideSession = 0
  let open: OpenBar | null = null
  for (let i = 0; i < bars.length; ) {
    const placement = place(bars.time[i] as number)
    if (placement === null) {
      outsideSession++
      i++
      continue
    }
    const end = endOfRun(bars.time, i, placement.untilMs)
    if (open === null || open.slot.time !== placement.slot.time) {
      if (open !== null) finish(open)
      open = openBar(bars, i, placement.slot)
    }
    addRun(open, bars, i, end)
    i = end
  }
  if (open !== null) finish(open)
  return { bars: builder.build(), outsideSession }
}

/** Why bars of `from` cannot be put together to bars of `to`, and what they can; null when they can. */
export function resampleFault(from: Timeframe, to: Timeframe): string | null {
  if (canResample(from, to)) return null
  const fitting = timeframeNames.filter(name => canResample(from, name))
  const known = fitting.length === 0 ? 'nothing can be made of them' : `they make ${fitting.join(', ')}`
  return `bars of ${from} do not fit into bars of ${to}; ${known}`
}

/**
 * What a reader of the longer bars should know.
 * @returns sentences without a full stop
 */
export function remarksOn(
  source: Bars,
  made: Bars,
  options: Pick<ResampleOptions, 'from' | 'to' | 'calendar'> & {
    readonly actions: readonly CorporateAction[]
  },
): string[] {
  const { from, to, calendar, actions } = options
  const remarks: string[] = []
  const [firstMs, firstMadeMs] = [source.time[0] ?? 0, made.time[0] ?? 0]
  const place = placeBars(calendar, from, to)
  for (const slot of gridOf(calendar, from).slots(firstMs - longestMs, firstMs)) {
    if (place(slot.time)?.slot.time !== firstMadeMs) continue
    remarks.push(`the first bar, of ${formatTime(firstMadeMs)}, lacks what was before ${formatTime(firstMs)}`)
    break
  }
  const isLong = (timeframes[to].durationMs ?? longestMs) > dayMs
  const inside = actions.filter(action => {
    const slot = isLong ? place(exDateMs(action)) : null
    return slot !== null && slot !== undefined && slot.slot.time < exDateMs(action)
  })
  if (inside.length > 0)
    remarks.push(
      `${inside.length} bar(s) hold prices from before and after a split or dividend, such as that of ${inside[0]?.ex_date}`,
    )
  return remarks
}

/** No bar is longer than a month. */
const longestMs = 31 * dayMs

/** Whether bars of `from` can be put together to bars of `to`, on every calendar. */
export function canResample(from: Timeframe, to: Timeframe): boolean {
  // Slots begin at the open of a session, so a divisor always fits; sessions fit days, and days weeks and months.
  const [shorter, longer] = [timeframes[from].durationMs, timeframes[to].durationMs]
  if (isIntraday(to)) return shorter !== null && longer !== null && shorter < longer && longer % shorter === 0
  return isIntraday(from) || (from === '1d' && to !== '1d')
}

/** A bar that more source bars may come to. */
type OpenBar = {
  readonly slot: Slot
  readonly prices: { open: number; high: number; low: number; close: number; volume: number }
  lastTime: number
}

function openBar(bars: Bars, i: number, slot: Slot): OpenBar {
  const open = bars.open[i] as number
  const prices = { open, high: -Infinity, low: Infinity, close: open, volume: 0 }
  return { slot, prices, lastTime: bars.time[i] as number }
}

/** Index of the first bar after `from` that opens at `untilMs` or later. */
function endOfRun(time: Float64Array, from: number, untilMs: number): number {
  let end = from + 1
  while (end < time.length && (time[end] as number) < untilMs) end++
  return end
}

/** Adds the bars [from, to) to an open bar. */
function addRun(bar: OpenBar, bars: Bars, from: number, to: number): void {
  let { high, low, volume } = bar.prices
  for (let i = from; i < to; i++) {
    const barHigh = bars.high[i] as number
    const barLow = bars.low[i] as number
    if (barHigh > high) high = barHigh
    if (barLow < low) low = barLow
    volume += bars.volume[i] as number
  }
  bar.prices.high = high
  bar.prices.low = low
  bar.prices.volume = volume
  bar.prices.close = bars.close[to - 1] as number
  bar.lastTime = bars.time[to - 1] as number
}
