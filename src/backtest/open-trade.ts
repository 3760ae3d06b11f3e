import type { Side } from './trades.ts'

/** A position that is still open at the end. `exit_*` and costs of an exit do not exist yet. */
export type OpenTrade = {
  readonly symbol: string
  readonly side: Side
  readonly entry_time: number
  /** Raw, the average of its fills. */
  readonly entry_price: number
  /** > 0 on both sides. */
  readonly units: number
  /** Last close, at which the position is valued. */
  readonly last_price: number
  /** units · (last close − entry price), of a short the negative of it, and what partial exits have brought. */
  readonly gross_pnl: number
  /** Of the fills so far, as are the costs below. */
  readonly commission: number
  readonly spread: number
  readonly slippage: number
  readonly borrow: number
  readonly funding: number
  /** gross − costs: what the position adds to the equity so far. */
  readonly net_pnl: number
  readonly bars_held: number
  readonly max_favourable_excursion: number
  readonly max_adverse_excursion: number
  /** Where the entry placed its stop, and where it is now; null for none. */
  readonly stop_price: number | null
  readonly current_stop_price: number | null
  readonly target_price: number | null
}
