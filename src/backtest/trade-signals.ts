/**
 * What is decided at the close of each bar: one element per bar in every column. Rules and models alike hand their
 * decisions over in this form.
 */
export type TradeSignals = {
  /** 1 where the side is to be entered or left, else 0. */
  readonly enter_long: Uint8Array
  readonly exit_long: Uint8Array
  readonly enter_short: Uint8Array
  readonly exit_short: Uint8Array
  /**
   * Distance of the stop from the fill price of an entry decided on this bar, in price, > 0. NaN where it is not
   * known: such an entry is not taken. Null when no entry has a stop.
   */
  readonly stop_distance: Float64Array | null
  /** The same for the target. */
  readonly target_distance: Float64Array | null
}
