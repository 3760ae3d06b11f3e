import { Problem } from '../problems.ts'
import { Account } from './account.ts'
import { plainPlan } from './backtest-config.ts'
import type { BacktestInput, BacktestRun } from './backtest-run.ts'
import type { Counts, Floor } from './broker.ts'
import { EquityRecorder } from './equity.ts'
import { Market } from './market.ts'
import { QuietBars } from './quiet.ts'
import { RunBuffers } from './run-buffers.ts'
import { mergeTimes, type Timeline } from './timeline.ts'
import { exitCodes } from './trades.ts'

/** A run under way: its markets, and the phases of a moment in the order `runBacktest` names. */
export class TradingRun {
  /** Moments of the run. */
  readonly length: number
  private readonly input: BacktestInput
  private readonly account: Account
  private readonly counts: Counts
  private readonly markets: readonly Market[]
  private readonly floor: Floor
  private readonly timeline: Timeline
  private readonly recorder: EquityRecorder
  /** Of the only market; null where there are several. */
  private readonly quiet: QuietBars | null
  private unfilledSignals = 0
  /** Points of the curve that are written, and what was held and had been opened by then. */
  private marked = 0
  private heldBefore = 0
  private openedBefore = 0

  /** @throws {Problem} 'bars-missing' when the range of a market holds no bar */
  constructor(input: BacktestInput) {
    const { config, markets, plan = plainPlan, reuse = new RunBuffers(), keepOrders = true } = input
    for (const { bars, from, symbol } of markets) {
      if (bars.length - from <= 0)
        throw new Problem('bars-missing', `there are no bars of ${symbol} in the requested range`)
    }
    const account = new Account(config)
    const { trades } = reuse
    trades.clear()
    const counts = noCounts()
    this.input = input
    this.account = account
    this.counts = counts
    this.floor = { config, plan, account, trades, log: reuse.orders(keepOrders), counts }
    this.markets = markets.map((market, k) => new Market(this.floor, market, k))
    this.timeline = mergeTimes(markets)
    this.length = this.timeline.length
    this.recorder = new EquityRecorder(this.timeline, markets, config.initial_capital, reuse)
    const [only] = this.markets
    const note = (p: number, isUncounted: boolean) => this.note(p, isUncounted)
    this.quiet =
      only === undefined || this.markets.length > 1
        ? null
        : new QuietBars(only, this.floor, this.recorder.equity, note)
  }

  /** Passes moments from p on, at most up to `end`, at which nothing can happen. @returns how many */
  passQuiet(p: number, end: number): number {
    const { quiet, input } = this
    return quiet === null || p >= end ? 0 : quiet.pass(end + input.markets[0].from)
  }

  /**
   * Trades the bars that open at moment p, and before the next moment what has closed by then. Of the only market, what
   * is quiet once its open is traded is passed at most up to `end`.
   * @returns how many moments are over
   */
  trade(p: number, end: number): number {
    const { markets, timeline, quiet } = this
    if (quiet !== null) return this.tradeAlone(quiet, p, end)
    for (let k = 0; k < markets.length; k++) (markets[k] as Market).open(timeline.open[p] as number)
    this.tradeAtOpen()
    const nextMs = timeline.open[p + 1] ?? Number.MAX_VALUE
    for (let closeMs = this.nextCloseMs(); closeMs <= nextMs; closeMs = this.nextCloseMs()) {
      for (let k = 0; k < markets.length; k++) (markets[k] as Market).seekClose(closeMs)
      this.close(closeMs)
      while (this.marked <= p && (timeline.close[this.marked] as number) <= closeMs) this.mark(this.marked)
    }
    return 1
  }

  /** The phases at the open of a bar of the only market, then those after it, unless the bar is quiet from there on. */
  private tradeAlone(quiet: QuietBars, p: number, end: number): number {
    const { market } = quiet
    const i = market.next
    if (quiet.openedBar !== i) {
      market.take()
      market.exitAtOpen(i)
      market.enterAtOpen(i)
      market.next = i
      quiet.openedBar = i
      const passed = this.passQuiet(p, end)
      if (passed > 0) return passed
    }
    quiet.openedBar = -1
    market.take()
    this.tradeRest(market, p)
    return 1
  }

  /** The phases after the open of a bar of the only market, without a look at others. */
  private tradeRest(market: Market, p: number): void {
    const { account } = this
    const { fill_on, funding_rate_annual } = this.input.config
    const i = market.bar
    market.exitInside(i)
    market.enterInside(i)
    market.end(i)
    if (funding_rate_annual !== 0) account.payFunding(this.timeline.close[p] as number)
    market.decide(i)
    if (fill_on === 'close') {
      market.exitAtClose(i)
      if (account.isRuined) this.closeAll(this.timeline.close[p] as number, exitCodes.ruin)
      market.enterAtClose(i)
    }
    if (market.isOver()) this.finish(this.timeline.close[p] as number)
    this.mark(p)
  }

