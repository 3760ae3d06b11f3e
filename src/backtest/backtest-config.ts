/** How a backtest trades. Complete: defaults belong to the API contract. Rates are fractions, 0.01 is one percent. */
export type BacktestConfig = {
  /** Account currency, > 0. */
  readonly initial_capital: number
  /** Fraction of the traded value (units · fill price after spread and slippage) per side, 0–0.1. */
  readonly commission_rate: number
  /** Account currency per fill, ≥ 0. */
  readonly commission_fixed: number
  /** Account currency per unit traded, ≥ 0. */
  readonly commission_per_unit: number
  /** Account currency: a fill pays at least this much commission, ≥ 0. */
  readonly commission_min: number
  /**
   * In place of `commission_rate`, the rate by the value traded in the calendar month (UTC) before the fill: of the tiers
   * with `from_value` ≤ that value the one with the highest. Empty: `commission_rate` always.
   */
  readonly commission_tiers: readonly CommissionTier[]
  /** The whole spread in basis points of the raw price, ≥ 0. Market and stop fills pay half of it, limit fills nothing. */
  readonly spread_bps: number
  /** Adverse, in basis points of the raw price, ≥ 0 and < 10 000. Market and stop fills pay it, limit fills do not. */
  readonly slippage_bps: number
  /** Null: a bar trades whatever is asked for. */
  readonly volume_share: VolumeShare | null
  /** Per year of 365 days, of the value of a short. */
  readonly borrow_rate_annual: number
  /** Per year of 365 days, of cash below zero: what leveraged longs have borrowed. */
  readonly funding_rate_annual: number
  readonly sizing: Sizing
  /** Whether units are floored to whole ones. */
  readonly units: 'whole' | 'fractional'
  /** Units are floored to multiples of it, > 0; null: they are not. Whole where `units` is. */
  readonly lot_size: number | null
  /** Prices of limit and stop orders are multiples of it, > 0: a buy is rounded up and a sell down. Null: not rounded. */
  readonly tick_size: number | null
  /** All positions together are worth no more than equity · leverage when one is entered; ≥ 1. */
  readonly leverage: number
  /** Positions are liquidated where the equity is below this fraction (0–1) of their value; 0: only where nothing is left. */
  readonly maintenance_margin_fraction: number
  /** Positions held at the same time, ≥ 1; null: one per market. */
  readonly max_positions: number | null
  /** Where a decision made at a close is filled: at the next open, or at that close. */
  readonly fill_on: 'next_open' | 'close'
  readonly intrabar: IntrabarMode
  /** Whether positions still open at the end are closed at the last close, with costs. */
  readonly close_open_trades: boolean
}

export type CommissionTier = { readonly from_value: number; readonly rate: number }

/**
 * A fill takes at most `limit_fraction` (0–1] of the volume of its bar; the rest waits for the next one. Its price is
 * worse by the fraction `impact` · (units / volume)². Source: zipline, `VolumeShareSlippage`.
 */
export type VolumeShare = { readonly limit_fraction: number; readonly impact: number }

/**
 * What came first inside a bar whose open, high, low and close leave it open.
 * `pessimistic`: what is worse for the position. `optimistic`: what is better. `ohlc`: the high before the low.
 * `adaptive`: the high before the low where the open is nearer to the high, else the low before the high.
 */
export type IntrabarMode = 'pessimistic' | 'optimistic' | 'ohlc' | 'adaptive'

/**
 * How many units an entry asks for. Whatever it asks for, it gets no more than equity · leverage pays, costs included.
 * The equity is that at the fill, with the positions held.
 */
export type Sizing =
  | { readonly mode: 'all_in' }
  /** `fraction` (0–1) of equity · leverage, costs included. */
  | { readonly mode: 'fraction'; readonly fraction: number }
  /** `units` > 0. */
  | { readonly mode: 'units'; readonly units: number }
  /** Units worth `value` > 0 in account currency, before costs. */
  | { readonly mode: 'value'; readonly value: number }
  /** As many units as lose `risk_percent` (0–100) of the equity at the stop, before costs. Needs a stop. */
  | { readonly mode: 'risk'; readonly risk_percent: number }
  /**
   * The fraction `annual_volatility` / realised volatility of the equity, costs included. Realised is the sample
   * deviation of the last `lookback_bars` (≥ 2) log returns of the closes, the deciding one included, annualised by the
   * time they took.
   */
  | { readonly mode: 'volatility_target'; readonly annual_volatility: number; readonly lookback_bars: number }
  /**
   * Half of Kelly's fraction of the equity, W − (1 − W) / R over the net results of the closed trades of all markets so
   * far (W won, R = average win / average loss), at most `cap`; nothing where it is not above 0. `fraction` of the
   * equity until there are `min_trades`. Source: Kelly 1956; Thorp 2006.
   */
  | { readonly mode: 'kelly'; readonly cap: number; readonly min_trades: number; readonly fraction: number }

/** How positions are entered, and how they end beside the rules. */
export type OrderPlan = {
  readonly entry: EntryType
  /** Of an entry that was not filled at once. A fill can happen on so many bars after the decision. */
  readonly good_till: GoodTill
  /** Whether the stop follows the best price at its first distance, as of the bars before. */
  readonly trailing_stop: boolean
  /** Bars after which a position is closed at the next fill, ≥ 1; null for no limit. */
  readonly max_bars: number | null
  /**
   * Bars from the first fill of an entry to that of the next, at least; 0, the default, and 1 allow any. Exits are never
   * held back; a reversal that comes too early only closes.
   */
  readonly entry_separation_bars?: number
}

export type EntryType = 'market' | 'limit' | 'stop' | 'stop_limit'

/**
 * `bars`: so many bars after the deciding one, ≥ 1. `session`: the session of the bar after the deciding one. `cancel`:
 * until it is filled or cancelled by its exit rule or the other side.
 */
export type GoodTill = { readonly bars: number } | 'session' | 'cancel'

/** Entries at the market; the stop stays where it is, and a position is held for as long as its rules say. */
export const plainPlan: OrderPlan = {
  entry: 'market',
  good_till: 'cancel',
  trailing_stop: false,
  max_bars: null,
}
