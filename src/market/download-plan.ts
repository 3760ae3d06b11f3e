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
    case 'backfill':
      return [{ start: whole.start, end: Math.min(whole.end, stored.firstMs) }]
    case 'full':
      return uncovered(whole, stored.fetched.reduce<Interval[]>(addInterval, []))
  }
}