  /** p moments are over: whoever wants to know is told, and may throw to stop. */
  pause(p: number): void {
    this.floor.trades.share = p / this.length
    this.input.checkpoint?.(p, this.length)
  }

  /** What has come of it. */
  result(): BacktestRun {
    const { account, counts, markets, floor, recorder, input } = this
    const symbols = input.markets.map(({ symbol }) => symbol)
    return {
      from: input.markets[0].from,
      trades: floor.trades.build(symbols),
      orders: floor.log.build(symbols),
      equity: recorder.curve(),
      open_trades: markets.flatMap(market => market.openTrade() ?? []),
      unfilled_signals: this.unfilledSignals,
      ...counts,
      commission_total: account.commissionTotal,
      spread_total: account.spreadTotal,
      slippage_total: account.slippageTotal,
      borrow_total: account.borrowTotal,
      funding_total: account.fundingTotal,
      ruined: account.isRuined,
      liquidations: account.liquidations,
    }
  }

  /** When the next of the open bars closes; infinite without any. */
  private nextCloseMs(): number {
    const { markets } = this
    let closeMs = Number.POSITIVE_INFINITY
    for (let k = 0; k < markets.length; k++) {
      const { closesAtMs } = markets[k] as Market
      if (closesAtMs < closeMs) closeMs = closesAtMs
    }
    return closeMs
  }

  /** Everything of the bars that are due up to their close at this time. */
  private close(closeMs: number): void {
    this.tradeInside()
    this.bringUpToClose(closeMs)
    this.tradeAtClose(closeMs)
    this.finish(closeMs)
  }

  /** Writes point p of the curve. */
  private mark(p: number): void {
    this.recorder.mark(p, this.account)
    this.note(p, true)
    this.marked = p + 1
  }

  /** Notes what is held from point p on, and that something was held there, where nobody has counted it. */
  private note(p: number, isUncounted: boolean): void {
    const { account } = this
    if (isUncounted && (this.heldBefore > 0 || account.opened > this.openedBefore)) this.counts.exposed_bars++
    this.heldBefore = account.held
    this.openedBefore = account.opened
    this.recorder.note(p, account)
  }

  private tradeAtOpen(): void {
    const { markets } = this
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.exitAtOpen(market.bar)
    }
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.enterAtOpen(market.bar)
    }
  }

  private tradeInside(): void {
    const { markets } = this
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.exitInside(market.bar)
    }
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.enterInside(market.bar)
    }
  }

  private bringUpToClose(closeMs: number): void {
    const { markets, account } = this
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.end(market.bar)
    }
    if (this.input.config.funding_rate_annual !== 0) account.payFunding(closeMs)
    if (markets.length === 1) return
    for (let k = 0; k < markets.length; k++) {
      if (!account.isUnderMargin()) break
      const isRuin = account.equity() <= 0
      ;(markets[k] as Market).closeOut(closeMs, isRuin ? exitCodes.ruin : exitCodes.liquidation)
    }
    if (account.isRuined) this.closeAll(closeMs, exitCodes.ruin)
  }

  private tradeAtClose(closeMs: number): void {
    const { markets, account } = this
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.decide(market.bar)
    }
    if (this.input.config.fill_on !== 'close') return
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.exitAtClose(market.bar)
    }
    if (account.isRuined) this.closeAll(closeMs, exitCodes.ruin)
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (market.isDue) market.enterAtClose(market.bar)
    }
  }

  /** Ends the markets whose last bar this was. */
  private finish(closeMs: number): void {
    const { markets } = this
    const { close_open_trades } = this.input.config
    for (let k = 0; k < markets.length; k++) {
      const market = markets[k] as Market
      if (!market.isDue || !market.isOver()) continue
      if (market.hasOrder()) this.unfilledSignals++
      if (close_open_trades) market.closeOut(closeMs, exitCodes.end_of_data)
    }
  }

  private closeAll(timeMs: number, exitCode: number): void {
    const { markets } = this
    for (let k = 0; k < markets.length; k++) (markets[k] as Market).closeOut(timeMs, exitCode)
  }
}

function noCounts(): Counts {
  return {
    rejected_orders: 0,
    unplaced_entries: 0,
    expired_orders: 0,
    reduced_orders: 0,
    exposed_bars: 0,
    disagreeing_bars: 0,
  }
}
