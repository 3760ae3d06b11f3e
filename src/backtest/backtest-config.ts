/** How a backtest trades. Complete: defaults belong to the API contract. */
export type BacktestConfig = {
  /** Account currency, > 0. */
  readonly initial_capital: number
  /** Fraction of the traded value (units · fill price after slippage) per side, 0–0.1. */
  readonly commission_rate: number
  /** Account currency per fill, ≥ 0. */
  readonly commission_fixed: number
  /** Adverse, in basis points of the raw price, per side, ≥ 0 and < 10 000. */
  readonly slippage_bps: number
  /** What an entry may spend, costs included: all cash, or a fraction (0–1) of the equity. */
  readonly sizing: { readonly mode: 'all_in' } | { readonly mode: 'fraction'; readonly fraction: number }
  /** Whether units are floored to whole ones. */
  readonly units: 'whole' | 'fractional'
  /** Whether a position still open at the end is sold at the last close, with costs. */
  readonly close_open_trades: boolean
}
