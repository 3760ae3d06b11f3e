import type { Bars } from '../market/bars.ts'
import type { BacktestConfig, OrderPlan } from './backtest-config.ts'
import type { EquityCurve } from './equity.ts'
import type { OpenTrade } from './open-trade.ts'
import type { Orders } from './orders.ts'
import type { RunBuffers } from './run-buffers.ts'
import type { TradeSignals } from './trade-signals.ts'
import type { Trades } from './trades.ts'

/** One market: what was traded at which price, and what is decided on it. */
export type MarketInput = {
  readonly symbol: string
  /** Oldest first, complete and checked. `session` tells the sessions apart, for orders good for one; else UTC days do. */
  readonly bars: Bars & { readonly session?: Float64Array }
  readonly signals: TradeSignals
  /** Index of the first bar of the requested range; earlier bars are warm-up and decide nothing. */
  readonly from: number
  /** Bars of a shorter timeframe that show what came first inside a bar; null for none. They may have gaps. */
  readonly finer: Bars | null
}

export type BacktestInput = {
  /** The order matters: at the same moment the money goes to the entries of the first. */
  readonly markets: readonly [MarketInput, ...MarketInput[]]
  readonly config: BacktestConfig
  /** Default: `plainPlan`. */
  readonly plan?: OrderPlan
  /** Called every 1 024 bars and at the end; it may throw to stop the run. */
  readonly checkpoint?: (done: number, total: number) => void
  /** Memory of a run before, whose results are overwritten: for thousands of runs. Default: memory of its own. */
  readonly reuse?: RunBuffers
  /** Whether to keep the list of orders, which is empty otherwise. Default true. */
  readonly keepOrders?: boolean
}

export type BacktestRun = {
  /** Index of the first bar of the requested range, in the first market. */
  readonly from: number
  readonly trades: Trades
  /** Empty with `keepOrders: false`. */
  readonly orders: Orders
  readonly equity: EquityCurve
  /** In the order of the markets; empty with `close_open_trades`. */
  readonly open_trades: readonly OpenTrade[]
  /** Orders decided at the last close of a market, which has no next open to fill them at; at most one per market. */
  readonly unfilled_signals: number
  /** Entries that were not taken, `unplaced_entries` among them; the others were too small, or one position too many. */
  readonly rejected_orders: number
  /** Entries that were not taken because a price or distance they need was not known. */
  readonly unplaced_entries: number
  /** Limit and stop entries that ended without a fill: their time was over, or they were cancelled. */
  readonly expired_orders: number
  /** Entries that got fewer units than the sizing asked for: the equity did not pay for more. */
  readonly reduced_orders: number
  /** Bars whose finer bars reach prices the bar does not: they were not followed, where they were needed. */
  readonly disagreeing_bars: number
  /** Points of the curve before which a position was held at some moment of their bar, entry and exit bars included. */
  readonly exposed_bars: number
  /** Of every fill, those of open positions included. */
  readonly commission_total: number
  readonly spread_total: number
  readonly slippage_total: number
  readonly borrow_total: number
  readonly funding_total: number
  /** Whether nothing was left of the equity at some moment, after which nothing was traded. */
  readonly ruined: boolean
  /** Positions closed because of the maintenance margin. */
  readonly liquidations: number
}
