import type { Bars } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import { Account, type Fill, type OpenTrade } from './account.ts'
import type { BacktestConfig } from './backtest-config.ts'
import { type EquityCurve, EquityRecorder } from './equity.ts'
import type { Trades } from './trades.ts'

export type BacktestRun = {
  /** Index of the first bar of the requested range. */
  readonly from: number
  readonly trades: Trades
  readonly equity: EquityCurve
  /** Null unless a position is left open, which only happens without `close_open_trades`. */
  readonly open_trade: OpenTrade | null
  /** Orders decided at the last close: there is no next open to fill them. 0 or 1. */
  readonly unfilled_signals: number
  /** Entries too small to buy anything. */
  readonly rejected_orders: number
  /** Bars of the range on which a position was held at some moment, entry and exit bars included. */
  readonly exposed_bars: number
  /** Of every fill, that of an open position included. */
  readonly commission_total: number
  readonly slippage_total: number
}

export type BacktestInput = {
  readonly bars: Bars
  /** One element per bar, decided at its close. */
  readonly signals: { readonly enter_long: Uint8Array; readonly exit_long: Uint8Array }
  readonly config: BacktestConfig
  /** Index of the first bar of the requested range; earlier bars are warm-up and decide nothing. Default 0. */
  readonly from?: number
  /** Called every 1 024 bars and at the end; it may throw to stop the run. */
  readonly checkpoint?: (done: number, total: number) => void
}

/** Bars between two checkpoints, less one: a mask. */
const checkpointMask = 1023

/**
 * Trades one symbol, long only, with market orders. An order decided at the close of bar t is filled at the
 * open of t + 1; signals of pre-roll bars are ignored, so the first fill is on bar `from` + 1.
 * While flat, `enter_long` buys unless `exit_long` is true on the same bar; while long, `exit_long` sells and
 * `enter_long` is ignored. So there is at most one fill per bar, and selling and buying back takes two.
 * With `close_open_trades` what is open at the end is sold at the last close, inside the last equity point.
 * Σ net_pnl of trades (+ that of the open trade) = last equity − initial capital, to rounding.
 * @throws {Problem} 'bars-missing' when the range holds no bar
 * Source: trading-conventions E3, rules 1, 7–10 and 12.
 */
export function runBacktest(input: BacktestInput): BacktestRun {
  const { bars, config, from = 0, checkpoint } = input
  const total = bars.length - from
  if (total <= 0) throw new Problem('bars-missing', 'there are no bars in the requested range')
  const account = new Account(config)
  const recorder = new EquityRecorder(total, config.initial_capital)
  const counts = { unfilled: 0, rejected: 0, exposed: 0 }
  const last = bars.length - 1
  let order: Order = 'none'
  for (let i = from; i <= last; i++) {
    const heldBefore = account.units > 0
    if (order !== 'none' && !fill(account, order, fillAt(bars, i))) counts.rejected++
    if (account.units > 0) account.reach(bars.high[i] as number, bars.low[i] as number)
    if (heldBefore || account.units > 0) counts.exposed++
    order = decide(input.signals, i, account.units > 0)
    if (i === last) {
      if (order !== 'none') counts.unfilled++
      if (config.close_open_trades && account.units > 0) account.sell(closeOf(bars, i), 'end_of_data')
    }
    recorder.mark(account, bars.close_time[i] as number, bars.close[i] as number)
    if (((i - from) & checkpointMask) === checkpointMask) checkpoint?.(i - from + 1, total)
  }
  checkpoint?.(total, total)
  return {
    from,
    trades: account.trades.build(),
    equity: recorder.curve,
    open_trade: account.openTrade(closeOf(bars, last)),
    unfilled_signals: counts.unfilled,
    rejected_orders: counts.rejected,
    exposed_bars: counts.exposed,
    commission_total: account.commissionTotal,
    slippage_total: account.slippageTotal,
  }
}

type Order = 'none' | 'buy' | 'sell'

function decide(signals: BacktestInput['signals'], i: number, isLong: boolean): Order {
  if (signals.exit_long[i] === 1) return isLong ? 'sell' : 'none'
  return signals.enter_long[i] === 1 && !isLong ? 'buy' : 'none'
}

/** @returns false when a purchase is rejected */
function fill(account: Account, order: 'buy' | 'sell', at: Fill): boolean {
  if (order === 'buy') return account.buy(at)
  account.sell(at, 'exit_long')
  return true
}

function fillAt(bars: Bars, i: number): Fill {
  return { bar: i, timeMs: bars.time[i] as number, price: bars.open[i] as number }
}

function closeOf(bars: Bars, i: number): Fill {
  return { bar: i, timeMs: bars.close_time[i] as number, price: bars.close[i] as number }
}
