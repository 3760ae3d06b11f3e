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
  private margin = Number.NaN
  private ruin = Number.NaN
  private direction: Direction = 1
  private readonly ticks: Ticks

  constructor(ticks: Ticks) {
    this.ticks = ticks
  }

  /** Places the levels of a position entered at `price`. Distances in price, > 0, or NaN for none. */
  place(direction: Direction, price: number, stopDistance: number, targetDistance: number): void {
    const exit = direction > 0 ? -1 : 1
    this.direction = direction
    this.stopDistance = stopDistance
    this.stop = this.ticks.round(price - direction * stopDistance, exit)
    this.firstStop = this.stop
    this.target = this.ticks.round(price + direction * targetDistance, exit)
    this.margin = Number.NaN
    this.ruin = Number.NaN
    this.adverse = this.stop
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

  private findAdverse(): void {
    this.adverse = this.first(this.first(this.stop, this.margin), this.ruin)
  }

  private first(one: number, other: number): number {
    if (Number.isNaN(one)) return other
    if (Number.isNaN(other)) return one
    return this.direction > 0 ? Math.max(one, other) : Math.min(one, other)
  }
}
