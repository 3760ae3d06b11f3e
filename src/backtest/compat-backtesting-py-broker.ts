import type { BacktestConfig, OrderPlan } from './backtest-config.ts'
import type { MarketInput } from './backtest-run.ts'
import {
  askedSize,
  type Entry,
  floorDivide,
  isTargetCertain,
  triggeredPrice,
} from './compat-backtesting-py-orders.ts'
import { BacktestingPyTrades, type Position } from './compat-backtesting-py-trades.ts'
import type { OpenTrade } from './open-trade.ts'
import type { Direction, ExitReason, Trades } from './trades.ts'

/**
 * The account of backtesting.py: settled cash and at most one position, whose unrealised result is looked at only when
 * the equity is.
 */
export class BacktestingPyBroker {
  isRuined = false
  readonly counts = {
    rejected_orders: 0,
    unplaced_entries: 0,
    expired_orders: 0,
    reduced_orders: 0,
    exposed_bars: 0,
    disagreeing_bars: 0,
  }
  readonly costs = { commission_total: 0, spread_total: 0, slippage_total: 0 }
  private readonly market: MarketInput
  private readonly config: BacktestConfig
  private readonly plan: OrderPlan
  private readonly spread: number
  private readonly list: BacktestingPyTrades
  /** Without the unrealised result of the position. */
  private settled: number
  private position: Position | null = null
  private entry: Entry | null = null
  /** Why the position is to be closed at the next open. */
  private exit: ExitReason | null = null

  constructor(market: MarketInput, config: BacktestConfig, plan: OrderPlan) {
    this.market = market
    this.config = config
    this.plan = plan
    this.spread = config.spread_bps / 10_000
    this.settled = config.initial_capital
    this.list = new BacktestingPyTrades(market)
  }

  /** Units held, below 0 for a short. */
  get signedUnits(): number {
    return this.position === null ? 0 : this.position.direction * this.position.units
  }

  equity(close: number): number {
    const { position } = this
    return position === null
      ? this.settled
      : this.settled + this.signedUnits * (close - this.adjusted(position.direction, position.entryPrice))
  }

  hasOrder(): boolean {
    return this.entry !== null || this.exit !== null
  }

  trades(): Trades {
    return this.list.build()
  }

  openTrade(): OpenTrade | null {
    return this.position === null ? null : this.list.describeOpen(this.position)
  }

  /** Goes through the orders with the prices of bar i: exit by rule, stop, target, then the entry. */
  trade(i: number): void {
    const entries = this.list.entries
    const isHeld = this.position !== null
    this.processOrders(i)
    if (isHeld || this.list.entries > entries) this.counts.exposed_bars++
    this.list.reach(this.position, i)
  }

  /** Closes what is open by going through the last bar again, whose prices are known by then. */
  finish(i: number): void {
    if (this.position !== null) this.exit ??= 'end_of_data'
    this.processOrders(i)
  }

  /** Closes at the close of bar i, and forgets what is owed. */
  ruin(i: number): void {
    const { close, close_time } = this.market.bars
    this.close(i, close_time[i] as number, close[i] as number, 'ruin')
    this.settled = 0
    this.entry = null
    this.exit = null
    this.isRuined = true
  }

  /** Decides at the close of bar i. */
  decide(i: number): void {
    const { enter_long, exit_long, enter_short, exit_short } = this.market.signals
    const held = this.position?.direction ?? 0
    const long = enter_long[i] === 1 && exit_long[i] !== 1
    const short = enter_short[i] === 1 && exit_short[i] !== 1
    this.cancelEntry(direction => (direction > 0 ? exit_long[i] === 1 : exit_short[i] === 1))
    const direction = long === short ? 0 : long ? 1 : -1
    if (direction !== 0 && direction !== held) this.placeEntry(i, direction)
    if (held === 0) return
    const isEntering = this.entry?.decidedOn === i
    if ((held > 0 ? exit_long : exit_short)[i] === 1) this.exit = 'signal'
    else if (isEntering) this.exit = 'reversal'
    else if (this.isOverdue(i + 1)) this.exit = 'max_bars'
  }

  private isOverdue(bar: number): boolean {
    const { max_bars } = this.plan
    return this.position !== null && max_bars !== null && bar - this.position.entryBar >= max_bars
  }

  private placeEntry(i: number, direction: Direction): void {
    const { signals, bars } = this.market
    const close = bars.close[i] as number
    const at = (distances: Float64Array | null) =>
      distances === null ? Number.NaN : (distances[i] as number)
    const { entry: type } = this.plan
    const isStop = type === 'stop' || type === 'stop_limit'
    const stop = isStop ? close + direction * at(signals.entry_stop_distance) : Number.NaN
    const limitSide = type === 'stop_limit' ? 1 : -1
    const limit =
      type === 'limit' || type === 'stop_limit'
        ? (isStop ? stop : close) + limitSide * direction * at(signals.limit_distance)
        : Number.NaN
    const from = type === 'market' ? close : type === 'stop' ? stop : limit
    const stopLoss = from - direction * at(signals.stop_distance)
    const target = from + direction * at(signals.target_distance)
    const between = type === 'market' ? this.adjusted(direction, close) : from
    const isPlaced =
      from > 0 &&
      (signals.stop_distance === null || (stopLoss > 0 && direction * (between - stopLoss) > 0)) &&
      (signals.target_distance === null || (target > 0 && direction * (target - between) > 0))
    if (!isPlaced) {
      this.counts.unplaced_entries++
      this.counts.rejected_orders++
      return
    }
    this.cancelEntry(() => true)
    this.entry = { direction, decidedOn: i, limit, stop, stopLoss, target }
  }

