import type { Account } from './account.ts'
import type { BacktestConfig, Sizing } from './backtest-config.ts'

/** Says how many units the entries of one market get: what the sizing asks for, as far as the equity pays for it. */
export class Sizer {
  /** Whether the last entry got fewer units than were asked for. */
  wasReduced = false
  private readonly config: BacktestConfig
  private readonly account: Account
  private readonly closes: Float64Array
  private readonly closeTimes: Float64Array
  /** Of a fill that takes the whole share of the volume that it may. */
  private readonly impactRate: number

  /** @param closes of the market, and their times, epoch ms */
  constructor(config: BacktestConfig, account: Account, closes: Float64Array, closeTimes: Float64Array) {
    this.config = config
    this.account = account
    this.closes = closes
    this.closeTimes = closeTimes
    const { volume_share } = config
    this.impactRate = volume_share === null ? 0 : volume_share.impact * volume_share.limit_fraction ** 2
  }

  /**
   * Units of an entry at the raw price, 0 when there are none to be had.
   * @param decidedBar index of the bar at whose close it was decided: no later close is looked at
   * @param stopDistance from the entry to the stop, in price; NaN when there is no stop, and then `risk` asks for nothing
   */
  size(price: number, isLimit: boolean, decidedBar: number, stopDistance: number): number {
    const { account, config } = this
    const equity = account.equity()
    const power = equity * config.leverage - account.gross()
    const budget = this.budget(equity, decidedBar)
    const wanted = this.wanted(equity, price, stopDistance)
    const affordable = this.affordable(price, isLimit, Math.min(power, budget), power)
    this.wasReduced =
      wanted === Number.POSITIVE_INFINITY ? budget > power && hasBudget(config.sizing) : wanted > affordable
    const units = Math.min(wanted, affordable)
    return units > 0 && this.isRoundTripPayable(equity, units, price, isLimit) ? units : 0
  }

  /** The most units of `rest` that can be paid for at the raw price: of what an entry has left to fill. */
  payable(rest: number, price: number, isLimit: boolean): number {
    const { account, config } = this
    const power = account.equity() * config.leverage - account.gross()
    return Math.min(rest, this.affordable(price, isLimit, power, power))
  }

  /** Floored to what can be traded. */
  round(exact: number): number {
    const { units, lot_size } = this.config
    const whole = units === 'whole' ? Math.floor(exact) : exact
    return lot_size === null ? whole : Math.floor(whole / lot_size + lotRounding) * lot_size
  }

  /** Account currency that may be spent with costs; infinite where the sizing does not say. */
  private budget(equity: number, decidedBar: number): number {
    const { sizing, leverage } = this.config
    switch (sizing.mode) {
      case 'fraction':
        return equity * leverage * sizing.fraction
      case 'volatility_target':
        return (equity * sizing.annual_volatility) / this.volatility(decidedBar, sizing.lookback_bars)
      case 'kelly':
        return equity * this.kelly(sizing)
      default:
        return Number.POSITIVE_INFINITY
    }
  }

  /** Units that are asked for; infinite where as many as the budget pays. */
  private wanted(equity: number, price: number, stopDistance: number): number {
    const { sizing } = this.config
    switch (sizing.mode) {
      case 'units':
        return this.round(sizing.units)
      case 'value':
        return this.round(sizing.value / price)
      case 'risk': {
        const wanted = (equity * sizing.risk_percent) / 100 / stopDistance
        return wanted > 0 ? this.round(wanted) : 0
      }
      default:
        return Number.POSITIVE_INFINITY
    }
  }

  /** The most units whose price and costs the budget pays, and `power` certainly; 0 when not even the least. */
  private affordable(price: number, isLimit: boolean, budget: number, power: number): number {
    const { config } = this
    const { commission_fixed, commission_per_unit, commission_min } = config
    const adverse = this.adverseRate(isLimit)
    const unitCost = price * (1 + adverse) * (1 + this.account.costs.highestRate) + commission_per_unit
    let exact = (budget - commission_fixed) / unitCost
    if (commission_min > 0) exact = Math.min(exact, (budget - commission_min) / (price * (1 + adverse)))
    let count = this.round(exact)
    if (!(count > 0) || !Number.isFinite(count)) return 0
    const least = config.lot_size ?? 1
    // Rounding may have made it cost a little more than there is: give back units, in steps that double.
    for (let step = 1; this.entryCost(count, price, isLimit) > power; step *= 2) {
      count =
        config.units === 'whole' || config.lot_size !== null
          ? this.round(count - step * least)
          : count * (1 - step * Number.EPSILON)
      if (!(count > 0)) return 0
    }
    return count
  }

  /** In the arithmetic of the account, so that what is payable never overdraws it by rounding. */
  private entryCost(units: number, price: number, isLimit: boolean): number {
    const { costs } = this.account
    const value = units * price
    const slippage = isLimit ? 0 : value * (costs.slippageRate + this.impactRate)
    const spread = isLimit ? 0 : value * costs.halfSpreadRate
    return value + slippage + spread + costs.commission(value + (slippage + spread), units, costs.highestRate)
  }

  /** Whether a position could be closed at the price it is entered at, both sides paid, with something left of the equity. */
  private isRoundTripPayable(equity: number, units: number, price: number, isLimit: boolean): boolean {
    const { commission_fixed, commission_per_unit, commission_min } = this.config
    const value = units * price
    const rates = this.adverseRate(isLimit) + this.account.costs.highestRate
    const cost = value * rates + commission_fixed + commission_per_unit * units
    return equity > 2 * Math.max(cost, commission_min)
  }

  /** Of the price, as a fraction: the most a fill pays beside the commission. */
  private adverseRate(isLimit: boolean): number {
    if (isLimit) return 0
    const { slippageRate, halfSpreadRate } = this.account.costs
    return slippageRate + halfSpreadRate + this.impactRate
  }

  /** Per year of 365 days, by the log returns of so many bars up to `bar`; NaN without as many. */
  private volatility(bar: number, lookback: number): number {
    const first = bar - lookback
    if (first < 0) return Number.NaN
    const { closes, closeTimes } = this
    const mean = Math.log((closes[bar] as number) / (closes[first] as number)) / lookback
    let squares = 0
    for (let i = first + 1; i <= bar; i++)
      squares += (Math.log((closes[i] as number) / (closes[i - 1] as number)) - mean) ** 2
    const barsPerYear = (lookback * yearMs) / ((closeTimes[bar] as number) - (closeTimes[first] as number))
    const deviation = Math.sqrt((squares / (lookback - 1)) * barsPerYear)
    return deviation > 0 ? deviation : Number.NaN
  }

  private kelly({ cap, min_trades, fraction }: Extract<Sizing, { mode: 'kelly' }>): number {
    const { trades, won, lost, wonSum, lostSum } = this.account.closed
    if (trades < min_trades) return fraction
    if (won === 0) return 0
    const winRate = won / trades
    const payoff = lost === 0 ? Number.POSITIVE_INFINITY : wonSum / won / (-lostSum / lost)
    return Math.min(cap, Math.max(0, (winRate - (1 - winRate) / payoff) / 2))
  }
}

/** Lots by which a multiple may be missed and still be one: what the arithmetic of decimals leaves. */
const lotRounding = 1e-9
const yearMs = 365 * 86_400_000

/** Whether the sizing names what it wants to spend, so that less than that is less than it asks for. */
function hasBudget({ mode }: Sizing): boolean {
  return mode === 'fraction' || mode === 'volatility_target' || mode === 'kelly'
}
