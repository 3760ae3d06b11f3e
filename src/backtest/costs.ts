import type { BacktestConfig } from './backtest-config.ts'

/** Rates of the costs of a fill, and the commission, which may depend on what was traded in the month so far. */
export class Costs {
  /** Fractions of the raw price that a market or stop fill pays. */
  readonly slippageRate: number
  readonly halfSpreadRate: number
  /** The highest commission rate a fill can pay. */
  readonly highestRate: number
  private readonly config: BacktestConfig
  private monthValue = 0
  private monthEndMs = Number.NEGATIVE_INFINITY

  constructor(config: BacktestConfig) {
    this.config = config
    this.slippageRate = config.slippage_bps / 10_000
    this.halfSpreadRate = config.spread_bps / 20_000
    const rates = config.commission_tiers.map(({ rate }) => rate)
    this.highestRate = Math.max(rates.length === 0 ? config.commission_rate : 0, ...rates)
  }

  /** Fraction of the traded value that a fill at this time pays. */
  rateAt(timeMs: number): number {
    const { commission_rate, commission_tiers } = this.config
    if (commission_tiers.length === 0) return commission_rate
    if (timeMs >= this.monthEndMs) this.beginMonth(timeMs)
    let rate = commission_rate
    let reached = Number.NEGATIVE_INFINITY
    for (let i = 0; i < commission_tiers.length; i++) {
      const tier = commission_tiers[i]
      if (tier === undefined || tier.from_value > this.monthValue || tier.from_value < reached) continue
      reached = tier.from_value
      rate = tier.rate
    }
    return rate
  }

  /** @param value units · price after spread and slippage */
  commission(value: number, units: number, rate: number): number {
    const { commission_fixed, commission_per_unit, commission_min } = this.config
    const commission = value * rate + commission_fixed + commission_per_unit * units
    return commission < commission_min ? commission_min : commission
  }

  /** Counts what was traded, units · raw price, towards the tiers of its month. */
  count(value: number): void {
    this.monthValue += value
  }

  private beginMonth(timeMs: number): void {
    const date = new Date(timeMs)
    this.monthEndMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
    this.monthValue = 0
  }
}
