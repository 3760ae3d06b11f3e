import { dayMs } from '../market/timeframe.ts'
import { negligible } from '../statistics/moments.ts'
import { because, type Measured, orBecause } from './measured.ts'
import type { TradeMetricName } from './trade-metric-definitions.ts'
import type { Trades } from './trades.ts'

/** Columns of the trades that measuring them takes. */
export type TradeOutcomes = Pick<
  Trades,
  'length' | 'net_pnl' | 'return_fraction' | 'bars_held' | 'entry_time' | 'exit_time' | 'ambiguous'
>

/** Measures closed trades, in the order of their exits, by the table of definitions. @param isIn those to measure, all of them for null */
export function measureTrades(
  trades: TradeOutcomes,
  isIn: ((i: number) => boolean) | null = null,
): Record<TradeMetricName, Measured> {
  const tally = new TradeTally()
  tally.addAll(trades, isIn)
  const { count, wins, losses, won, lost } = tally
  const none = because('there are no trades')
  const some = (value: number) => (count === 0 ? none : value)
  const noWinner = count === 0 ? none : because('no trade won')
  const noLoser = count === 0 ? none : because('no trade lost')
  const winRate = wins / count
  const payoff = won / wins / (lost / losses)
  const betting = losses === 0 ? noLoser : wins === 0 ? noWinner : null
  return {
    trades: count,
    winning_trades: wins,
    losing_trades: losses,
    net_pnl: tally.pnl,
    win_rate_fraction: some(winRate),
    profit_factor: losses === 0 ? noLoser : won / lost,
    expectancy: some(tally.pnl / count),
    expectancy_ratio: betting ?? winRate * payoff - (1 - winRate),
    payoff_ratio: betting ?? payoff,
    kelly_fraction: betting ?? winRate - (1 - winRate) / payoff,
    avg_win: wins === 0 ? noWinner : won / wins,
    avg_loss: losses === 0 ? noLoser : -lost / losses,
    best_trade: some(tally.best),
    worst_trade: some(tally.worst),
    best_trade_return_fraction: some(tally.bestReturn),
    worst_trade_return_fraction: some(tally.worstReturn),
    avg_trade_return_fraction: count === 0 ? none : tally.averageReturn(),
    sqn: measureQuality(trades, isIn, tally),
    max_consecutive_wins: tally.mostWins,
    max_consecutive_losses: tally.mostLosses,
    avg_bars_held: some(tally.bars / count),
    avg_trade_duration_days: some(tally.heldMs / count / dayMs),
    max_trade_duration_days: some(tally.longestMs / dayMs),
    ambiguous_trades: tally.ambiguous,
  }
}

/** Sums and extremes over trades. */
class TradeTally {
  count = 0
  wins = 0
  losses = 0
  pnl = 0
  /** Of winners, and of losers without its sign. */
  won = 0
  lost = 0
  best = Number.NEGATIVE_INFINITY
  worst = Number.POSITIVE_INFINITY
  bestReturn = Number.NEGATIVE_INFINITY
  worstReturn = Number.POSITIVE_INFINITY
  bars = 0
  heldMs = 0
  longestMs = 0
  ambiguous = 0
  mostWins = 0
  mostLosses = 0
  private growth = 1
  private logGrowth = 0
  private winsInRow = 0
  private lossesInRow = 0

  /** Columns are read once: those made when they are first read are no cheap properties. */
  addAll(trades: TradeOutcomes, isIn: ((i: number) => boolean) | null): void {
    const { length, net_pnl, return_fraction, bars_held, entry_time, exit_time, ambiguous } = trades
    for (let i = 0; i < length; i++) {
      if (isIn !== null && !isIn(i)) continue
      this.addReturn(return_fraction[i] as number)
      this.addTime(bars_held[i] as number, (exit_time[i] as number) - (entry_time[i] as number))
      this.addResult(net_pnl[i] as number)
      if (ambiguous[i]) this.ambiguous++
    }
  }

  averageReturn(): Measured {
    this.takeLogarithm()
    if (this.logGrowth === Number.NEGATIVE_INFINITY) return because('a trade lost all it was worth, or more')
    return Math.expm1(this.logGrowth / this.count)
  }

  private takeLogarithm(): void {
    this.logGrowth += Math.log(this.growth)
    this.growth = 1
  }

  private addReturn(fraction: number): void {
    if (fraction > this.bestReturn) this.bestReturn = fraction
    if (fraction < this.worstReturn) this.worstReturn = fraction
    this.growth *= fraction > -1 ? 1 + fraction : 0
    // A logarithm now and then instead of one per trade.
    if (this.growth < 1e-100 || this.growth > 1e100) this.takeLogarithm()
  }

  private addTime(bars: number, heldMs: number): void {
    this.bars += bars
    this.heldMs += heldMs
    if (heldMs > this.longestMs) this.longestMs = heldMs
  }

  private addResult(pnl: number): void {
    this.count++
    this.pnl += pnl
    if (pnl > this.best) this.best = pnl
    if (pnl < this.worst) this.worst = pnl
    this.winsInRow = pnl > 0 ? this.winsInRow + 1 : 0
    this.lossesInRow = pnl < 0 ? this.lossesInRow + 1 : 0
    if (this.winsInRow > this.mostWins) this.mostWins = this.winsInRow
    if (this.lossesInRow > this.mostLosses) this.mostLosses = this.lossesInRow
    if (pnl > 0) {
      this.wins++
      this.won += pnl
    } else if (pnl < 0) {
      this.losses++
      this.lost -= pnl
    }
  }
}

function measureQuality(
  { length, net_pnl }: TradeOutcomes,
  isIn: ((i: number) => boolean) | null,
  { count, pnl }: TradeTally,
): Measured {
  if (count < 2) return because('fewer than two trades')
  const average = pnl / count
  let squares = 0
  for (let i = 0; i < length; i++)
    if (isIn === null || isIn(i)) squares += ((net_pnl[i] as number) - average) ** 2
  const deviation = Math.sqrt(squares / (count - 1))
  const quality = deviation < negligible ? null : (Math.sqrt(count) * average) / deviation
  return orBecause(quality, 'the trades do not vary')
}
