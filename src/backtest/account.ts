import type { BacktestConfig } from './backtest-config.ts'
import { Costs } from './costs.ts'
import type { Position } from './position.ts'
import type { Direction } from './trades.ts'

/** What a fill costs beside its price. */
export type FillTerms = {
  readonly timeMs: number
  /** A limit fill has neither spread nor slippage. */
  readonly isLimit: boolean
  /** Fraction of the price that its share of the volume costs. */
  readonly impactRate: number
}

/**
 * One wallet for the positions of all markets. Buying takes units · price + spread + slippage + commission out of the
 * cash, selling brings units · price less them. A short holds negative units, and its proceeds are in the cash, so that
 * cash + Σ units · price is the equity whatever is held.
 */
export class Account {
  cash: number
  readonly positions: Position[] = []
  readonly costs: Costs
  commissionTotal = 0
  spreadTotal = 0
  slippageTotal = 0
  borrowTotal = 0
  fundingTotal = 0
  /** Positions held, and opened since the run began. */
  held = 0
  opened = 0
  /** What the last fill cost. */
  fillCommission = 0
  fillSpread = 0
  fillSlippage = 0
  /** Whether nothing was left of the equity at some moment: nothing is traded after that. */
  isRuined = false
  liquidations = 0
  /** Net results of the closed trades: how many there are, won and lost, and how much. */
  readonly closed = { trades: 0, won: 0, lost: 0, wonSum: 0, lostSum: 0 }
  private readonly config: BacktestConfig
  private fundedUntilMs = Number.NEGATIVE_INFINITY

  constructor(config: BacktestConfig) {
    this.config = config
    this.cash = config.initial_capital
    this.costs = new Costs(config)
  }

  /** Cash and positions, each valued at its mark. */
  equity(): number {
    const { positions } = this
    let equity = this.cash
    for (let k = 0; k < positions.length; k++) {
      const position = positions[k] as Position
      equity += position.units * position.mark
    }
    return equity
  }

  /** Σ |units| · mark. */
  gross(): number {
    const { positions } = this
    let gross = 0
    for (let k = 0; k < positions.length; k++) {
      const position = positions[k] as Position
      gross += Math.abs(position.units) * position.mark
    }
    return gross
  }

  /** Whether no further position may be opened. */
  isFull(): boolean {
    const { max_positions } = this.config
    return max_positions !== null && this.held >= max_positions
  }

  /** Pays for a fill of `units` > 0 at the raw `price`. */
  trade(direction: Direction, units: number, price: number, fill: FillTerms): void {
    const { costs } = this
    const value = units * price
    const slippage = fill.isLimit ? 0 : value * (costs.slippageRate + fill.impactRate)
    const spread = fill.isLimit ? 0 : value * costs.halfSpreadRate
    const rate = costs.rateAt(fill.timeMs)
    const commission = costs.commission(value + direction * (slippage + spread), units, rate)
    costs.count(value)
    this.cash -= direction * value + slippage + spread + commission
    this.commissionTotal += commission
    this.spreadTotal += spread
    this.slippageTotal += slippage
    this.fillCommission = commission
    this.fillSpread = spread
    this.fillSlippage = slippage
  }

  /** Counts a position that is opened. */
  open(): void {
    this.held++
    this.opened++
  }

  /** Notes the net result of a closed trade. */
  close(net: number): void {
    const { closed } = this
    this.held--
    closed.trades++
    if (net > 0) {
      closed.won++
      closed.wonSum += net
    } else if (net < 0) {
      closed.lost++
      closed.lostSum += net
    }
  }

  /** Pays for the borrowed units of a short from the last time to `timeMs`, by their value at `price`. */
  payBorrow(position: Position, timeMs: number, price: number): void {
    const rate = this.config.borrow_rate_annual
    if (rate === 0 || position.units >= 0) return
    const years = (timeMs - position.borrowedUntilMs) / yearMs
    position.borrowedUntilMs = timeMs
    const cost = -position.units * price * rate * years
    position.borrow += cost
    this.borrowTotal += cost
    this.cash -= cost
  }

  /** Pays interest on borrowed cash from the last time to `timeMs`; the longs bear it by their value. */
  payFunding(timeMs: number): void {
    const rate = this.config.funding_rate_annual
    if (rate === 0 || !(timeMs > this.fundedUntilMs)) return
    const years = (timeMs - this.fundedUntilMs) / yearMs
    this.fundedUntilMs = timeMs
    const value = this.longValue()
    if (this.cash >= 0 || !(value > 0)) return
    const cost = -this.cash * rate * years
    const { positions } = this
    for (let k = 0; k < positions.length; k++) {
      const position = positions[k] as Position
      if (position.units > 0) position.funding += (cost * position.units * position.mark) / value
    }
    this.fundingTotal += cost
    this.cash -= cost
  }

  /** Places the levels at which a position is liquidated and ruins the account, the others at their marks. */
  placeCloseout(position: Position): void {
    const { maintenance_margin_fraction: margin, commission_fixed, commission_min } = this.config
    const { costs } = this
    const units = Math.abs(position.units)
    const free = this.equityBeside(position)
    const others = this.positions.length === 1 ? 0 : this.gross() - units * position.mark
    const flatCost = Math.max(commission_fixed, commission_min) + this.config.commission_per_unit * units
    const adverse = costs.slippageRate + costs.halfSpreadRate
    if (position.units < 0) {
      const ruin = (free - flatCost) / (units * ((1 + adverse) * (1 + costs.highestRate)))
      const call = margin > 0 ? (free - margin * others) / (units * (1 + margin)) : Number.NaN
      position.bracket.placeCloseout(call, ruin)
      return
    }
    // A long that is paid for, beside none that can lose more than they cost, cannot lose more than there is.
    const owed = margin * others - free
    const call = margin > 0 && owed > 0 ? owed / (units * (1 - margin)) : Number.NaN
    const ruin = free < 0 ? (flatCost - free) / (units * (1 - adverse) * (1 - costs.highestRate)) : Number.NaN
    position.bracket.placeCloseout(call, ruin)
  }

  /** Whether the equity, with everything at its mark, is below the maintenance margin, or nothing. */
  isUnderMargin(): boolean {
    const gross = this.gross()
    if (gross === 0) return false
    const equity = this.equity()
    return equity <= 0 || equity < this.config.maintenance_margin_fraction * gross
  }

  private equityBeside(excluded: Position): number {
    const { positions } = this
    let equity = this.cash
    for (let k = 0; k < positions.length; k++) {
      const position = positions[k] as Position
      if (position !== excluded) equity += position.units * position.mark
    }
    return equity
  }

  private longValue(): number {
    const { positions } = this
    let value = 0
    for (let k = 0; k < positions.length; k++) {
      const { units, mark } = positions[k] as Position
      if (units > 0) value += units * mark
    }
    return value
  }
}

const yearMs = 365 * 86_400_000
