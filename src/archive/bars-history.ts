import type { Bars } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import type { BarsArchive } from './bars.ts'
import type { Version } from './version.ts'

/** A pinned dataset. */
export type PinnedBars = { readonly symbol: string; readonly timeframe: string; readonly sha256: string }

/** Which bars are wanted, epoch ms, half-open, and how many before them warm indicators up; null is all. */
export type HistoryRequest = {
  readonly start: number | null
  readonly end: number | null
  readonly before: number | null
  /** More are refused. */
  readonly maxBars: number
}

/**
 * Bars of a range with at least `before` bars in front of it where so many are stored: whole segments, so that few files
 * are opened. Blocks, for a few milliseconds with some ten thousand bars.
 * @throws {Problem} 'params-invalid' when more bars than `maxBars` would be read, 'bars-missing', 'bars-invalid'
 */
export function readWithHistory(archive: BarsArchive, pinned: PinnedBars, request: HistoryRequest): Bars {
  const { symbol, timeframe, sha256 } = pinned
  const version = archive.version(symbol, timeframe, sha256)
  if (version === null) throw new Problem('bars-missing', `${symbol} ${timeframe} is not stored any more`)
  const segments = segmentsFor(version, request)
  const bars = segments.reduce((sum, segment) => sum + segment.bars, 0)
  if (bars > request.maxBars) {
    const message = `${bars} bars of ${symbol} ${timeframe} would be read for this, at most ${request.maxBars} are`
    throw new Problem('params-invalid', message, {
      hint: 'Ask for a shorter range, or a later start; the operation feature_build has no such limit.',
    })
  }
  return archive.read(symbol, timeframe, sha256, { start: segments[0]?.first_ms ?? null, end: request.end })
}

/** The bar of an index among all bars of a version, or null. Opens one segment. */
export function readBarAt(archive: BarsArchive, pinned: PinnedBars, index: number): Bars | null {
  const version = archive.version(pinned.symbol, pinned.timeframe, pinned.sha256)
  let skipped = 0
  for (const { bars, first_ms, last_ms } of version?.segments ?? []) {
    if (index < skipped + bars) {
      const segment = readSpan(archive, pinned, { start: first_ms, end: last_ms + 1 })
      const start = segment.time[index - skipped] ?? first_ms
      return readSpan(archive, pinned, { start, end: start + 1 })
    }
    skipped += bars
  }
  return null
}

/** Open time of the first bar that closes at `timeMs` or later, epoch ms, or null. Opens two segments at most. */
export function firstClosingAt(archive: BarsArchive, pinned: PinnedBars, timeMs: number): number | null {
  const segments = archive.version(pinned.symbol, pinned.timeframe, pinned.sha256)?.segments ?? []
  const last = segments.findLastIndex(({ first_ms }) => first_ms <= timeMs)
  for (const { first_ms, last_ms } of segments.slice(Math.max(0, last), Math.max(0, last) + 2)) {
    const { time, close_time } = readSpan(archive, pinned, { start: first_ms, end: last_ms + 1 })
    const at = close_time.findIndex(close => close >= timeMs)
    if (at >= 0) return time[at] ?? null
  }
  return null
}

function readSpan(
  archive: BarsArchive,
  { symbol, timeframe, sha256 }: PinnedBars,
  range: { start: number; end: number },
): Bars {
  return archive.read(symbol, timeframe, sha256, range)
}

/** Those the range touches, and before them as many as hold `before` bars. */
function segmentsFor({ segments }: Version, { start, end, before }: HistoryRequest): Version['segments'] {
  const known = segments.filter(({ first_ms }) => end === null || first_ms < end)
  if (start === null || before === null) return known
  const found = known.findIndex(({ last_ms }) => last_ms >= start)
  let first = found < 0 ? known.length : found
  let held = 0
  while (first > 0 && held < before) {
    first--
    held += known[first]?.bars ?? 0
  }
  return known.slice(first)
}
