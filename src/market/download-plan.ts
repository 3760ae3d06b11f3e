import { addInterval, type Interval, uncovered } from './intervals.ts'
import { type Timeframe, timeframes } from './timeframe.ts'

/** What to ask a vendor for, see `DataDownloadParams` in openapi.yaml. */
export type DownloadMode = 'full' | 'tail' | 'backfill' | 'range'

/** Stands for "the vendor's first bar": nothing that can be fetched is older. Epoch ms. */
export const earliestMs = Date.UTC(1800, 0, 1)

/** What is stored already: open times of the first and last bar, and the times the vendor has answered for. */
export type StoredSpan = {
  readonly firstMs: number
  readonly lastMs: number
  readonly fetched: readonly Interval[]
}

/** Without anything stored, `tail` begins so many bars before its end. */
const tailBars = 1_000
const monthMs = 31 * 86_400_000

/**
 * The spans of open times to ask for, oldest first.
 * @param wanted half-open, epoch ms; a null start is the vendor's first bar
 * @param stored null when there is no dataset yet
 */
export function planDownload(
  mode: DownloadMode,
  timeframe: Timeframe,
  wanted: { readonly start: number | null; readonly end: number },
  stored: StoredSpan | null,
): Interval[] {
  const whole = { start: wanted.start ?? earliestMs, end: wanted.end }
  const spans = stored === null ? [firstSpan(mode, timeframe, wanted, whole)] : spansOf(mode, whole, stored)
  return spans.filter(({ start, end }) => start < end)
}

function firstSpan(
  mode: DownloadMode,
  timeframe: Timeframe,
  wanted: { readonly start: number | null },
  whole: Interval,
): Interval {
  if (mode !== 'tail' || wanted.start !== null) return whole
  return { start: whole.end - tailBars * (timeframes[timeframe].durationMs ?? monthMs), end: whole.end }
}

function spansOf(mode: DownloadMode, whole: Interval, stored: StoredSpan): Interval[] {
  switch (mode) {
    case 'range':
      return [whole]
    case 'tail':
      // The last bar stored was complete: the next one opens later.
      return [{ start: Math.max(whole.start, stored.lastMs + 1), end: whole.end }]
    case 'backfill': {
      // A backfill that was stopped half-way has left a hole behind the oldest bars it fetched.
      const newestMs = stored.fetched.length === 0 ? stored.firstMs : stored.lastMs
      return uncovered({ start: whole.start, end: Math.min(whole.end, newestMs) }, fetchedOf(stored))
    }
    case 'full':
      return uncovered(whole, fetchedOf(stored))
  }
}

const fetchedOf = ({ fetched }: StoredSpan): Interval[] => fetched.reduce<Interval[]>(addInterval, [])

/** Whether every interval of `told` lies within what the dataset knows to have been answered. */
export function isAnswered(told: readonly Interval[], stored: StoredSpan | null): boolean {
  const fetched = stored === null ? [] : fetchedOf(stored)
  return told.every(interval => uncovered(interval, fetched).length === 0)
}

/** Intervals closer together than `distanceMs` as one. @param intervals oldest first, apart from each other */
export function joinNear(intervals: readonly Interval[], distanceMs: number): Interval[] {
  const joined: Interval[] = []
  for (const interval of intervals) {
    const last = joined.at(-1)
    if (last !== undefined && interval.start - last.end < distanceMs)
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, interval.end) }
    else joined.push(interval)
  }
  return joined
}
