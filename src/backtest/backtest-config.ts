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
  readonly sizing: Sizing
  /** Whether units are floored to whole ones. */
  readonly units: 'whole' | 'fractional'
  /** Whether a position still open at the end is closed at the last close, with costs. */
  readonly close_open_trades: boolean
}

/**
 * How many units an entry asks for. Whatever it asks for, it gets no more than the equity pays with the costs of the
 * entry: there is no leverage.
 */
export type Sizing =
  | { readonly mode: 'all_in' }
  /** `fraction` (0–1) of the equity, costs included. */
  | { readonly mode: 'fraction'; readonly fraction: number }
  /** `units` > 0. */
  | { readonly mode: 'units'; readonly units: number }
  /** As many units as lose `risk_percent` (0–100) of the equity at the stop, before costs. Needs a stop. */
  | { readonly mode: 'risk'; readonly risk_percent: number }

/** Exits of a strategy that its signals do not carry. */
export type ExitPlan = {
  /** Whether the stop follows the best price at its first distance, as of the bars before. */
  readonly trailing_stop: boolean
  /** Bars after which a position is closed at the next open, ≥ 1; null for no limit. */
  readonly max_bars: number | null
}
