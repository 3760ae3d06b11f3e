import { barDateMs } from './adjust.ts'
import { type BarGrid, gridOf, type Slot } from './bar-grid.ts'
import type { Bars } from './bars.ts'
import type { Calendar } from './calendar.ts'
import { isDate, type QualityTally } from './quality-tally.ts'
import { dayMs, type Timeframe, timeframes } from './timeframe.ts'

/** Open and close times against the calendar. Times that are no dates take no part. */
export function checkGrid(
  bars: Bars,
  { calendar, timeframe }: { readonly calendar: Calendar; readonly timeframe: Timeframe },
  tally: QualityTally,
): void {
  const slotOf = makeSlotOf(gridOf(calendar, timeframe), calendar, timeframe)
  let isEarly = false
  for (let i = 0; i < bars.length; i++) {
    const [time, closeTime] = [bars.time[i] as number, bars.close_time[i] as number]
    if (!isDate(time) || !Number.isFinite(closeTime)) continue
    const slot = slotOf(time)
    if (slot === null)
      tally.add('outside_session', { time, value: time }, () => 'the market is closed at the open time')
    else if (slot.time !== time)
      tally.add(
        'off_grid',
        { time, value: time - slot.time },
        () => `opens ${time - slot.time} ms off the grid`,
      )
    const expected = slot?.time === time ? slot.closeTime : closeTime > time ? closeTime : time
    if (expected === closeTime && closeTime > time) continue
    isEarly ||= closeTime < expected || closeTime <= time
    tally.add('misdated_close', { time, value: closeTime }, () => describeClose(closeTime - expected))
  }
  if (isEarly) tally.judge('misdated_close', 'high')
}

function describeClose(lateMs: number): string {
  if (lateMs === 0) return 'closes when it opens'
  return `closes ${Math.abs(lateMs)} ms ${lateMs < 0 ? 'before' : 'after'} it is complete`
}

/** The slot that a stored bar is in: daily and longer ones by their date, which labels the slot. */
function makeSlotOf(
  grid: BarGrid,
  calendar: Calendar,
  timeframe: Timeframe,
): (timeMs: number) => Slot | null {
  const { durationMs } = timeframes[timeframe]
  if (durationMs !== null && durationMs < dayMs) return timeMs => grid.slotAt(timeMs)
  const longestMs = durationMs ?? 31 * dayMs
  return timeMs => {
    const dateMs = barDateMs(timeMs, timeframe, calendar)
    for (const slot of grid.slots(dateMs - longestMs + dayMs, dateMs + 1))
      if (dateMs < slot.closeTime) return slot
    return null
  }
}
