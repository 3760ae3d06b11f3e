import { type Bars, firstBarAt } from '../market/bars.ts'

/** The shorter bars inside the bars of a market, as far as they can be followed. */
export class FinerBars {
  readonly view: Bars
  private readonly bars: Bars
  private readonly counts: { disagreeing_bars: number }
  private bar = -1
  private agrees = false

  /** @param counts counts every bar whose finer bars were asked for and do not agree with it */
  constructor(view: Bars, bars: Bars, counts: { disagreeing_bars: number }) {
    this.view = view
    this.bars = bars
    this.counts = counts
  }

  /** Index in `view` of the first bar inside bar i. */
  first(i: number): number {
    return firstBarAt(this.view, this.bars.time[i] as number)
  }

  /** Whether they can be followed through bar i: none reaches a price that the bar does not. */
  canFollow(i: number): boolean {
    if (this.bar === i) return this.agrees
    this.bar = i
    this.agrees = this.isWithin(i)
    if (!this.agrees) this.counts.disagreeing_bars++
    return this.agrees
  }

  private isWithin(i: number): boolean {
    const { high, low, time, length } = this.view
    const { bars } = this
    const [top, bottom, endMs] = [bars.high[i] as number, bars.low[i] as number, bars.close_time[i] as number]
    for (let j = this.first(i); j < length && (time[j] as number) < endMs; j++)
      if ((high[j] as number) > top || (low[j] as number) < bottom) return false
    return true
  }
}
