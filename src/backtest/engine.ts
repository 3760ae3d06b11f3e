import type { BacktestInput, BacktestRun } from './backtest-run.ts'
import { TradingRun } from './trading-run.ts'

export type { BacktestInput, BacktestRun, MarketInput } from './backtest-run.ts'
export { RunBuffers } from './run-buffers.ts'

/** Bars between two checkpoints. */
const checkpointBars = 1024

/**
 * Trades one or several markets with one wallet: long and short, at most one position a market at a time. At every
 * moment at which bars open, steps 1 and 2 are taken, at every moment at which bars close, steps 3 to 6, each for all markets
 * that have such a bar, in their order, before the next. What closes at a moment comes before what opens at it:
 *
 * 1. At the open, a position whose stop, target or liquidation lies at or behind the open is closed there; else the
 *    exit that was ordered is filled.
 * 2. At the open, entries are filled: those at the market, and limit and stop orders the open lies beyond.
 * 3. Inside the bar, positions held from the open are closed at the level the bar reaches first.
 * 4. Inside the bar, limit and stop entries it reaches are filled; the rest of the bar may close what they open.
 * 5. Excursions, trailing stops, interest and the time of orders are brought up to the close. Of several markets, what
 *    is under the margin with all of them at their closes is closed.
 * 6. At the close, the next orders are decided; with `fill_on: close` exits, then market entries are filled there.
 *
 * An entry rule counts where the exit rule of its side is false and the entry rule of the other side does not count
 * either. Flat, it enters; against a position it reverses: that is closed at the next fill, even without its exit rule.
 * The entry rule of the side that is held or ordered is ignored. Signals of pre-roll bars are ignored. An entry rule that
 * is true before `entry_separation_bars` are over does not enter.
 *
 * With `close_open_trades` what is open at the last close of its market is closed there, inside that equity point.
 * Σ net_pnl of trades (+ those of open trades) = last equity − initial capital, to rounding.
 * @throws {Problem} 'bars-missing' when the range of a market holds no bar
 */
export function runBacktest(input: BacktestInput): BacktestRun {
  return traceBacktest(input, true)
}

/** As `runBacktest`. Without `skipsQuietBars` every bar is traded, which takes longer and gives the same to the bit. */
export function traceBacktest(input: BacktestInput, skipsQuietBars: boolean): BacktestRun {
  const run = new TradingRun(input)
  const { length } = run
  for (let p = 0; p < length; ) {
    const pause = Math.min(length, p + checkpointBars)
    // The last bar is traded: what is open there may have to be closed.
    const end = skipsQuietBars ? Math.min(pause, length - 1) : 0
    while (p < pause) {
      p += run.passQuiet(p, end)
      if (p < pause) p += run.trade(p, end)
    }
    run.pause(p)
  }
  return run.result()
}
