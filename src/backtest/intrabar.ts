import type { IntrabarMode } from './backtest-config.ts'

/** How a position gets into a bar: see `IntrabarPath.entered`. */
export type PathEntry = 'held' | 'fell' | 'rose'

/** What ended a position inside a bar. */
export const outcomes = { nothing: 0, adverse: 1, favourable: 2 } as const
/** Added to an outcome that was not known: the mode decided. */
export const ambiguousOutcome = 4

/**
 * What happens inside a bar to a position that is held from its open, or entered inside it. Prices are those of a
 * long; of a short they are negated, so that more is always better. One object is used for every bar.
 */
export class IntrabarPath {
  open = 0
  /** The high of a long, the negated low of a short. */
  best = 0
  worst = 0
  close = 0
  /** Levels at which it ends; NaN for none. */
  adverse = 0
  favourable = 0
  isLong = true
  /**
   * `held`: from the open. `fell`: entered at `entry` by a price that came from above, as limit orders are. `rose`: by
   * one that came from below, as stop orders are.
   */
  entered: PathEntry = 'held'
  entry = 0
  private isHeld = false

  /**
   * The outcome, `ambiguousOutcome` added where open, high, low and close leave it open.
   *
   * Held, the level that is reached alone ends the position. Entered inside the bar, what lies further in the direction
   * the price came in is certain when the other level is not reached, and so is what the close lies beyond. Everything
   * else is decided by the mode; `pessimistic` and `optimistic` also decide whether a level reached was reached after
   * the entry.
   */
  resolve(mode: IntrabarMode): number {
    const isAdverse = this.worst <= this.adverse
    const isFavourable = this.best >= this.favourable
    if (!isAdverse && !isFavourable) return outcomes.nothing
    if (isAdverse !== isFavourable && this.isCertain(isAdverse))
      return isAdverse ? outcomes.adverse : outcomes.favourable
    return this.decide(mode, isAdverse, isFavourable) + ambiguousOutcome
  }

  /** Whether the only level reached was reached while the position was held. */
  private isCertain(isAdverse: boolean): boolean {
    if (this.entered === 'held') return true
    if (isAdverse) return this.entered === 'fell' || this.close <= this.adverse
    return this.entered === 'rose' || this.close >= this.favourable
  }

  private decide(mode: IntrabarMode, isAdverse: boolean, isFavourable: boolean): number {
    switch (mode) {
      case 'pessimistic':
        return isAdverse ? outcomes.adverse : outcomes.nothing
      case 'optimistic':
        return isFavourable ? outcomes.favourable : outcomes.nothing
      case 'ohlc':
        return this.walk(this.isLong)
      case 'adaptive':
        return this.walk(this.isBestFirst())
      default:
        mode satisfies never
        return outcomes.nothing
    }
  }

  /** Whether the open is nearer to the high, for a long; for a short whether it is not: then its low, the best, is first. */
  private isBestFirst(): boolean {
    const [toBest, toWorst] = [this.best - this.open, this.open - this.worst]
    return this.isLong ? toBest < toWorst : toBest <= toWorst
  }

  private walk(isBestFirst: boolean): number {
    const first = isBestFirst ? this.best : this.worst
    const second = isBestFirst ? this.worst : this.best
    this.isHeld = this.entered === 'held'
    return this.move(this.open, first) || this.move(first, second) || this.move(second, this.close)
  }

  private move(from: number, to: number): number {
    if (this.entered === 'fell' && to <= this.entry) this.isHeld = true
    if (this.entered === 'rose' && to >= this.entry) this.isHeld = true
    if (!this.isHeld) return outcomes.nothing
    if (to < from && to <= this.adverse) return outcomes.adverse
    return to > from && to >= this.favourable ? outcomes.favourable : outcomes.nothing
  }
}
