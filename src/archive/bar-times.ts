import type { BarsArchive } from './bars.ts'
import type { PinnedBars } from './bars-history.ts'
import type { SegmentFacts } from './version.ts'

/** Times of the bars of one segment, epoch ms, oldest first. */
type OpenSegment = {
  readonly sha256: string
  readonly time: Float64Array
  readonly close_time: Float64Array
}

/**
 * When the bars of a pinned dataset open and close, found by counting in its list of segments. The segment read last is
 * kept: whoever asks in ascending order reads each at most once. Reading one blocks for some milliseconds; before each,
 * other requests have their turn.
 */
export class BarTimes {
  private readonly archive: BarsArchive
  private readonly pinned: PinnedBars
  private readonly segments: readonly SegmentFacts[]
  private open: OpenSegment | null = null

  /** @param segments those of the pinned version, prices as traded, oldest first */
  constructor(archive: BarsArchive, pinned: PinnedBars, segments: readonly SegmentFacts[]) {
    this.archive = archive
    this.pinned = pinned
    this.segments = segments
  }

  /**
   * When the bar of an index among all bars closes, epoch ms; null when there are not so many.
   * @throws {Problem} 'bars-missing' when the version is not kept, 'bars-invalid' when it is damaged
   */
  async closeOf(index: number): Promise<number | null> {
    let skipped = 0
    for (const segment of this.segments) {
      if (index < skipped + segment.bars) {
        const { close_time } = await this.read(segment)
        return close_time[index - skipped] ?? null
      }
      skipped += segment.bars
    }
    return null
  }

  /**
   * When the first bar that closes at `timeMs` or later opens, epoch ms; null when there is none.
   * @throws {Problem} as `closeOf`
   */
  async openOfClosing(timeMs: number): Promise<number | null> {
    // A bar before the one that opens earlier than `timeMs` has closed when that opened. The last bar of a segment may
    // close at the very time the next segment begins.
    const last = this.segments.findLastIndex(({ first_ms }) => first_ms < timeMs)
    for (const segment of this.segments.slice(Math.max(0, last), Math.max(0, last) + 2)) {
      const { time, close_time } = await this.read(segment)
      const at = close_time.findIndex(close => close >= timeMs)
      if (at >= 0) return time[at] ?? null
    }
    return null
  }

  private async read({ sha256, first_ms, last_ms }: SegmentFacts): Promise<OpenSegment> {
    if (this.open?.sha256 === sha256) return this.open
    await new Promise(resolve => setImmediate(resolve))
    const { symbol, timeframe, sha256: version } = this.pinned
    const { time, close_time } = this.archive.read(symbol, timeframe, version, {
      start: first_ms,
      end: last_ms + 1,
    })
    const open = { sha256, time, close_time }
    this.open = open
    return open
  }
}
