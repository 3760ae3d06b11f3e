import type { Bars } from '../market/bars.ts'
import { firstBarAt } from '../market/bars.ts'
import type { MarketInput } from './backtest-run.ts'
import { Broker, type Floor, noExit } from './broker.ts'
import { ambiguousOutcome, IntrabarPath, outcomes } from './intrabar.ts'
import type { OpenTrade } from './open-trade.ts'
import { type Direction, exitCodes } from './trades.ts'

/**
 * One market: what its bars fill, and what is decided at their closes. The phases of a bar are methods, so that a run
 * can take one phase of all markets after the other; `runBacktest` says in which order.
 */
export class Market {
  readonly input: MarketInput
  readonly broker: Broker
  /** Index of the bar of the present moment, −1 when it has none. */
  bar = -1
  /** Index of the first bar that is not past. */
  next: number
  readonly isTrailing: boolean
  readonly maxBars: number
  private readonly floor: Floor
  private readonly fillsAtClose: boolean
  private readonly paysBorrow: boolean
  private readonly path = new IntrabarPath()

  /** @param index among the markets of the run */
  constructor(floor: Floor, input: MarketInput, index: number) {
    this.floor = floor
    this.input = input
    this.next = input.from
    this.broker = new Broker(floor, input, index)
    this.isTrailing = floor.plan.trailing_stop
    this.maxBars = floor.plan.max_bars ?? Number.POSITIVE_INFINITY
    this.fillsAtClose = floor.config.fill_on === 'close'
    this.paysBorrow = floor.config.borrow_rate_annual !== 0
  }

  /** Takes the bar that opens at `timeMs`, if there is one. */
  seek(timeMs: number): void {
    const { bars } = this.input
    if (this.next < bars.length && bars.time[this.next] === timeMs) this.take()
    else this.bar = -1
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
    const { bracket } = position
    const open = bars.open[i] as number
    const timeMs = bars.time[i] as number
    floor.account.placeCloseout(position)
    if (bracket.isStoppedAt(open)) broker.leave(i, timeMs, open, bracket.stopReason(open))
    else if (bracket.isTargetAt(open) && !broker.isStopping()) broker.leave(i, timeMs, open, exitCodes.target)
    else if (broker.exit !== noExit && !(this.fillsAtClose && !broker.isStopping()))
      broker.leave(i, timeMs, open, broker.exit)
  }

  /** At the open: the entry that was ordered, where the open fills it. */
  enterAtOpen(i: number): void {
    const { broker } = this
    const { entry } = broker
    if (!this.mayEnter() || (entry.type === 'market' && this.fillsAtClose)) return
    const { bars } = this.input
    const open = bars.open[i] as number
    if (entry.isFilledAtOpen(open)) broker.enter(i, bars.time[i] as number, open)
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
    const { finer } = this.input
    if (finer !== null) {
      const held = position.units
      this.replayExit(finer, this.firstFiner(finer, i), i)
      if (position.units !== held || this.broker.isStopping()) return
    }
    this.pass(bars, i, i, 'held')
  }

