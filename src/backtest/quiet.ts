import type { Account } from './account.ts'
import type { BacktestConfig } from './backtest-config.ts'
import type { Counts } from './broker.ts'
import { noExit } from './broker.ts'
import type { Market } from './market.ts'

/**
 * Passes the bars of one market on which nothing can be traded: no order works, no level of the position is reached, and
 * nothing is accrued. A decision at such a bar's close is made as ever, and ends the stretch when it orders something.
 * They do to the run what trading them would do, bit for bit.
 */
export class QuietBars {
  private readonly market: Market
  private readonly account: Account
  private readonly equity: Float64Array
  private readonly counts: Counts
  private readonly config: BacktestConfig
  /** Whether a decision waits for the next bar. */
  private readonly decidesHere: boolean

  /** @param equity the column of the run, one element per bar from `market.input.from` on */
  constructor(
    market: Market,
    run: { readonly account: Account; readonly counts: Counts; readonly config: BacktestConfig },
    equity: Float64Array,
  ) {
    this.market = market
    this.account = run.account
    this.counts = run.counts
    this.config = run.config
    this.equity = equity
    this.decidesHere = run.config.fill_on === 'next_open'
  }

  /** Passes bars from `market.next` on, at most up to `end`. @returns how many */
  pass(end: number): number {
    const { market, account, config } = this
    const { broker, next } = market
    if (broker.entry.type !== 'none' || broker.exit !== noExit) return 0
    const { units } = broker.position
    if (units === 0) return this.passFlat(end)
    const isAccruing =
      (units < 0 && config.borrow_rate_annual !== 0) || (account.cash < 0 && config.funding_rate_annual !== 0)
    if (isAccruing || market.isTrailing) return 0
    // A position's time is over at a close: the bar before the fill.
    this.passHeld(Math.min(end, broker.position.entryBar + market.maxBars - 1))
    this.counts.exposed_bars += market.next - next
    return market.next - next
  }

  private passFlat(end: number): number {
    const { market, account, equity } = this
    const { next } = market
    const { from, signals } = market.input
    const { enter_long, enter_short } = signals
    const { cash, isRuined } = account
    let i = next
    // Most stretches are too short for `fill`, which is a call out of the compiled code.
    for (; i < end; i++) {
      if (((enter_long[i] as number) | (enter_short[i] as number)) !== 0 && !isRuined) break
      equity[i - from] = cash
    }
    const isDecision = i < end && this.decidesHere
    if (isDecision) equity[i++ - from] = cash
    market.next = i
    if (isDecision) market.decide(i - 1)
    return i - next
  }

  private passHeld(end: number): void {
    const { account, equity, market, decidesHere } = this
    const { from, signals, bars } = market.input
    const { high, low, close } = bars
    const { position } = market.broker
    const { bracket, units } = position
    const { cash } = account
    const leave = units > 0 ? signals.exit_long : signals.exit_short
    const reverse = units > 0 ? signals.enter_short : signals.enter_long
    const lower = units > 0 ? bracket.adverse : bracket.target
    const upper = units > 0 ? bracket.target : bracket.adverse
    let { highest, lowest } = position
    let decision = 0
    let i = market.next
    while (i < end && decision === 0) {
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
    if (decision !== 0 && decidesHere) market.decide(i - 1)
  }
}
