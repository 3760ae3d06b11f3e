import type { Bars } from '../market/bars.ts'
import type { Account } from './account.ts'
import { type Counts, type Floor, noExit } from './broker.ts'
import type { Market } from './market.ts'
import { PlainFills } from './plain-fills.ts'
import type { Position } from './position.ts'
import type { TradeSignals } from './trade-signals.ts'

/**
 * Passes the bars of one market on which nothing can be traded: no order works, no level of the position is reached, and
 * nothing is accrued. A decision at such a bar's close ends the stretch, unless its fill is a plain one: that is traded
 * at once, and the next stretch begins. It does to the run what trading the bars would do, bit for bit.
 */
export class QuietBars {
  readonly market: Market
  /** The bar at `market.next`, where what happens at its open has been traded; −1 where it has not. */
  openedBar = -1
  private readonly position: Position
  private readonly account: Account
  private readonly counts: Counts
  private readonly note: (p: number, isUncounted: boolean) => void
  private readonly plain: PlainFills | null
  /** Whether a decision waits for the next bar. */
  private readonly decidesHere: boolean
  private readonly borrows: boolean
  private readonly funds: boolean
  /** The columns it reads, and the one it writes, whose first element is that of bar `from`: at hand without a detour. */
  private readonly bars: Bars
  private readonly signals: TradeSignals
  private readonly equity: Float64Array
  private readonly from: number

  /**
   * @param equity the column of the run, one element per bar from `market.input.from` on
   * @param note notes what is held from point p on, and that something was held there where nobody has counted it
   */
  constructor(
    market: Market,
    run: Floor,
    equity: Float64Array,
    note: (p: number, isUncounted: boolean) => void,
  ) {
    const { account, counts, config } = run
    const { bars, signals, from } = market.input
    this.market = market
    this.position = market.broker.position
    this.account = account
    this.counts = counts
    this.note = note
    this.plain = PlainFills.arePlain(run) ? new PlainFills(market, run) : null
    this.decidesHere = config.fill_on === 'next_open'
    this.borrows = config.borrow_rate_annual !== 0
    this.funds = config.funding_rate_annual !== 0
    this.bars = bars
    this.signals = signals
    this.equity = equity
    this.from = from
  }

  /** Passes bars from `market.next` on, at most up to `end`. @returns how many */
  pass(end: number): number {
    const { market, account, position, plain } = this
    const { broker, next } = market
    if (broker.entry.type !== 'none' || broker.exit !== noExit) return 0
    for (;;) {
      const { units } = position
      let decided = -1
      if (units === 0) decided = this.passFlat(end)
      else if (market.isTrailing || (units < 0 && this.borrows) || (this.funds && account.cash < 0)) break
      else decided = this.passHeld(end)
      this.noteOpened(units)
      if (decided < 0) break
      if (plain === null || market.next >= end || !plain.fill(decided)) {
        market.decide(decided)
        break
      }
      this.openedBar = market.next
    }
    return market.next - next
  }

  /** Notes what the bar that was traded at its open has changed, once it is passed. */
  private noteOpened(units: number): void {
    const { openedBar, market } = this
    if (openedBar < 0 || market.next <= openedBar) return
    this.note(openedBar - this.from, units === 0)
    this.openedBar = -1
  }

  /** @returns the bar at whose close something is decided, which is passed, or −1 */
  private passFlat(end: number): number {
    const { market, account, equity, from } = this
    const { enter_long, enter_short } = this.signals
    const { cash, isRuined } = account
    let i = market.next
    // Most stretches are too short for `fill`, which is a call out of the compiled code.
    for (; i < end; i++) {
      if (((enter_long[i] as number) | (enter_short[i] as number)) !== 0 && !isRuined) break
      equity[i - from] = cash
    }
    const isDecision = i < end && this.decidesHere
    if (isDecision) equity[i++ - from] = cash
    market.next = i
    return isDecision ? i - 1 : -1
  }

  /** The same, where no level is reached. */
  private passHeld(end: number): number {
    const { equity, market, decidesHere, position, signals, from } = this
    const { high, low, close } = this.bars
    const { bracket, units } = position
    const { cash } = this.account
    const leave = units > 0 ? signals.exit_long : signals.exit_short
    const reverse = units > 0 ? signals.enter_short : signals.enter_long
    const lower = units > 0 ? bracket.adverse : bracket.target
    const upper = units > 0 ? bracket.target : bracket.adverse
    // A position's time is over at a close: the bar before the fill.
    const stop = Math.min(end, position.entryBar + market.maxBars - 1)
    const { next } = market
    let { highest, lowest } = position
    let decision = 0
    let i = next
    while (i < stop && decision === 0) {
      const top = high[i] as number
      const bottom = low[i] as number
      if (bottom <= lower || top >= upper) break
      decision = (leave[i] as number) | (reverse[i] as number)
      if (decision !== 0 && !decidesHere) break
      if (top > highest) highest = top
      if (bottom < lowest) lowest = bottom
      equity[i - from] = cash + units * (close[i] as number)
      i++
    }
    position.highest = highest
    position.lowest = lowest
    market.next = i
    this.counts.exposed_bars += i - next
    return decision !== 0 && decidesHere ? i - 1 : -1
  }
}