  /** Inside the bar: an entry whose price it reaches, and the levels of the position that opens. */
  enterInside(i: number): void {
    const { broker } = this
    const { entry, position } = broker
    if (!this.mayEnter()) return
    const { bars, finer } = this.input
    if (!entry.isReached(bars.high[i] as number, bars.low[i] as number)) return
    if (finer === null || position.units !== 0) {
      this.passEntry(bars, i, i)
      return
    }
    const first = this.firstFiner(finer, i)
    const endMs = bars.close_time[i] as number
    let isTriggered = entry.isTriggered
    for (let j = first; j < finer.length && (finer.time[j] as number) < endMs; j++) {
      this.passEntry(finer, j, i)
      if (position.units !== 0) this.replayExit(finer, j + 1, i)
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
    const exitLong = signals.exit_long[i] === 1
    const exitShort = signals.exit_short[i] === 1
    const long = signals.enter_long[i] === 1 && !exitLong
    const short = signals.enter_short[i] === 1 && !exitShort
    const { isRuined } = floor.account
    const isWanted = long !== short && !isRuined && (long ? units <= 0 : units >= 0)
    const direction: Direction = long ? 1 : -1
    if (entry.type !== 'none') {
      const isOpposed = isWanted && direction !== entry.direction
      if (isRuined || isOpposed || (entry.direction > 0 ? exitLong : exitShort))
        broker.endEntry('cancelled', bars.close_time[i] as number)
    }
    const isOrdered = isWanted && entry.type === 'none'
    if (isOrdered) broker.orderEntry(direction, i)
    if (units === 0 || broker.exit !== noExit) return
    const fillBar = this.fillsAtClose ? i : i + 1
    if (units > 0 ? exitLong : exitShort) broker.orderExit(exitCodes.signal, i)
    else if (isOrdered && isWorking(entry.type)) broker.orderExit(exitCodes.reversal, i)
    else if (fillBar - position.entryBar >= this.maxBars) broker.orderExit(exitCodes.max_bars, i)
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

  /** Index of the first finer bar inside bar i. */
  private firstFiner(finer: Bars, i: number): number {
    return firstBarAt(finer, this.input.bars.time[i] as number)
  }

  /** Takes a position that is held at the beginning of the finer bar `first` through it and those after it. */
  private replayExit(finer: Bars, first: number, i: number): void {
    const { broker } = this
    const { position } = broker
    const { bars } = this.input
    const endMs = bars.close_time[i] as number
    for (let j = first; j < finer.length && (finer.time[j] as number) < endMs; j++) {
      if (position.units === 0 || broker.isStopping()) return
      const open = this.withinBar(finer.open[j] as number, i)
      const { bracket } = position
      if (bracket.isStoppedAt(open)) broker.leave(i, endMs, open, bracket.stopReason(open))
      else if (bracket.isTargetAt(open)) broker.leave(i, endMs, open, exitCodes.target)
      else this.pass(finer, j, i, 'held')
    }
  }

  /** Fills the entry in bar j of `view`, which is bar i or lies inside it, and takes the position through the rest of it. */
  private passEntry(view: Bars, j: number, i: number): void {
    const { broker, input } = this
    const { entry, position } = broker
    const timeMs = input.bars.close_time[i] as number
    const isNew = position.units === 0
    const open = this.withinBar(view.open[j] as number, i)
    let entered: IntrabarPath['entered'] = 'held'
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
    this.path.entry = position.units > 0 ? price : -price
    this.pass(view, j, i, entered)
  }

  /** Ends the position at the level it meets in bar j of `view`, which is bar i or lies inside it. */
  private pass(view: Bars, j: number, i: number, entered: IntrabarPath['entered']): void {
    const { broker, path, floor } = this
    const { position } = broker
    const { bracket } = position
    const isLong = position.units > 0
    const sign = isLong ? 1 : -1
    path.isLong = isLong
    path.entered = entered
    path.open = sign * (view.open[j] as number)
    path.best = isLong ? (view.high[j] as number) : -(view.low[j] as number)
    path.worst = isLong ? (view.low[j] as number) : -(view.high[j] as number)
    path.close = sign * (view.close[j] as number)
    path.adverse = sign * bracket.adverse
    path.favourable = broker.isStopping() ? Number.NaN : sign * bracket.target
    const outcome = path.resolve(floor.config.intrabar)
    if (outcome >= ambiguousOutcome) position.isAmbiguous = true
    const timeMs = this.input.bars.close_time[i] as number
    const kind = outcome % ambiguousOutcome
    if (kind === outcomes.adverse)
      broker.leave(i, timeMs, bracket.adverse, bracket.stopReason(bracket.adverse))
    else if (kind === outcomes.favourable) broker.leave(i, timeMs, bracket.target, exitCodes.target)
  }

  /** A price of a finer bar, never outside the bar it lies in. */
  private withinBar(price: number, i: number): number {
    const { high, low } = this.input.bars
    return Math.min(Math.max(price, low[i] as number), high[i] as number)
  }
}

/** Whether there is an order. */
function isWorking(type: string): boolean {
  return type !== 'none'
}
