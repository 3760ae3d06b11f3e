import type { Ticks } from './ticks.ts'
import { type Direction, exitCodes } from './trades.ts'

/**
 * The prices at which an open position is closed without a decision: stop, target, and where its account is liquidated
 * or ruined. NaN is a level that does not exist: no price reaches it. `long` is told by direction 1, `short` by −1.
 */
export class Bracket {
  /** Where the stop is now. */
  stop = Number.NaN
  target = Number.NaN
  /** Where the entry placed the stop. */
  firstStop = Number.NaN
  /** Of stop, liquidation and ruin the level met first. */
  adverse = Number.NaN
  stopDistance = Number.NaN
  /** Of liquidation and ruin the level met first: it holds also where a stop waits for its fill. */
  closeout = Number.NaN
  private margin = Number.NaN
  private ruin = Number.NaN
  private direction: Direction = 1
  private readonly ticks: Ticks

  constructor(ticks: Ticks) {
    this.ticks = ticks
  }

  /**
   * Places the levels of a position entered at `price`. Distances in price, > 0, or NaN for none. Rounded to ticks, a level
   * stays on its side of the entry: the target, which is rounded towards it, may be nearer than a tick.
   */
  place(direction: Direction, price: number, stopDistance: number, targetDistance: number): void {
    this.direction = direction
    this.stopDistance = stopDistance
    this.stop = this.stopAt(direction, price, stopDistance)
    this.firstStop = this.stop
    this.target = this.targetAt(direction, price, targetDistance)
    this.margin = Number.NaN
    this.ruin = Number.NaN
    this.closeout = Number.NaN
    this.adverse = this.stop
  }

  /** Where a stop this far from an entry at `price` is; NaN where the distance is. */
  stopAt(direction: Direction, price: number, distance: number): number {
    const exit = direction > 0 ? -1 : 1
    const level = this.ticks.round(price - direction * distance, exit)
    return direction * level < direction * price || Number.isNaN(level)
      ? level
      : this.ticks.beyond(price, exit)
  }

  /** @param margin where the position is liquidated  @param ruin where nothing is left of the equity once it is closed */
  placeCloseout(margin: number, ruin: number): void {
    this.margin = margin
    this.ruin = ruin
    this.findAdverse()
  }

  /** Whether a price this adverse ends the position: of a bar, its low for a long and its high for a short. */
  isStoppedAt(price: number): boolean {
    return this.direction > 0 ? price <= this.adverse : price >= this.adverse
  }

  /** Whether a price this favourable ends it: of a bar, its high for a long and its low for a short. */
  isTargetAt(price: number): boolean {
    return this.direction > 0 ? price >= this.target : price <= this.target
  }

  /** Whether a price this adverse liquidates or ruins the account, whatever its stop. */
  isClosedOutAt(price: number): boolean {
    return this.isBeyond(price, this.closeout)
  }

  /** Code of the reason of a position that `isStoppedAt` this fill price ended. */
  stopReason(fill: number): number {
    if (this.isBeyond(fill, this.ruin)) return exitCodes.ruin
    if (this.isBeyond(fill, this.margin)) return exitCodes.liquidation
    return this.stop === this.firstStop ? exitCodes.stop : exitCodes.trailing_stop
  }

  /** Moves the stop after the best price of a completed bar; never back. */
  trail(best: number): void {
    const { direction } = this
    const moved = this.ticks.round(best - direction * this.stopDistance, direction > 0 ? -1 : 1)
    if (!(direction > 0 ? moved > this.stop : moved < this.stop)) return
    this.stop = moved
    this.findAdverse()
  }

  private isBeyond(price: number, level: number): boolean {
    return this.direction > 0 ? price <= level : price >= level
  }

  private targetAt(direction: Direction, price: number, distance: number): number {
    const level = this.ticks.round(price + direction * distance, direction > 0 ? -1 : 1)
    return direction * level > direction * price || Number.isNaN(level)
      ? level
      : this.ticks.beyond(price, direction)
  }

  private findAdverse(): void {
    this.closeout = this.first(this.margin, this.ruin)
    this.adverse = this.first(this.stop, this.closeout)
  }

  private first(one: number, other: number): number {
    if (Number.isNaN(one)) return other
    if (Number.isNaN(other)) return one
    return this.direction > 0 ? Math.max(one, other) : Math.min(one, other)
  }
}
