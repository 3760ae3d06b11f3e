import type { EntryType, GoodTill } from './backtest-config.ts'
import type { MarketInput } from './backtest-run.ts'
import type { Ticks } from './ticks.ts'
import type { Direction } from './trades.ts'

/** The one order of a market that opens a position, from the close that decides it to its last fill or its end. */
export class EntryOrder {
  /** `none` when there is none. */
  type: EntryType | 'none' = 'none'
  direction: Direction = 1
  /** Bar at whose close it was decided. */
  decidedBar = 0
  limit = Number.NaN
  stop = Number.NaN
  /** Whether the stop of a stop-limit has been reached: it is a limit order from then on. */
  isTriggered = false
  /** Units still to be filled; NaN before it is sized, at its first fill. */
  rest = Number.NaN
  /** Whether less is to be filled than it was sized for: the equity does not pay for more. */
  isCut = false
  /** Its row in the list of orders. */
  row = 0
  private readonly goodTill: GoodTill
  private readonly bars: MarketInput['bars']
  private readonly ticks: Ticks

  constructor(bars: MarketInput['bars'], goodTill: GoodTill, ticks: Ticks) {
    this.bars = bars
    this.goodTill = goodTill
    this.ticks = ticks
  }

  /**
   * Works from the bar after `bar` on.
   * @param limitDistance of a limit order from the close, of a stop-limit order from its stop
   * @returns false, and does nothing, when a distance it needs is not above 0 or a price is not
   */
  place(
    type: EntryType,
    direction: Direction,
    bar: number,
    stopDistance: number,
    limitDistance: number,
  ): boolean {
    const close = this.bars.close[bar] as number
    const isStop = type === 'stop' || type === 'stop_limit'
    const stop = isStop ? this.ticks.round(close + direction * stopDistance, direction) : Number.NaN
    const limit = type === 'limit' ? close - direction * limitDistance : stop + direction * limitDistance
    const needsLimit = type === 'limit' || type === 'stop_limit'
    if (isStop && !(stopDistance > 0 && stop > 0)) return false
    if (needsLimit && !(limitDistance > 0 && limit > 0)) return false
    this.type = type
    this.direction = direction
    this.decidedBar = bar
    this.stop = stop
    this.limit = needsLimit ? this.ticks.round(limit, direction) : Number.NaN
    this.isTriggered = false
    this.rest = Number.NaN
    this.isCut = false
    return true
  }

  /** Whether its fills are those of a limit order, without spread and slippage. */
  isLimit(): boolean {
    return this.type === 'limit' || this.type === 'stop_limit'
  }

  /** Whether a price at which bars open, or begin again, fills it. A stop-limit is triggered by it. */
  isFilledAtOpen(open: number): boolean {
    const { type, direction } = this
    if (type === 'market') return true
    if (type !== 'limit' && !this.isTriggered) {
      if (direction * open < direction * this.stop) return false
      if (type === 'stop') return true
      this.isTriggered = true
    }
    return direction * open <= direction * this.limit
  }

  /** Whether a bar that did not fill it at the open reaches its price. */
  isReached(high: number, low: number): boolean {
    const isBuy = this.direction > 0
    if (this.type === 'market') return false
    if (this.type === 'limit' || this.isTriggered) return isBuy ? low <= this.limit : high >= this.limit
    return isBuy ? high >= this.stop : low <= this.stop
  }

  /** Whether bar i was the last on which it can be filled. */
  isOver(bar: number): boolean {
    const { goodTill, bars } = this
    if (goodTill === 'cancel' || bar <= this.decidedBar) return false
    if (goodTill !== 'session') return bar >= this.decidedBar + goodTill.bars
    return bar + 1 >= bars.length || this.sessionOf(bar + 1) !== this.sessionOf(bar)
  }

  private sessionOf(bar: number): number {
    const { session, time } = this.bars
    return session === undefined ? Math.floor((time[bar] as number) / dayMs) : (session[bar] as number)
  }
}

const dayMs = 86_400_000
