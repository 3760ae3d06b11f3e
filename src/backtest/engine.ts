import type { Bars } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import type { OpenTrade } from './account.ts'
import type { BacktestConfig, ExitPlan } from './backtest-config.ts'
import { Broker } from './broker.ts'
import { type EquityCurve, EquityRecorder } from './equity.ts'
import type { TradeSignals } from './trade-signals.ts'
import type { Trades } from './trades.ts'

export type BacktestRun = {
  /** Index of the first bar of the requested range. */
  readonly from: number
  readonly trades: Trades
  readonly equity: EquityCurve
  /** Null unless a position is left open, which only happens without `close_open_trades`. */
  readonly open_trade: OpenTrade | null
  /** Bars at whose close an order was decided that has no next open to be filled at: the last one, so 0 or 1. */
  readonly unfilled_signals: number
  /** Entries that were not taken, `unplaced_entries` among them; the others were too small to trade anything. */
  readonly rejected_orders: number
  /** Entries that were not taken because their stop or target was not known. */
  readonly unplaced_entries: number
  /** Entries that got fewer units than the sizing asked for: the equity did not pay for more. */
  readonly reduced_orders: number
  /** Bars of the range on which a position was held at some moment, entry and exit bars included. */
  readonly exposed_bars: number
  /** Of every fill, that of an open position included. */
  readonly commission_total: number
  readonly slippage_total: number
}

export type BacktestInput = {
  readonly bars: Bars
  readonly signals: TradeSignals
  readonly config: BacktestConfig
  /** Default: the stop stays where it is, and a position is held for as long as its rules say. */
  readonly exits?: ExitPlan
  /** Index of the first bar of the requested range; earlier bars are warm-up and decide nothing. Default 0. */
  readonly from?: number
  /** Called every 1 024 bars and at the end; it may throw to stop the run. */
  readonly checkpoint?: (done: number, total: number) => void
}

/** Bars between two checkpoints, less one: a mask. */
const checkpointMask = 1023

const noExits: ExitPlan = { trailing_stop: false, max_bars: null }

/**
 * Trades one symbol, long and short, at most one position at a time. What is decided at the close of bar t is filled
 * at the open of t + 1; signals of pre-roll bars are ignored, so the first fill is on bar `from` + 1. What happens on
 * a bar, and in which order, is said in `Broker`.
 * With `close_open_trades` what is open at the end is closed at the last close, inside the last equity point.
 * Σ net_pnl of trades (+ that of the open trade) = last equity − initial capital, to rounding.
 * @throws {Problem} 'bars-missing' when the range holds no bar
 */
export function runBacktest(input: BacktestInput): BacktestRun {
  const { bars, config, from = 0, exits = noExits, checkpoint } = input
  const total = bars.length - from
  if (total <= 0) throw new Problem('bars-missing', 'there are no bars in the requested range')
  const broker = new Broker(bars, input.signals, config, exits)
  const recorder = new EquityRecorder(bars.close_time.subarray(from), config.initial_capital)
  const { account } = broker
  const { close } = bars
  const last = bars.length - 1
  for (let i = from; i <= last; i++) {
    broker.trade(i)
    broker.decide(i)
    if (i === last && config.close_open_trades) broker.finish(i)
    recorder.mark(i - from, account, close[i] as number)
    if (((i - from) & checkpointMask) === checkpointMask) checkpoint?.(i - from + 1, total)
  }
  checkpoint?.(total, total)
  return {
    from,
    trades: account.trades.build(),
    equity: recorder.curve,
    open_trade: account.openTrade(last, close[last] as number),
    unfilled_signals: broker.hasOrder() ? 1 : 0,
    ...broker.counts,
    commission_total: account.commissionTotal,
    slippage_total: account.slippageTotal,
  }
}
