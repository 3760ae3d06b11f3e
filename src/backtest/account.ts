import type { BacktestConfig } from './backtest-config.ts'
import { Bracket } from './bracket.ts'
import { type Direction, type ExitReason, type Side, TradeList } from './trades.ts'

/** A position that is still open at the end. `exit_*` and costs of an exit do not exist yet. */
export type OpenTrade = {
  readonly side: Side
  readonly entry_time: number
  readonly entry_price: number
  /** > 0 on both sides. */
  readonly units: number
  /** Last close, at which the position is valued. */
  readonly last_price: number
  /** units · (last close − entry price), of a short the negative of it. */
  readonly gross_pnl: number
  /** Of the entry only. */
  readonly commission: number
  readonly slippage: number
  /** gross − entry costs: what the position adds to the equity so far. */
  readonly net_pnl: number
  readonly bars_held: number
  readonly max_favourable_excursion: number
  readonly max_adverse_excursion: number
  /** Where the entry placed its stop, and where it is now; null for none. */
  readonly stop_price: number | null
  readonly current_stop_price: number | null
  readonly target_price: number | null
}

/** How a position is closed. */
export type Exit = {
  readonly reason: ExitReason
  /** A limit order has no slippage. */
  readonly isLimit: boolean
  readonly isAmbiguous: boolean
}

/**
 * Cash and at most one position. Buying takes units · price + slippage + commission out of the cash, selling brings
 * units · price − slippage − commission. A short holds negative units, and its proceeds are in the cash, so that
 * cash + units · price is the equity on both sides.
 */
export class Account {
  cash: number
  /** Below 0 for a short. */
  units = 0
  commissionTotal = 0
  slippageTotal = 0
  entryBar = 0
  /** Prices reached while the position was held. */
  highest = 0
  lowest = 0
  /** Of the open position. */
  readonly bracket = new Bracket()
  readonly trades = new TradeList()
  private readonly config: BacktestConfig
  private readonly slippageRate: number
  private entryTimeMs = 0
  private entryPrice = 0
  private entryCommission = 0
  private entrySlippage = 0
  private fillCommission = 0
  private fillSlippage = 0

  constructor(config: BacktestConfig) {
    this.config = config
    this.cash = config.initial_capital
    this.slippageRate = config.slippage_bps / 10_000
  }

  /** Opens a position of `units` > 0 while there is none. */
  open(direction: Direction, units: number, bar: number, timeMs: number, price: number): void {
    this.trade(direction, units, price, this.slippageRate)
    this.entryCommission = this.fillCommission
    this.entrySlippage = this.fillSlippage
    this.units = direction * units
    this.entryBar = bar
    this.entryTimeMs = timeMs
    this.entryPrice = price
    this.highest = price
    this.lowest = price
  }

  /** Closes the position. */
  close(bar: number, timeMs: number, price: number, exit: Exit): void {
    this.reach(price, price)
    const direction: Direction = this.units > 0 ? 1 : -1
    const units = Math.abs(this.units)
    this.trade(direction > 0 ? -1 : 1, units, price, exit.isLimit ? 0 : this.slippageRate)
    const gross = this.gross(price)
    const commission = this.entryCommission + this.fillCommission
    const slippage = this.entrySlippage + this.fillSlippage
    const row = this.trades.add(direction, exit.reason, exit.isAmbiguous)
    const { columns } = this.trades
    columns.entry_time[row] = this.entryTimeMs
    columns.entry_price[row] = this.entryPrice
    columns.exit_time[row] = timeMs
    columns.exit_price[row] = price
    columns.units[row] = units
    columns.gross_pnl[row] = gross
    columns.commission[row] = commission
    columns.slippage[row] = slippage
    columns.net_pnl[row] = gross - commission - slippage
    columns.return_fraction[row] = (gross - commission - slippage) / (units * this.entryPrice)
    columns.bars_held[row] = bar - this.entryBar
    columns.max_favourable_excursion[row] = this.gross(direction > 0 ? this.highest : this.lowest)
    columns.max_adverse_excursion[row] = 0 - this.gross(direction > 0 ? this.lowest : this.highest)
    columns.stop_price[row] = this.bracket.firstStop
    columns.target_price[row] = this.bracket.target
    this.units = 0
  }

  /** Notes the prices a bar reached while the position was held. */
  reach(high: number, low: number): void {
    if (high > this.highest) this.highest = high
    if (low < this.lowest) this.lowest = low
  }

  /** Price at which closing a short leaves nothing of the equity; NaN without a short: a long cannot lose more. */
  ruinPrice(): number {
    if (!(this.units < 0)) return Number.NaN
    const unitCost = (1 + this.slippageRate) * (1 + this.config.commission_rate)
    return (this.cash - this.config.commission_fixed) / (-this.units * unitCost)
  }

  /** What the open position would gain at `price`, before costs. */
  gross(price: number): number {
    return this.units > 0 ? this.units * (price - this.entryPrice) : -this.units * (this.entryPrice - price)
  }

  /** The open position valued at the last close, or null. */
  openTrade(bar: number, close: number): OpenTrade | null {
    if (this.units === 0) return null
    const gross = this.gross(close)
    const isLong = this.units > 0
    return {
      side: isLong ? 'long' : 'short',
      entry_time: this.entryTimeMs,
      entry_price: this.entryPrice,
      units: Math.abs(this.units),
      last_price: close,
      gross_pnl: gross,
      commission: this.entryCommission,
      slippage: this.entrySlippage,
      net_pnl: gross - this.entryCommission - this.entrySlippage,
      bars_held: bar - this.entryBar,
      max_favourable_excursion: this.gross(isLong ? this.highest : this.lowest),
      max_adverse_excursion: 0 - this.gross(isLong ? this.lowest : this.highest),
      stop_price: orNull(this.bracket.firstStop),
      current_stop_price: orNull(this.bracket.stop),
      target_price: orNull(this.bracket.target),
    }
  }

  /** Pays for a fill; what it cost is left in `fillCommission` and `fillSlippage`. */
  private trade(direction: Direction, units: number, price: number, slippageRate: number): void {
    const value = units * price
    const slippage = value * slippageRate
    const { commission_rate, commission_fixed } = this.config
    const commission = (value + direction * slippage) * commission_rate + commission_fixed
    this.cash -= direction * value + slippage + commission
    this.commissionTotal += commission
    this.slippageTotal += slippage
    this.fillCommission = commission
    this.fillSlippage = slippage
  }
}

function orNull(price: number): number | null {
  return Number.isNaN(price) ? null : price
}
