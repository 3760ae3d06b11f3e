import type { VolumeShare } from './backtest-config.ts'

/** How much of a bar's volume one market has traded, and what that moves the price by. */
export class BarVolume {
  private readonly share: VolumeShare | null
  private readonly volume: Float64Array
  private bar = -1
  private traded = 0

  /** @param volume of the bars, units; without a share it is not looked at */
  constructor(share: VolumeShare | null, volume: Float64Array) {
    this.share = share
    this.volume = volume
  }

  /** The most units that may be traded in bar i, before they are floored. */
  limit(i: number): number {
    return this.share === null
      ? Number.POSITIVE_INFINITY
      : this.share.limit_fraction * (this.volume[i] as number)
  }

  /** Units that were traded in bar i so far. */
  tradedIn(i: number): number {
    return this.bar === i ? this.traded : 0
  }

  /** Counts a fill of `units` > 0 in bar i. */
  count(i: number, units: number): void {
    if (this.share === null) return
    this.traded = (this.bar === i ? this.traded : 0) + units
    this.bar = i
  }

  /** Fraction of its price that a fill of `units` > 0 in bar i moves it by, at most `most`. */
  impact(i: number, units: number, most: number): number {
    if (this.share === null) return 0
    const volume = this.volume[i] as number
    const share = volume > 0 ? Math.min(1, units / volume) : 1
    return Math.min(most, this.share.impact * share * share)
  }
}
