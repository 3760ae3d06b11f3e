import type { Bars } from '../market/bars.ts'
import { Account, type Exit } from './account.ts'
import type { BacktestConfig, ExitPlan } from './backtest-config.ts'
import { affordableUnits, isRoundTripPayable, wantedUnits } from './sizing.ts'
import type { TradeSignals } from './trade-signals.ts'
import { type Direction, type ExitReason, exitReasons } from './trades.ts'

const exits = exitTable(false)
const ambiguousExits = exitTable(true)

/**
 * Fills what was decided, and closes positions whose stop or target the prices reach. On every bar, in this order:
 *
 * 1. At the open, a position from an earlier bar whose stop or target lies at or behind the open is closed at the open.
 * 2. At the open, a position its signal or `max_bars` ends is closed; then an entry decided at the close before is taken.
 * 3. Inside the bar, from the entry bar on, a position whose stop the bar touches is closed at the stop, else one whose
 *    target it touches at the target. Where it touches both, the stop is taken to be first and the trade is ambiguous.
 * 4. A trailing stop moves, by what this bar has shown, for the bars after it.
 * 5. At the close the next orders are decided.
 *
 * Stops and targets stand at their distance from the raw fill price. A stop is a market order with slippage, a target a
 * limit order without. A short is closed where its loss leaves nothing of the equity, and nothing is entered after that.
 *
 * An entry rule counts where the exit rule of its side is false and the entry rule of the other side does not count
 * either. Flat, it enters; against a position it reverses: that is closed at the next open, even without its exit rule,
 * and the other side entered at the same open. The entry rule of the side held is ignored, so a side that was left
 * is entered again at the open after next at the earliest.
 * Source: trading-conventions E3, rules 1, 2, 4–11.
 */
export class Broker {
  readonly account: Account
  readonly counts = { rejected_orders: 0, unplaced_entries: 0, reduced_orders: 0, exposed_bars: 0 }
  private readonly bars: Bars
  private readonly signals: TradeSignals
  private readonly enterLong: Uint8Array
  private readonly exitLong: Uint8Array
  private readonly enterShort: Uint8Array
  private readonly exitShort: Uint8Array
  private readonly config: BacktestConfig
  private readonly isTrailing: boolean
  private readonly maxBars: number
  /** Orders for the next open: which side to enter, and the exit of what is held. */
  private entry: Direction | 0 = 0
  private exit: Exit | null = null
  private isRuined = false

  constructor(bars: Bars, signals: TradeSignals, config: BacktestConfig, plan: ExitPlan) {
    this.bars = bars
    this.signals = signals
    this.enterLong = signals.enter_long
    this.exitLong = signals.exit_long
    this.enterShort = signals.enter_short
    this.exitShort = signals.exit_short
    this.config = config
    this.account = new Account(config)
    this.isTrailing = plan.trailing_stop
    this.maxBars = plan.max_bars ?? Number.POSITIVE_INFINITY
  }

  /** What happens between the open and the close of bar i. */
  trade(i: number): void {
    const { account } = this
    const isHeld = account.units !== 0
    if (isHeld) this.leaveAtOpen(i)
    // An entry against a position comes with its exit, so the account is flat by now.
    if (this.entry !== 0) this.enterAtOpen(i, this.entry)
    if (account.units !== 0) {
      this.counts.exposed_bars++
      this.passThrough(i)
    } else if (isHeld) this.counts.exposed_bars++
  }

  /** Decides at the close of bar i what to do at the open of i + 1. */
  decide(i: number): void {
    const { units } = this.account
    const exitLong = this.exitLong[i] === 1
    const exitShort = this.exitShort[i] === 1
    const long = this.enterLong[i] === 1 && !exitLong
    const short = this.enterShort[i] === 1 && !exitShort
    this.entry = 0
    this.exit = null
    if (long !== short && !this.isRuined && (long ? units <= 0 : units >= 0)) {
      if (this.isPlaceable(i)) this.entry = long ? 1 : -1
      else {
        this.counts.unplaced_entries++
        this.counts.rejected_orders++
      }
    }
    if (units === 0) return
    if (units > 0 ? exitLong : exitShort) this.exit = exits.signal
    else if (this.entry !== 0) this.exit = exits.reversal
  }

