import type { Bars } from '../market/bars.ts'
import type { MarketInput } from './backtest-run.ts'
import { Broker, type Floor, noExit } from './broker.ts'
import { FinerBars } from './finer-bars.ts'
import type { PathEntry } from './intrabar.ts'
import { fromOpen, LevelExits } from './level-exits.ts'
import type { OpenTrade } from './open-trade.ts'
import { type Direction, exitCodes } from './trades.ts'

/**
 * One market: what its bars fill, and what is decided at their closes. The phases of a bar are methods, so that a run
 * can take one phase of all markets after the other; `runBacktest` says in which order.
 */
export class Market {
  readonly input: MarketInput
  readonly broker: Broker
  /** Index of the bar that opened last, −1 before the first. */
  bar = -1
  /** Whether the present moment is one of its own: its bar opens or closes. */
  isDue = true
  /** When its bar closes, epoch ms; infinite without one. Told where it shares the run with others. */
  closesAtMs = Number.POSITIVE_INFINITY
  /** Index of the first bar that is not past. */
  next: number
  readonly isTrailing: boolean
  /** Without a limit longer than any run, and whole: sums with it stay in the registers of whole numbers. */
  readonly maxBars: number
  private readonly floor: Floor
  private readonly separationBars: number
  private readonly fillsAtClose: boolean
  private readonly paysBorrow: boolean
  private readonly levels: LevelExits
  private readonly finer: FinerBars | null

  /** @param index among the markets of the run */
  constructor(floor: Floor, input: MarketInput, index: number) {
    this.floor = floor
    this.input = input
    this.next = input.from
    this.broker = new Broker(floor, input, index)
    this.isTrailing = floor.plan.trailing_stop
    this.maxBars = floor.plan.max_bars ?? 2 ** 30
    const { entry_separation_bars: apart = 0 } = floor.plan
    // A bar may see two entries: one filled inside it, the other at its close.
    this.separationBars = apart === 1 ? 0 : apart
    this.fillsAtClose = floor.config.fill_on === 'close'
    this.paysBorrow = floor.config.borrow_rate_annual !== 0
    this.levels = new LevelExits(this.broker, input.bars, floor.config.intrabar)
    this.finer = input.finer === null ? null : new FinerBars(input.finer, input.bars, floor.counts)
  }

  /** Takes the bar that opens at `timeMs`, if there is one: then it is due. */
  open(timeMs: number): void {
    const { time, close_time, length } = this.input.bars
    this.isDue = this.next < length && time[this.next] === timeMs
    if (!this.isDue) return
    this.take()
    this.closesAtMs = Math.min(close_time[this.bar] as number, time[this.next] ?? Number.POSITIVE_INFINITY)
  }

  /** Begins the close of the bar that closes at `timeMs`, if there is one: then it is due. */
  seekClose(timeMs: number): void {
    this.isDue = this.closesAtMs === timeMs
    if (this.isDue) this.closesAtMs = Number.POSITIVE_INFINITY
  }

  /** Whether its last bar is taken. */
  isOver(): boolean {
    return this.next >= this.input.bars.length
  }

  /** Takes the next bar, which there is, and values the position at its open. */
  take(): void {
    const { bars } = this.input
    const i = this.next
    this.bar = i
    this.next = i + 1
    this.broker.position.mark = bars.open[i] as number
  }

  /** At the open: a level that lies at or behind it, else the exit that was ordered. */
  exitAtOpen(i: number): void {
    const { broker, floor } = this
    const { position } = broker
    if (position.units === 0) return
    const { bars } = this.input
    const open = bars.open[i] as number
    const timeMs = bars.time[i] as number
    floor.account.placeCloseout(position)
    if (this.exitBehind(open, i, timeMs)) return
    if (broker.exit !== noExit && !(this.fillsAtClose && !broker.isStopping()))
      broker.leave(i, timeMs, open, broker.exit)
  }

  /** Ends the position where the open of a bar, or of a finer one, lies at or behind a level. @returns whether it does */
  private exitBehind(open: number, i: number, timeMs: number): boolean {
    const { broker } = this
    const { bracket } = broker.position
    if (bracket.isStoppedAt(open)) broker.leave(i, timeMs, open, bracket.stopReason(open))
    else if (bracket.isTargetAt(open) && !broker.isStopping()) broker.leave(i, timeMs, open, exitCodes.target)
    else return false
    return true
  }

