import type { Account } from './account.ts'
import type { BacktestConfig, OrderPlan } from './backtest-config.ts'
import type { MarketInput } from './backtest-run.ts'
import { BarVolume } from './bar-volume.ts'
import { EntryOrder } from './entry-order.ts'
import type { OrderLog } from './order-log.ts'
import type { OrderStatus } from './orders.ts'
import { Position } from './position.ts'
import { Sizer } from './sizing.ts'
import { Ticks } from './ticks.ts'
import { type Direction, exitCodes, type TradeList } from './trades.ts'

/** What all markets of a run share. */
export type Floor = {
  readonly config: BacktestConfig
  readonly plan: OrderPlan
  readonly account: Account
  readonly trades: TradeList
  readonly log: OrderLog
  readonly counts: Counts
}

/** How often something happened that a reader should know of. */
export type Counts = {
  rejected_orders: number
  unplaced_entries: number
  expired_orders: number
  reduced_orders: number
  exposed_bars: number
  disagreeing_bars: number
}

/** No exit is ordered. */
export const noExit = -1

/**
 * The orders of one market: fills them as far as volume and money let, and keeps the account, the position, the list of
 * trades and that of orders in agreement. When something is filled is not its business.
 */
export class Broker {
  readonly position: Position
  readonly entry: EntryOrder
  /** Code of the exit that waits for its fill, or `noExit`. */
  exit = noExit
  /** Whether a position was entered inside this bar, and not at its open. */
  enteredInside = false
  private readonly floor: Floor
  private readonly input: MarketInput
  private readonly market: number
  private readonly sizer: Sizer
  private readonly volume: BarVolume
  private readonly fill = { timeMs: 0, isLimit: false, impactRate: 0 }
  private exitRow = 0
  private stopRow = 0
  private targetRow = 0

  /** @param market index of the market */
  constructor(floor: Floor, input: MarketInput, market: number) {
    const { config, account } = floor
    const { bars, symbol } = input
    const ticks = new Ticks(config.tick_size)
    this.floor = floor
    this.input = input
    this.market = market
    this.position = new Position(market, symbol, ticks)
    account.positions.push(this.position)
    this.entry = new EntryOrder(bars, floor.plan.good_till, ticks)
    this.sizer = new Sizer(config, account, bars.close, bars.close_time)
    this.volume = new BarVolume(config.volume_share, bars.volume)
  }

  /** Whether a stop waits for the rest of its fill: then the target is cancelled. */
  isStopping(): boolean {
    return this.exit === exitCodes.stop || this.exit === exitCodes.trailing_stop
  }

  /** Whether an entry decided at the close of bar i has the distances to its stop and target that it needs. */
  isBracketKnown(i: number): boolean {
    const { stop_distance, target_distance } = this.input.signals
    return (
      (stop_distance === null || distanceAt(stop_distance, i) > 0) &&
      (target_distance === null || distanceAt(target_distance, i) > 0)
    )
  }

  /** Orders an entry at the close of bar i. A distance it needs and does not have makes it no order. */
  orderEntry(direction: Direction, i: number): void {
    const { counts, plan, log } = this.floor
    const { limit_distance, entry_stop_distance } = this.input.signals
    const stop = distanceAt(entry_stop_distance, i)
    const limit = distanceAt(limit_distance, i)
    const { entry } = this
    if (!this.isBracketKnown(i) || !entry.place(plan.entry, direction, i, stop, limit)) {
      counts.unplaced_entries++
      counts.rejected_orders++
      return
    }
    if (!log.isKept) return
    entry.row = log.place(plan.entry, true, direction, this.market, this.input.bars.close_time[i] as number)
    log.price(entry.row, entry.limit, entry.stop)
  }

  /** Ends the entry order, which there is. */
  endEntry(status: OrderStatus, timeMs: number): void {
    const { entry, floor } = this
    if (entry.type !== 'market' && Number.isNaN(entry.rest) && status !== 'rejected')
      floor.counts.expired_orders++
    floor.log.end(entry.row, status, timeMs)
    entry.type = 'none'
  }