  /** Whether the stop and the target of an entry decided on bar i are known: without them it is not taken. */
  private isPlaceable(i: number): boolean {
    const { stop_distance, target_distance } = this.signals
    return (
      (stop_distance === null || distanceAt(stop_distance, i) > 0) &&
      (target_distance === null || distanceAt(target_distance, i) > 0)
    )
  }

  /** Whether something is decided that waits for the next open. */
  hasOrder(): boolean {
    return this.entry !== 0 || this.exit !== null
  }

  /** Closes what is open at the close of bar i. */
  finish(i: number): void {
    if (this.account.units === 0) return
    const { close_time, close } = this.bars
    this.account.close(i, close_time[i] as number, close[i] as number, exits.end_of_data)
  }

  private leaveAtOpen(i: number): void {
    const { account, bars } = this
    const open = bars.open[i] as number
    const { bracket } = account
    let exit = this.exit
    if (bracket.isStoppedAt(open)) exit = exits[bracket.stopReason(open)]
    else if (bracket.isTargetAt(open)) exit = exits.target
    else if (exit === null && i - account.entryBar >= this.maxBars) exit = exits.max_bars
    if (exit !== null) this.close(i, bars.time[i] as number, open, exit)
  }

  private enterAtOpen(i: number, direction: Direction): void {
    if (this.isRuined) return
    const { account, bars, config, counts } = this
    const { stop_distance, target_distance } = this.signals
    const stop = distanceAt(stop_distance, i - 1)
    const target = distanceAt(target_distance, i - 1)
    const price = bars.open[i] as number
    const wanted = wantedUnits(config, account.cash, stop)
    const affordable = affordableUnits(config, account.cash, price)
    const units = Math.min(wanted, affordable)
    if (!(units > 0) || !isRoundTripPayable(config, account.cash, units * price)) {
      counts.rejected_orders++
      return
    }
    if (wanted > affordable && wanted < Number.POSITIVE_INFINITY) counts.reduced_orders++
    account.open(direction, units, i, bars.time[i] as number, price)
    account.bracket.place(direction, price, stop, target)
    account.bracket.placeRuin(account.ruinPrice())
  }

  private passThrough(i: number): void {
    const { account, bars } = this
    const { bracket, units } = account
    const high = bars.high[i] as number
    const low = bars.low[i] as number
    const adverse = units > 0 ? low : high
    const favourable = units > 0 ? high : low
    if (bracket.isStoppedAt(adverse)) {
      const price = bracket.stopFill()
      const reasons = bracket.isTargetAt(favourable) ? ambiguousExits : exits
      this.close(i, bars.close_time[i] as number, price, reasons[bracket.stopReason(price)])
    } else if (bracket.isTargetAt(favourable)) {
      this.close(i, bars.close_time[i] as number, bracket.target, exits.target)
    } else {
      account.reach(high, low)
      if (this.isTrailing) bracket.trail(favourable)
    }
  }

  private close(i: number, timeMs: number, price: number, exit: Exit): void {
    this.account.close(i, timeMs, price, exit)
    if (exit.reason === 'ruin') this.isRuined = true
  }
}

function distanceAt(distances: Float64Array | null, i: number): number {
  return distances === null ? Number.NaN : (distances[i] as number)
}

/** One exit per reason, so that none is made while bars are traded. */
function exitTable(isAmbiguous: boolean): Record<ExitReason, Exit> {
  const exits = exitReasons.map(reason => [reason, { reason, isLimit: reason === 'target', isAmbiguous }])
  return Object.fromEntries(exits)
}