  private cancelEntry(isCancelled: (direction: Direction) => boolean): void {
    if (this.entry === null || !isCancelled(this.entry.direction)) return
    this.entry = null
    this.counts.expired_orders++
  }

  private processOrders(i: number): void {
    const { bars } = this.market
    if (this.exit !== null && this.position !== null) {
      const isAtClose = this.config.fill_on === 'close'
      const timeMs = isAtClose ? bars.close_time[i - 1] : bars.time[i]
      const price = isAtClose ? bars.close[i - 1] : bars.open[i]
      this.close(isAtClose ? i - 1 : i, timeMs as number, price as number, this.exit)
    }
    this.exit = null
    this.passThrough(i)
    if (this.entry !== null) this.tryEntry(i, this.entry)
  }

  /** The stop, else the target, with the prices of bar i. */
  private passThrough(i: number): void {
    const { position } = this
    if (position === null) return
    const { bars } = this.market
    const { direction, stopLoss, target } = position
    const open = bars.open[i] as number
    const adverse = (direction > 0 ? bars.low[i] : bars.high[i]) as number
    const favourable = (direction > 0 ? bars.high[i] : bars.low[i]) as number
    const isStopped = direction * (stopLoss - adverse) >= 0
    const isTarget = direction * (favourable - target) >= 0
    if (!isStopped && !isTarget) return
    // The side of the level the open lies on says who is served: worse for the stop, better for the target.
    const level = isStopped ? stopLoss : target
    const isAtOpen = direction * (isStopped ? stopLoss - open : open - target) >= 0
    const timeMs = (isAtOpen ? bars.time[i] : bars.close_time[i]) as number
    const isAmbiguous = isStopped && isTarget && !isAtOpen
    this.close(i, timeMs, isAtOpen ? open : level, isStopped ? 'stop' : 'target', isAmbiguous)
  }

  private tryEntry(i: number, entry: Entry): void {
    const { bars } = this.market
    const isMarket = this.plan.entry === 'market'
    const fill = isMarket ? this.marketPrice(i) : triggeredPrice(entry, bars, i)
    if (Number.isNaN(fill)) return
    this.entry = null
    const units = this.unitsAt(entry.direction, fill)
    if (units === 0) {
      this.counts.rejected_orders++
      return
    }
    const isAtClose = isMarket && this.config.fill_on === 'close'
    const isAtOpen = fill === bars.open[i]
    const timeMs = isAtClose ? bars.close_time[i - 1] : isAtOpen ? bars.time[i] : bars.close_time[i]
    this.open(entry, { units, price: fill, bar: isAtClose ? i - 1 : i, timeMs: timeMs as number })
    if (isMarket || (this.plan.entry === 'stop' && isTargetCertain(entry, bars, i))) this.passThrough(i)
  }

  private marketPrice(i: number): number {
    const { bars } = this.market
    return (this.config.fill_on === 'close' ? bars.close[i - 1] : bars.open[i]) as number
  }

  /** Whole units that the available margin pays at a raw price; 0 where the order is cancelled. */
  private unitsAt(direction: Direction, price: number): number {
    const { sizing, leverage } = this.config
    const power = Math.max(0, this.settled) * leverage
    const asked = askedSize(sizing)
    if (!(asked > 0)) return 0
    const unitPrice = this.adjusted(direction, price) + this.commission(asked, price) / asked
    const units = asked < 1 ? floorDivide(power * asked, unitPrice) : asked
    return units * unitPrice > power ? 0 : units
  }

  private open(
    { direction, stopLoss, target }: Entry,
    fill: { readonly units: number; readonly price: number; readonly bar: number; readonly timeMs: number },
  ): void {
    const commission = this.commission(fill.units, this.adjusted(direction, fill.price))
    const spread = fill.units * fill.price * this.spread
    this.settled -= commission
    this.costs.commission_total += commission
    this.costs.spread_total += spread
    this.position = this.list.enter({
      direction,
      units: fill.units,
      entryBar: fill.bar,
      entryTimeMs: fill.timeMs,
      entryPrice: fill.price,
      stopLoss,
      target,
      commission,
      spread,
    })
  }

  private close(bar: number, timeMs: number, price: number, reason: ExitReason, isAmbiguous = false): void {
    const { position } = this
    if (position === null) return
    const commission = this.commission(position.units, price)
    this.settled +=
      this.signedUnits * (price - this.adjusted(position.direction, position.entryPrice)) - commission
    this.costs.commission_total += commission
    this.list.leave(position, { bar, timeMs, price, reason, isAmbiguous, commission })
    this.position = null
    this.exit = null
  }

  /** A price as an entry pays it. */
  private adjusted(direction: Direction, price: number): number {
    return price * (1 + direction * this.spread)
  }

  private commission(units: number, price: number): number {
    return this.config.commission_fixed + units * price * this.config.commission_rate
  }
}