  /** Orders at the close of bar i that the position be closed at the next fill, for this reason. */
  orderExit(code: number, i: number): void {
    const { position, floor } = this
    this.exit = code
    if (!floor.log.isKept) return
    const timeMs = this.input.bars.close_time[i] as number
    this.exitRow = floor.log.place('market', false, position.units > 0 ? 1 : -1, this.market, timeMs)
    floor.log.size(this.exitRow, Math.abs(position.units))
  }

  /** Fills the entry order at the raw price, or the part of it that volume and money let be filled. */
  enter(i: number, timeMs: number, price: number): void {
    const { entry, position, floor } = this
    const isLimit = entry.isLimit()
    const isNew = Number.isNaN(entry.rest)
    if (!this.size(price, isLimit)) {
      if (isNew) floor.counts.rejected_orders++
      this.endEntry('rejected', timeMs)
      return
    }
    const units = Math.min(entry.rest, this.tradable(i))
    if (!(units > 0)) return
    this.setTerms(timeMs, isLimit, this.impactOf(units, i))
    this.pay(entry.direction, units, price, i)
    if (position.units === 0) this.open(units, price, i, timeMs)
    else position.add(units, price)
    position.bear(floor.account)
    floor.account.placeCloseout(position)
    floor.log.fill(entry.row, units, price, timeMs, floor.account)
    entry.rest -= units
    if (entry.rest > 0) return
    floor.log.end(entry.row, entry.isCut ? 'partly_filled' : 'filled', timeMs)
    entry.type = 'none'
  }

  /** Closes the position at the raw price, or what the volume lets be closed; the rest of a market or stop order waits. */
  leave(i: number, timeMs: number, price: number, code: number): void {
    const { position, floor } = this
    const direction: Direction = position.units > 0 ? 1 : -1
    const held = Math.abs(position.units)
    const isLimit = code === exitCodes.target
    const units = isForced(code) ? held : Math.min(held, this.tradable(i))
    const row = this.rowOf(code, direction, held, timeMs)
    if (this.entry.type !== 'none' && this.entry.direction === direction) this.endEntry('cancelled', timeMs)
    if (units < held && !isLimit && this.exit !== code) this.wait(code, row, timeMs)
    if (!(units > 0)) return
    floor.account.payBorrow(position, timeMs, price)
    // The books are closed at the end, and nothing is traded.
    this.setTerms(timeMs, isLimit, code === exitCodes.end_of_data ? 0 : this.impactOf(units, i))
    this.pay(direction > 0 ? -1 : 1, units, price, i)
    position.bear(floor.account)
    position.reduce(units, price)
    floor.log.fill(row, units, price, timeMs, floor.account)
    if (units === held) this.finish(direction, i, timeMs, code, row)
    else floor.account.placeCloseout(position)
  }

  /** Keeps the exit ordered for what the volume has left. */
  private wait(code: number, row: number, timeMs: number): void {
    if (this.exit !== noExit && !this.isStopping()) this.floor.log.end(this.exitRow, 'cancelled', timeMs)
    this.exit = code
    this.exitRow = row
  }

  /** Writes the trade and ends the orders the position had. */
  private finish(direction: Direction, i: number, timeMs: number, code: number, row: number): void {
    const { position, floor } = this
    const { account, log, trades } = floor
    account.close(position.writeTo(trades, direction, i, timeMs, code))
    if (code === exitCodes.liquidation) account.liquidations++
    log.end(row, 'filled', timeMs)
    const { stop, firstStop, target } = position.bracket
    if (!Number.isNaN(stop)) {
      if (stop !== firstStop) log.price(this.stopRow, Number.NaN, stop)
      if (row !== this.stopRow) log.end(this.stopRow, 'cancelled', timeMs)
    }
    if (!Number.isNaN(target) && row !== this.targetRow) log.end(this.targetRow, 'cancelled', timeMs)
    if (this.exit !== noExit && !this.isStopping() && row !== this.exitRow)
      log.end(this.exitRow, code === exitCodes.end_of_data ? 'unfilled' : 'cancelled', timeMs)
    this.exit = noExit
    if (code === exitCodes.ruin || !(account.equity() > 0)) account.isRuined = true
  }

