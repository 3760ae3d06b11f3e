import type { Direction, ExitReason } from './trades.ts'

/**
 * The prices at which an open position is closed without a decision: stop, target, and the price that ruins a short.
 * NaN is a level that does not exist: no price reaches it. `long` is told by direction 1, `short` by −1.
 */
export class Bracket {
  /** Where the stop is now. */
  stop = Number.NaN
  target = Number.NaN
  /** Where the entry placed the stop. */
  firstStop = Number.NaN
  private ruin = Number.NaN
  private direction: Direction = 1
  private stopDistance = Number.NaN

  /** Places the levels of a position entered at `price`. Distances in price, > 0, or NaN for none. */
  place(direction: Direction, price: number, stopDistance: number, targetDistance: number): void {
    this.direction = direction
    this.stopDistance = stopDistance
    this.stop = price - direction * stopDistance
    this.firstStop = this.stop
    this.target = price + direction * targetDistance
  }

  /** @param price at which nothing is left of the equity once the position is closed; NaN when there is none */
  placeRuin(price: number): void {
    this.ruin = price
  }

  /** Whether a price this adverse ends the position: of a bar, its low for a long and its high for a short. */
  isStoppedAt(price: number): boolean {
    return this.direction > 0 ? price <= this.stop : price >= this.stop || price >= this.ruin
  }

  /** Whether a price this favourable ends it: of a bar, its high for a long and its low for a short. */
  isTargetAt(price: number): boolean {
    return this.direction > 0 ? price >= this.target : price <= this.target
  }

  /** Price at which a bar that opened before it and goes through it ends the position: the level met first. */
  stopFill(): number {
    return this.direction > 0 || !(this.ruin < this.stop || Number.isNaN(this.stop)) ? this.stop : this.ruin
  }

  /** Why a position that `isStoppedAt` this fill price ended. */
  stopReason(fill: number): ExitReason {
    if (this.direction < 0 && fill >= this.ruin) return 'ruin'
    return this.stop === this.firstStop ? 'stop' : 'trailing_stop'
  }

  /** Moves the stop after the best price of a completed bar; never back. */
  trail(best: number): void {
    const moved = best - this.direction * this.stopDistance
    if (this.direction > 0 ? moved > this.stop : moved < this.stop) this.stop = moved
  }
}
