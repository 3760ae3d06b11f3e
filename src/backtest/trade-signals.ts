/**
 * What is decided at the close of each bar: one element per bar in every column. Rules and models alike hand their
 * decisions over in this form. A distance is in price and > 0; an entry decided on a bar where one it needs is NaN is
 * not taken. Null: no entry uses it.
 */
export type TradeSignals = {
  /** 1 where the side is to be entered or left, else 0. */
  readonly enter_long: Uint8Array
  readonly exit_long: Uint8Array
  readonly enter_short: Uint8Array
  readonly exit_short: Uint8Array
  /** From the raw fill price of the entry to its stop. */
  readonly stop_distance: Float64Array | null
  /** The same for the target. */
  readonly target_distance: Float64Array | null
  /** A limit order buys at close − distance and sells at close + distance; that of a stop-limit lies so far beyond its stop. */
  readonly limit_distance: Float64Array | null
  /** A stop order buys at close + distance and sells at close − distance. */
  readonly entry_stop_distance: Float64Array | null
}
