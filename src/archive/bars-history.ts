import { type Bars, firstBarAt } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import type { BarsArchive } from './bars.ts'
import type { SegmentFacts } from './version.ts'

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
 * Bars of a pinned dataset, found by counting in its list of segments: only those that hold them are opened. Blocks, for
 * some milliseconds; where prices are adjusted, for as long as all bars take to read.
 */
export class StoredHistory {
  private readonly archive: BarsArchive
  private readonly pinned: PinnedBars
  private readonly segments: readonly SegmentFacts[]

  /** @throws {Problem} 'bars-missing' when the version is not kept, 'bars-invalid' when it is damaged */
  constructor(archive: BarsArchive, pinned: PinnedBars) {
    const { symbol, timeframe, sha256 } = pinned
    const version = archive.version(symbol, timeframe, sha256)
    if (version === null) throw new Problem('bars-missing', `${symbol} ${timeframe} is not stored any more`)
    this.archive = archive
    this.pinned = pinned
    this.segments = version.segments
  }

  /**
   * Bars of a range, and in front of it `before` bars where so many are stored.
   * @throws {Problem} 'params-invalid' when they are more than `maxBars`
   */
  read({ start, end, before, maxBars }: HistoryRequest): Bars {
    const from = start === null || before === null ? 0 : Math.max(0, this.indexAt(start) - before)
    const to = end === null ? this.segments.reduce((sum, { bars }) => sum + bars, 0) : this.indexAt(end)
    const bars = Math.max(0, to - from)
    if (bars > maxBars) {
      const { symbol, timeframe } = this.pinned
      const message = `${bars} bars of ${symbol} ${timeframe} would be read for this, at most ${maxBars} are`
      throw new Problem('params-invalid', message, {
        hint: 'Ask for a shorter range, or a later start; the operation feature_build has no such limit.',
      })
    }
    return this.readSpan(this.barAt(from)?.time[0] ?? null, end)
  }

  /** The bar of an index among all bars, alone; null when there are not so many. */
  barAt(index: number): Bars | null {
    let skipped = 0
    for (const segment of this.segments) {
      if (index < skipped + segment.bars) {
        const time = this.readSegment(segment).time[index - skipped] ?? segment.first_ms
        return this.readSpan(time, time + 1)
      }
      skipped += segment.bars
    }
    return null
  }

  /** How many bars open before `timeMs`. */
  private indexAt(timeMs: number): number {
    let skipped = 0
    for (const segment of this.segments) {
      if (segment.last_ms >= timeMs) return skipped + firstBarAt(this.readSegment(segment), timeMs)
      skipped += segment.bars
    }
    return skipped
  }

  private readSegment({ first_ms, last_ms }: SegmentFacts): Bars {
    return this.readSpan(first_ms, last_ms + 1)
  }

  private readSpan(start: number | null, end: number | null): Bars {
    const { symbol, timeframe, sha256 } = this.pinned
    return this.archive.read(symbol, timeframe, sha256, { start, end })
  }
}
