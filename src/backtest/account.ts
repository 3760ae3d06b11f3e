import type { BacktestConfig } from './backtest-config.ts'
import { type ExitReason, TradeList, type TradeNumbers } from './trades.ts'

/** A position that is still open at the end. `exit_*` and costs of an exit do not exist yet. */
export type OpenTrade = {
  readonly side: 'long'
  readonly entry_time: number
  readonly entry_price: number
  readonly units: number
  /** Last close, at which the position is valued. */
  readonly last_price: number
  /** units · (last close − entry price). */
  readonly gross_pnl: number
  /** Of the entry only. */
  readonly commission: number
  readonly slippage: number
  /** gross − entry costs: what the position adds to the equity so far. */
  readonly net_pnl: number
  readonly bars_held: number
  readonly max_favourable_excursion: number
  readonly max_adverse_excursion: number
}

/** When and at what raw price an order is filled. */
export type Fill = { readonly bar: number; readonly timeMs: number; readonly price: number }

/**
 * Cash and at most one long position. Buying takes units · price + slippage + commission out of the cash,
 * selling brings units · price − slippage − commission. Cash after a purchase is never below 0.
 */
export class Account {
  cash: number
  units = 0
  commissionTotal = 0
  slippageTotal = 0
  readonly trades = new TradeList()
  private readonly config: BacktestConfig
  private readonly slippageRate: number
  private entry: Fill = { bar: 0, timeMs: 0, price: 0 }
  private entryCommission = 0
  private entrySlippage = 0
  private highest = 0
  private lowest = 0

  constructor(config: BacktestConfig) {
    this.config = config
    this.cash = config.initial_capital
    this.slippageRate = config.slippage_bps / 10_000
  }

  /** @returns false when the cash does not buy anything: the order is rejected */
  buy(fill: Fill): boolean {
    const units = this.affordableUnits(fill.price)
    if (units === 0) return false
    this.entrySlippage = units * fill.price * this.slippageRate
    this.entryCommission = this.commission(units * fill.price + this.entrySlippage)
    this.cash -= units * fill.price + this.entrySlippage + this.entryCommission
    this.commissionTotal += this.entryCommission
    this.slippageTotal += this.entrySlippage
    this.units = units
    this.entry = fill
    this.highest = fill.price
    this.lowest = fill.price
    return true
  }

  sell(fill: Fill, reason: ExitReason): void {
    this.reach(fill.price, fill.price)
    const { units, entry } = this
    const slippage = units * fill.price * this.slippageRate
    const commission = this.commission(units * fill.price - slippage)
    this.cash += units * fill.price - slippage - commission
    this.commissionTotal += commission
    this.slippageTotal += slippage
    const gross = units * (fill.price - entry.price)
    const trade: TradeNumbers = {
      entry_time: entry.timeMs,
      entry_price: entry.price,
      exit_time: fill.timeMs,
      exit_price: fill.price,
      units,
      gross_pnl: gross,
      commission: this.entryCommission + commission,
      slippage: this.entrySlippage + slippage,
      net_pnl: gross - (this.entryCommission + commission) - (this.entrySlippage + slippage),
      return_fraction: 0,
      bars_held: fill.bar - entry.bar,
      max_favourable_excursion: units * (this.highest - entry.price),
      max_adverse_excursion: units * (entry.price - this.lowest),
    }
    trade.return_fraction = trade.net_pnl / (units * entry.price)
    this.trades.append(trade, reason)
    this.units = 0
  }

  /** Notes the prices a bar reached while the position was held. */
  reach(high: number, low: number): void {
    if (high > this.highest) this.highest = high
    if (low < this.lowest) this.lowest = low
  }

  /** The open position valued at the last close, or null. */
  openTrade(last: Fill): OpenTrade | null {
    if (this.units === 0) return null
    const gross = this.units * (last.price - this.entry.price)
    return {
      side: 'long',
      entry_time: this.entry.timeMs,
      entry_price: this.entry.price,
      units: this.units,
      last_price: last.price,
      gross_pnl: gross,
      commission: this.entryCommission,
      slippage: this.entrySlippage,
      net_pnl: gross - this.entryCommission - this.entrySlippage,
      bars_held: last.bar - this.entry.bar,
      max_favourable_excursion: this.units * (this.highest - this.entry.price),
      max_adverse_excursion: this.units * (this.entry.price - this.lowest),
    }
  }

  private commission(tradedValue: number): number {
    return tradedValue * this.config.commission_rate + this.config.commission_fixed
  }

  /** The most units whose price, slippage and commission the budget pays; 0 when not even the least. */
  private affordableUnits(price: number): number {
    const { sizing, units, commission_rate, commission_fixed } = this.config
    // Flat, the equity is the cash.
    const budget = sizing.mode === 'all_in' ? this.cash : Math.min(this.cash, this.cash * sizing.fraction)
    const unitCost = price * (1 + this.slippageRate) * (1 + commission_rate)
    const exact = (budget - commission_fixed) / unitCost
    let count = units === 'whole' ? Math.floor(exact) : exact
    if (!(count > 0) || !Number.isFinite(count)) return 0
    // Rounding may have made it cost a little more than the cash: give back units, in steps that double.
    for (let step = 1; this.cost(count, price) > this.cash; step *= 2) {
      count = units === 'whole' ? count - step : count * (1 - step * Number.EPSILON)
      if (!(count > 0)) return 0
    }
    return count
  }

  private cost(units: number, price: number): number {
    const value = units * price
    const slippage = value * this.slippageRate
    return value + slippage + this.commission(value + slippage)
  }
}