  /** At the open: the entry that was ordered, where the open fills it. */
  enterAtOpen(i: number): void {
    const { entry } = this.broker
    if (!this.mayEnter() || (entry.type === 'market' && this.fillsAtClose)) return
    const { bars } = this.input
    const open = bars.open[i] as number
    if (entry.isFilledAtOpen(open)) this.broker.enter(i, bars.time[i] as number, open)
  }

  /** Inside the bar: the levels of a position held from its open. */
  exitInside(i: number): void {
    const { position } = this.broker
    if (position.units === 0) return
    const { account } = this.floor
    // Another market may have been liquidated at this open, or inside its bar.
    if (account.positions.length > 1) account.placeCloseout(position)
    const { bars } = this.input
    const high = bars.high[i] as number
    const low = bars.low[i] as number
    const isLong = position.units > 0
    const { bracket } = position
    if (!bracket.isStoppedAt(isLong ? low : high) && !bracket.isTargetAt(isLong ? high : low)) return
    const { finer } = this
    if (finer?.canFollow(i)) {
      const held = position.units
      this.replayExit(finer.view, finer.first(i), i)
      if (position.units !== held || this.broker.isStopping()) return
    }
    this.levels.pass(bars, i, i, fromOpen)
  }

  /** Inside the bar: an entry whose price it reaches, and the levels of the position that opens. */
  enterInside(i: number): void {
    const { broker } = this
    const { entry, position } = broker
    if (!this.mayEnter()) return
    const { finer } = this
    const { bars } = this.input
    if (!entry.isReached(bars.high[i] as number, bars.low[i] as number)) return
    if (finer === null || position.units !== 0 || !finer.canFollow(i)) {
      this.passEntry(bars, i, i)
      return
    }
    const { view } = finer
    const endMs = bars.close_time[i] as number
    let isTriggered = entry.isTriggered
    for (let j = finer.first(i); j < view.length && (view.time[j] as number) < endMs; j++) {
      this.passEntry(view, j, i)
      if (position.units !== 0) this.replayExit(view, j + 1, i)
      isTriggered ||= entry.isTriggered
      if (entry.type === 'none' || position.units !== 0) return
    }
    // The finer bars do not show what the bar shows.
    if (!isTriggered) this.passEntry(bars, i, i)
  }

  /** After the last trade inside the bar: what it has shown counts for the bars after it. */
  end(i: number): void {
    const { broker, floor } = this
    const { position, entry } = broker
    const { bars } = this.input
    const close = bars.close[i] as number
    position.mark = close
    if (position.units !== 0) {
      // Of a bar inside which it was entered only the close is known to have come after the entry.
      const high = broker.enteredInside ? close : (bars.high[i] as number)
      const low = broker.enteredInside ? close : (bars.low[i] as number)
      position.reach(high, low)
      if (this.isTrailing) position.bracket.trail(position.units > 0 ? high : low)
      if (this.paysBorrow) floor.account.payBorrow(position, bars.close_time[i] as number, close)
    }
    broker.enteredInside = false
    if (entry.type === 'none') return
    const waitsForClose = entry.type === 'market' && this.fillsAtClose
    if (entry.isOver(waitsForClose ? i - 1 : i)) broker.endEntry('expired', bars.close_time[i] as number)
  }

  /** Decides at the close of bar i. */
  decide(i: number): void {
    const { broker, floor } = this
    const { entry, position } = broker
    const { signals, bars } = this.input
    const { units } = position
    const { isRuined } = floor.account
    const fillBar = this.fillsAtClose ? i : i + 1
    const isOver = fillBar - position.entryBar >= this.maxBars
    const { enter_long, exit_long, enter_short, exit_short } = signals
    // Mostly nothing is signalled, and then nothing is to be weighed.
    const signalled =
      (enter_long[i] as number) |
      (exit_long[i] as number) |
      (enter_short[i] as number) |
      (exit_short[i] as number)
    if (signalled === 0 && !isRuined && !isOver) return
    const exitLong = exit_long[i] === 1
    const exitShort = exit_short[i] === 1
    const long = enter_long[i] === 1 && !exitLong
    const short = enter_short[i] === 1 && !exitShort
    const isAllowed = !isRuined && fillBar - position.entryBar >= this.separationBars
    const isWanted = long !== short && isAllowed && (long ? units <= 0 : units >= 0)
    const direction: Direction = long ? 1 : -1
    if (entry.type !== 'none') {
      const isOpposed = isWanted && direction !== entry.direction
      if (isRuined || isOpposed || (entry.direction > 0 ? exitLong : exitShort))
        broker.endEntry('cancelled', bars.close_time[i] as number)
    }
    const isOrdered = isWanted && entry.type === 'none'
    if (isOrdered) broker.orderEntry(direction, i)
    if (units === 0 || broker.exit !== noExit) return
    if (units > 0 ? exitLong : exitShort) broker.orderExit(exitCodes.signal, i)
    else if (isOrdered && isWorking(entry.type)) broker.orderExit(exitCodes.reversal, i)
    else if (isOver) broker.orderExit(exitCodes.max_bars, i)
  }

