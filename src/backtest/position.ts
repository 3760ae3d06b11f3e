import type { Account } from './account.ts'
import { Bracket } from './bracket.ts'
import type { OpenTrade } from './open-trade.ts'
import type { Ticks } from './ticks.ts'
import type { Direction, TradeList } from './trades.ts'

/** What is held of one market, from its first fill to its last. */
export class Position {
  readonly symbol: string
  readonly bracket: Bracket
  /** Below 0 for a short. */
  units = 0
  /** Price it is valued at now. */
  mark = 0
  /** Of the latest entry; before the first one so far back that it is near to nothing. */
  entryBar = -1_000_000_000
  entryTimeMs = 0
  /** Raw, the average of its fills. */
  entryPrice = 0
  /** Prices reached while it was held. */
  highest = 0
  lowest = 0
  /** Of the fills so far. */
  commission = 0
  spread = 0
  slippage = 0
  borrow = 0
  funding = 0
  /** Until when borrowing is paid for, epoch ms. */
  borrowedUntilMs = 0
  /** Whether what happened inside a bar was not known and mattered. */
  isAmbiguous = false
  private readonly market: number
  private entered = 0
  private left = 0
  private leftValue = 0
  private leftPrice = 0

  /** @param market its index among the markets of the run */
  constructor(market: number, symbol: string, ticks: Ticks) {
    this.market = market
    this.symbol = symbol
    this.bracket = new Bracket(ticks)
  }

  /** The first fill, of `units` > 0. */
  open(direction: Direction, units: number, price: number, bar: number, timeMs: number): void {
    this.units = direction * units
    this.entryBar = bar
    this.entryTimeMs = timeMs
    this.entryPrice = price
    this.highest = price
    this.lowest = price
    this.commission = 0
    this.spread = 0
    this.slippage = 0
    this.borrow = 0
    this.funding = 0
    this.borrowedUntilMs = timeMs
    this.isAmbiguous = false
    this.entered = units
    this.left = 0
    this.leftValue = 0
  }

  /** A further fill of the same side. */
  add(units: number, price: number): void {
    const direction = this.units > 0 ? 1 : -1
    const total = this.entered + units
    this.entryPrice = (this.entryPrice * this.entered + price * units) / total
    this.entered = total
    this.units += direction * units
    this.reach(price, price)
  }

  /** A fill that closes `units` of it. */
  reduce(units: number, price: number): void {
    this.reach(price, price)
    this.left += units
    this.leftValue += units * price
    this.leftPrice = price
    const rest = Math.abs(this.units) - units
    this.units = this.units > 0 ? rest : 0 - rest
  }

  /** Bears what the last fill cost, which was its own. */
  bear({ fillCommission, fillSpread, fillSlippage }: Account): void {
    this.commission += fillCommission
    this.spread += fillSpread
    this.slippage += fillSlippage
  }

  /** Notes the prices a bar reached while it was held. */
  reach(high: number, low: number): void {
    if (high > this.highest) this.highest = high
    if (low < this.lowest) this.lowest = low
  }

  /** Writes the closed trade. @returns its net result */
  writeTo(trades: TradeList, direction: Direction, bar: number, timeMs: number, exitCode: number): number {
    const { entered, entryPrice, commission, slippage, spread, borrow, funding } = this
    // One fill is the whole of it but for rounding where parts were left: then the average is told by their value.
    const price = this.leftValue === entered * this.leftPrice ? this.leftPrice : this.leftValue / entered
    const gross = profit(direction, entered, entryPrice, price)
    const net = gross - commission - slippage - spread - borrow - funding
    const row = trades.add(this.market, direction, exitCode, this.isAmbiguous)
    const { columns } = trades
    columns.entry_time[row] = this.entryTimeMs
    columns.entry_price[row] = entryPrice
    columns.exit_time[row] = timeMs
    columns.exit_price[row] = price
    columns.units[row] = entered
    columns.gross_pnl[row] = gross
    columns.commission[row] = commission
    columns.spread[row] = spread
    columns.slippage[row] = slippage
    columns.borrow[row] = borrow
    columns.funding[row] = funding
    columns.net_pnl[row] = net
    columns.return_fraction[row] = net / (entered * entryPrice)
    columns.bars_held[row] = bar - this.entryBar
    columns.max_favourable_excursion[row] = this.best(direction)
    columns.max_adverse_excursion[row] = this.worst(direction)
    columns.stop_price[row] = this.bracket.firstStop
    columns.target_price[row] = this.bracket.target
    return net
  }

  /** It, valued at the last close, or null when nothing is held. */
  openTrade(bar: number, close: number): OpenTrade | null {
    if (this.units === 0) return null
    const { entryPrice, commission, slippage, spread, borrow, funding, bracket } = this
    const direction = this.units > 0 ? 1 : -1
    const left = this.left === 0 ? 0 : direction * (this.leftValue - this.left * entryPrice)
    const gross = left + profit(direction, Math.abs(this.units), entryPrice, close)
    return {
      symbol: this.symbol,
      side: direction > 0 ? 'long' : 'short',
      entry_time: this.entryTimeMs,
      entry_price: entryPrice,
      units: Math.abs(this.units),
      last_price: close,
      gross_pnl: gross,
      commission,
      spread,
      slippage,
      borrow,
      funding,
      net_pnl: gross - commission - slippage - spread - borrow - funding,
      bars_held: bar - this.entryBar,
      max_favourable_excursion: this.best(direction),
      max_adverse_excursion: this.worst(direction),
      stop_price: orNull(bracket.firstStop),
      current_stop_price: orNull(bracket.stop),
      target_price: orNull(bracket.target),
    }
  }

  private best(direction: Direction): number {
    return profit(direction, this.entered, this.entryPrice, direction > 0 ? this.highest : this.lowest)
  }

  private worst(direction: Direction): number {
    return 0 - profit(direction, this.entered, this.entryPrice, direction > 0 ? this.lowest : this.highest)
  }
}

function profit(direction: Direction, units: number, entryPrice: number, price: number): number {
  return direction > 0 ? units * (price - entryPrice) : units * (entryPrice - price)
}

function orNull(price: number): number | null {
  return Number.isNaN(price) ? null : price
}
