import type { Account } from './account.ts'
import { distanceAt, type Floor } from './broker.ts'
import type { Market } from './market.ts'
import type { Position } from './position.ts'
import { Sizer } from './sizing.ts'
import { type Direction, exitCodes } from './trades.ts'

/**
 * Fills that nothing but the money bounds: of orders at the market, decided at a close and filled at the next open, without
 * a list of orders to keep, a volume or ticks. They do to the run what the phases of a bar do, bit for bit, in less time:
 * a search makes millions of them.
 */
export class PlainFills {
  private readonly market: Market
  private readonly floor: Floor
  private readonly account: Account
  private readonly position: Position
  private readonly sizer: Sizer
  private readonly terms = { timeMs: 0, isLimit: false, impactRate: 0 }

  constructor(market: Market, floor: Floor) {
    const { bars } = market.input
    this.market = market
    this.floor = floor
    this.account = floor.account
    this.position = market.broker.position
    this.sizer = new Sizer(floor.config, floor.account, bars.close, bars.close_time)
  }

  /** Whether the fills of a run are plain. */
  static arePlain({ config, plan, log }: Floor): boolean {
    const { entry_separation_bars: apart = 0 } = plan
    const isAtMarket = plan.entry === 'market' && config.fill_on === 'next_open'
    return (
      isAtMarket && apart === 0 && config.volume_share === null && config.tick_size === null && !log.isKept
    )
  }

  /**
   * Fills at the open of the bar after bar i what is decided at the close of that one, where no order works.
   * @returns false, with nothing done, where nothing is ordered, the entry lacks a distance, or the open lies at a level of
   * the position
   */
  fill(i: number): boolean {
    const { market, position } = this
    const { bars, signals } = market.input
    const { units, bracket } = position
    const exitLong = signals.exit_long[i] === 1
    const exitShort = signals.exit_short[i] === 1
    const long = signals.enter_long[i] === 1 && !exitLong
    const short = signals.enter_short[i] === 1 && !exitShort
    const isWanted = long !== short && (long ? units <= 0 : units >= 0)
    const isLeft = units > 0 ? exitLong : units < 0 && exitShort
    const isOver = units !== 0 && (isLeft || isWanted)
    if (!isOver && !isWanted) return false
    if (isWanted && !market.broker.isBracketKnown(i)) return false
    const open = bars.open[i + 1] as number
    if (isOver && (bracket.isStoppedAt(open) || bracket.isTargetAt(open))) return false
    this.terms.timeMs = bars.time[i + 1] as number
    if (isOver) this.leave(i + 1, open, isLeft ? exitCodes.signal : exitCodes.reversal)
    if (isWanted && !this.account.isRuined) this.enter(long ? 1 : -1, i + 1, open)
    return true
  }

  private leave(i: number, price: number, code: number): void {
    const { account, position, terms } = this
    const direction: Direction = position.units > 0 ? 1 : -1
    const units = Math.abs(position.units)
    account.payFunding(terms.timeMs)
    account.trade(direction > 0 ? -1 : 1, units, price, terms)
    position.bear(account)
    position.reduce(units, price)
    account.close(position.writeTo(this.floor.trades, direction, i, terms.timeMs, code))
    if (!(account.equity() > 0)) account.isRuined = true
  }

  private enter(direction: Direction, i: number, price: number): void {
    const { account, position, sizer, terms } = this
    const { counts } = this.floor
    const { stop_distance, target_distance } = this.market.input.signals
    const stopDistance = distanceAt(stop_distance, i - 1)
    const units = sizer.size(price, false, i - 1, stopDistance)
    if (!(units > 0)) {
      counts.rejected_orders++
      return
    }
    if (sizer.wasReduced) counts.reduced_orders++
    account.payFunding(terms.timeMs)
    account.trade(direction, units, price, terms)
    position.open(direction, units, price, i, terms.timeMs)
    account.open()
    position.bracket.place(direction, price, stopDistance, distanceAt(target_distance, i - 1))
    position.bear(account)
    account.placeCloseout(position)
  }
}