  /** At the close, where decisions are filled at the close. */
  exitAtClose(i: number): void {
    const { broker } = this
    if (!this.fillsAtClose || broker.position.units === 0) return
    if (broker.exit === noExit || broker.isStopping()) return
    const { bars } = this.input
    broker.leave(i, bars.close_time[i] as number, bars.close[i] as number, broker.exit)
  }

  enterAtClose(i: number): void {
    if (!this.fillsAtClose || this.broker.entry.type !== 'market' || !this.mayEnter()) return
    const { bars } = this.input
    this.broker.enter(i, bars.close_time[i] as number, bars.close[i] as number)
  }

  /** Closes the position at its mark, whatever the volume. */
  closeOut(timeMs: number, exitCode: number): void {
    const { broker } = this
    if (broker.position.units !== 0) broker.leave(this.next - 1, timeMs, broker.position.mark, exitCode)
  }

  /** Whether something is decided at the last close that waits for a fill; a position's time being over is no decision. */
  hasOrder(): boolean {
    const { entry, exit } = this.broker
    const isExit = exit !== noExit && exit !== exitCodes.max_bars
    return isExit || (entry.type !== 'none' && entry.decidedBar === this.next - 1)
  }

  /** What is still open, valued at the last close. */
  openTrade(): OpenTrade | null {
    const last = this.next - 1
    return this.broker.position.openTrade(last, this.input.bars.close[last] as number)
  }

  private mayEnter(): boolean {
    const { entry, position } = this.broker
    return isWorking(entry.type) && !this.floor.account.isRuined && position.units * entry.direction >= 0
  }

  /** Takes a position that is held at the beginning of the finer bar `first` through it and those after it. */
  private replayExit(finer: Bars, first: number, i: number): void {
    const { position } = this.broker
    const { bars } = this.input
    const endMs = bars.close_time[i] as number
    for (let j = first; j < finer.length && (finer.time[j] as number) < endMs; j++) {
      if (position.units === 0) return
      this.exitBehind(finer.open[j] as number, i, endMs)
      // What the volume did not fill at its open is held through it.
      if (position.units !== 0) this.levels.pass(finer, j, i, fromOpen)
    }
  }

  /** Fills the entry in bar j of `view`, which is bar i or lies inside it, and takes the position through the rest of it. */
  private passEntry(view: Bars, j: number, i: number): void {
    const { broker, input } = this
    const { entry, position } = broker
    const timeMs = input.bars.close_time[i] as number
    const isNew = position.units === 0
    const open = view.open[j] as number
    let entered: PathEntry = 'held'
    let price = open
    if (!entry.isFilledAtOpen(open)) {
      if (!entry.isReached(view.high[j] as number, view.low[j] as number)) return
      const isStop = entry.type === 'stop' || (entry.type === 'stop_limit' && !entry.isTriggered)
      entered = isStop ? 'rose' : 'fell'
      price = isStop ? entry.stop : entry.limit
      if (entry.type === 'stop_limit' && isStop) {
        entry.isTriggered = true
        if (this.floor.config.intrabar === 'pessimistic') return
      }
    }
    broker.enter(i, timeMs, price)
    if (!isNew || position.units === 0) return
    broker.enteredInside = true
    this.levels.pass(view, j, i, { entered, price })
  }
}

/** Whether there is an order. */
function isWorking(type: string): boolean {
  return type !== 'none'
}
