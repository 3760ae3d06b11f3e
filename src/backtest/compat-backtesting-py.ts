import { Problem } from '../problems.ts'
import { plainPlan } from './backtest-config.ts'
import type { BacktestInput, BacktestRun, MarketInput } from './backtest-run.ts'
import { BacktestingPyBroker } from './compat-backtesting-py-broker.ts'
import { findBacktestingPyFaults } from './compat-backtesting-py-settings.ts'
import type { EquityCurve } from './equity.ts'
import type { Orders } from './orders.ts'

/** Bars between two checkpoints, less one: a mask. */
const checkpointMask = 1023

/**
 * Trades one market as backtesting.py 0.6 does, so that its trades can be laid beside those of that library. What is
 * different from `runBacktest`:
 *
 * - Spread: paid whole at the entry, as a worse price; nothing at the exit. Here, too, `entry_price` is the raw price and
 *   the spread a cost of its own: its EntryPrice is entry_price · (1 ± spread).
 * - Units: whole, the floor of available margin · leverage · fraction / (price with spread + commission per unit). The
 *   fixed commission counts there as if every unit paid it. `all_in` is the fraction 1 − 2⁻⁵². Nothing is reduced: a
 *   number of units that the margin does not pay is cancelled.
 * - Stops and targets lie at their distance from the deciding close (from the price of the order for limit and stop
 *   entries), not from the fill. An entry whose stop and target do not lie on both sides of the last close with spread,
 *   there an error, is not taken.
 * - An exit by rule comes before the stop where both would fill at the same open.
 * - The stop comes before the target on any bar, those of a market entry from its own bar on. Those of a limit or stop
 *   entry wait for the next bar, but for the target of a stop entry where the bar does not reach the stop.
 * - A stop-limit order that is triggered and filled on the same bar is filled at its stop price, whatever the open; where
 *   its limit is not beyond its stop, not before the next bar.
 * - A new entry cancels the one that waits (`exclusive_orders`).
 * - `close_open_trades` is `finalize_trades`: the last bar is gone through again, so that what is open is closed at its
 *   open (`fill_on: close`: at the close before it), which was before the last decisions; what is decided on the
 *   last bar is filled there as well, and stays open.
 * - `fill_on: close` is `trade_on_close`: entries and exits by rule are filled at the deciding close; stops and targets
 *   count from the next bar on.
 * - Equity at or below 0 at a close: closed there, the equity is 0 from then on, and what is owed is forgotten. The net
 *   results of the trades add up to the change of the equity in all other cases only.
 * - The first decision is made on bar 1 at the earliest. The library also waits one bar more than the longest warm-up;
 *   rules with a cross do so anyway.
 * - No list of orders.
 *
 * Where the library leaves it to the strategy, it is what this one says: the entry rule of the side held is ignored, that
 * of the other side closes and enters, two contradicting rules do nothing, `max_bars` closes at the next open.
 * Source: backtesting.py 0.6, its documentation and the values its tests state; trading-conventions A1, E3.
 * @throws {Problem} 'bars-missing' when the range holds no bar, 'params-invalid' for what that library cannot do
 */
export function runBacktestingPy(input: BacktestInput): BacktestRun {
  const { config, plan = plainPlan, markets, checkpoint } = input
  const errors = findBacktestingPyFaults(input)
  if (errors.length > 0) {
    throw new Problem('params-invalid', `backtesting.py cannot do this: ${errors[0]?.message}`, {
      errors,
      hint: 'leave these settings at their defaults or leave out engine.compat',
    })
  }
  const [market] = markets
  const total = market.bars.length - market.from
  if (total <= 0) throw new Problem('bars-missing', 'there are no bars in the requested range')
  const broker = new BacktestingPyBroker(market, config, plan)
  const curve = new Curve(market, config.initial_capital)
  const last = market.bars.length - 1
  for (let i = market.from; i <= last && !broker.isRuined; i++) {
    if (i > market.from) broker.trade(i)
    curve.mark(i, broker)
    if (i > 0 && !broker.isRuined) broker.decide(i)
    if (((i - market.from) & checkpointMask) === checkpointMask) checkpoint?.(i - market.from + 1, total)
  }
  if (config.close_open_trades && !broker.isRuined && last > market.from) {
    broker.finish(last)
    curve.mark(last, broker)
  }
  checkpoint?.(total, total)
  return report(market, broker, curve.columns)
}

function report(market: MarketInput, broker: BacktestingPyBroker, equity: EquityCurve): BacktestRun {
  const open = broker.openTrade()
  return {
    from: market.from,
    trades: broker.trades(),
    orders: noOrders,
    equity,
    open_trades: open === null ? [] : [open],
    unfilled_signals: broker.hasOrder() ? 1 : 0,
    ...broker.counts,
    ...broker.costs,
    borrow_total: 0,
    funding_total: 0,
    ruined: broker.isRuined,
    liquidations: 0,
  }
}

const none = new Float64Array(0)
const noOrders: Orders = {
  length: 0,
  order_id: new Int32Array(0),
  symbol: [],
  side: [],
  type: [],
  purpose: [],
  position: [],
  placed_time: none,
  limit_price: none,
  stop_price: none,
  units: none,
  filled_units: none,
  fill_price: none,
  status: [],
  end_time: none,
  commission: none,
  spread: none,
  slippage: none,
}

/** The equity curve; a point that is marked again is overwritten. */
class Curve {
  readonly columns: EquityCurve
  private readonly market: MarketInput
  private readonly peaks: Float64Array

  constructor(market: MarketInput, initialCapital: number) {
    const length = market.bars.length - market.from
    const column = () => new Float64Array(length)
    this.market = market
    this.peaks = new Float64Array(length + 1).fill(initialCapital)
    this.columns = {
      length,
      time: market.bars.close_time.slice(market.from),
      equity: column(),
      cash: column(),
      position_value: column(),
      exposure_fraction: column(),
      drawdown_fraction: column().fill(1),
    }
  }

  /** Marks the point of bar i at its close, ruining the broker where nothing is left. What is not marked is 0: ruin. */
  mark(i: number, broker: BacktestingPyBroker): void {
    const point = i - this.market.from
    const close = this.market.bars.close[i] as number
    if (broker.equity(close) <= 0) broker.ruin(i)
    const equity = broker.equity(close)
    const value = broker.signedUnits * close
    const peak = Math.max(this.peaks[point] as number, equity)
    this.peaks[point + 1] = peak
    this.columns.equity[point] = equity
    this.columns.cash[point] = equity - value
    this.columns.position_value[point] = value
    this.columns.exposure_fraction[point] = value === 0 ? 0 : Math.abs(value) / equity
    this.columns.drawdown_fraction[point] = (peak - equity) / peak
  }
}