  /** Whether the entry order has units to fill; sizes it first where it has not been. */
  private size(price: number, isLimit: boolean): boolean {
    const { entry, position, floor, sizer } = this
    const { account, counts, log } = floor
    if (!Number.isNaN(entry.rest)) {
      const payable = sizer.payable(entry.rest, price, isLimit)
      entry.isCut ||= payable < entry.rest
      entry.rest = payable
      return payable > 0
    }
    if (position.units === 0 && account.isFull()) return false
    const units = sizer.size(price, isLimit, entry.decidedBar, this.stopDistance(price))
    if (!(units > 0)) return false
    if (sizer.wasReduced) counts.reduced_orders++
    entry.rest = units
    log.size(entry.row, units)
    return true
  }

  private open(units: number, price: number, i: number, timeMs: number): void {
    const { entry, position, floor, market } = this
    const { direction, decidedBar } = entry
    const { stop_distance, target_distance } = this.input.signals
    position.open(direction, units, price, i, timeMs)
    floor.account.open()
    const { bracket } = position
    bracket.place(
      direction,
      price,
      distanceAt(stop_distance, decidedBar),
      distanceAt(target_distance, decidedBar),
    )
    const { log, plan } = floor
    if (!Number.isNaN(bracket.stop)) {
      this.stopRow = log.place(
        plan.trailing_stop ? 'trailing_stop' : 'stop',
        false,
        direction,
        market,
        timeMs,
      )
      log.price(this.stopRow, Number.NaN, bracket.stop)
      log.size(this.stopRow, entry.rest)
    }
    if (!Number.isNaN(bracket.target)) {
      this.targetRow = log.place('limit', false, direction, market, timeMs)
      log.price(this.targetRow, bracket.target, Number.NaN)
      log.size(this.targetRow, entry.rest)
    }
  }

  /** From the entry at `price` to its stop, as the ticks let it be; NaN without a stop. */
  private stopDistance(price: number): number {
    const { entry, position, floor, input } = this
    const distance = distanceAt(input.signals.stop_distance, entry.decidedBar)
    if (floor.config.tick_size === null) return distance
    return Math.abs(price - position.bracket.stopAt(entry.direction, price, distance))
  }

  private setTerms(timeMs: number, isLimit: boolean, impactRate: number): void {
    const { fill } = this
    fill.timeMs = timeMs
    fill.isLimit = isLimit
    fill.impactRate = impactRate
  }

  /** Never so much that a sale would cost more than it brings. */
  private impactOf(units: number, i: number): number {
    const { slippageRate, halfSpreadRate } = this.floor.account.costs
    return this.volume.impact(i, units, Math.max(0, 1 - slippageRate - halfSpreadRate))
  }

  private pay(direction: Direction, units: number, price: number, i: number): void {
    const { account } = this.floor
    account.payFunding(this.fill.timeMs)
    this.volume.count(i, units)
    account.trade(direction, units, price, this.fill)
  }

  /** Units that the volume of bar i still lets be traded. */
  private tradable(i: number): number {
    const limit = this.volume.limit(i)
    return limit === Number.POSITIVE_INFINITY ? limit : this.sizer.round(limit) - this.volume.tradedIn(i)
  }

  /** The row of the order that this exit fills. */
  private rowOf(code: number, direction: Direction, units: number, timeMs: number): number {
    if (code === exitCodes.stop || code === exitCodes.trailing_stop) return this.stopRow
    if (code === exitCodes.target) return this.targetRow
    if (this.exit === code) return this.exitRow
    const { log } = this.floor
    const row = log.place('market', false, direction, this.market, timeMs)
    log.size(row, units)
    return row
  }
}

/** Whether the exit is not bounded by the volume: it is not the trader who decides it. */
function isForced(code: number): boolean {
  return code === exitCodes.liquidation || code === exitCodes.ruin || code === exitCodes.end_of_data
}

/** The distance of bar i; NaN where no entry uses one. */
export function distanceAt(distances: Float64Array | null, i: number): number {
  return distances === null ? Number.NaN : (distances[i] as number)
}
