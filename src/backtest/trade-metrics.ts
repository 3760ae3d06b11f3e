import type { TradeMetricName } from './metric-definitions.ts'
import { mean, standardDeviation } from './returns.ts'
import { type ExitReason, exitReasons, type Side, type Trades } from './trades.ts'

/** A value, or the reason why there is none. */
export type Measured = number | { readonly undefined: string }

/** Standard deviations and drawdowns below this are rounding: dividing by them would make a ratio of noise. */
export const negligible = 1e-12

export function because(reason: string): Measured {
  return { undefined: reason }
}

/** Metrics of some of the trades; null where one is not defined. */
export type TradeMetrics = Readonly<Record<TradeMetricName, number | null>>

/** The closed trades told apart, each group measured as all of them are. */
export type TradeSplits = {
  readonly side: Readonly<Record<Side, TradeMetrics>>
  /** Reasons that ended no trade are left out. */
  readonly exit_reason: Readonly<Partial<Record<ExitReason, TradeMetrics>>>
}

/** What is needed of each trade to measure it. */
type Outcomes = {
  readonly net_pnl: Float64Array
  readonly bars_held: Float64Array
  readonly ambiguous: readonly boolean[]
}

/** Measures closed trades by the table of definitions. */
export function measureTrades({
  net_pnl,
  bars_held,
  ambiguous,
}: Outcomes): Record<TradeMetricName, Measured> {
  const { length } = net_pnl
  const wins = net_pnl.filter(pnl => pnl > 0)
  const losses = net_pnl.filter(pnl => pnl < 0)
  const won = sum(wins)
  const lost = -sum(losses)
  const none = because('there are no trades')
  const noWinner = length === 0 ? none : because('no trade won')
  const noLoser = length === 0 ? none : because('no trade lost')
  return {
    trades: length,
    winning_trades: wins.length,
    losing_trades: losses.length,
    net_pnl: sum(net_pnl),
    win_rate_fraction: length === 0 ? none : wins.length / length,
    profit_factor: losses.length === 0 ? noLoser : won / lost,
    expectancy: length === 0 ? none : mean(net_pnl),
    avg_win: wins.length === 0 ? noWinner : won / wins.length,
    avg_loss: losses.length === 0 ? noLoser : -lost / losses.length,
    best_trade: length === 0 ? none : net_pnl.reduce((best, pnl) => Math.max(best, pnl)),
    worst_trade: length === 0 ? none : net_pnl.reduce((worst, pnl) => Math.min(worst, pnl)),
    sqn: measureQuality(net_pnl),
    avg_bars_held: length === 0 ? none : mean(bars_held),
    ambiguous_trades: ambiguous.filter(isAmbiguous => isAmbiguous).length,
  }
}

/** Splits the trades by side and by exit reason. */
export function splitTrades(trades: Trades): TradeSplits {
  const part = (isIn: (i: number) => boolean) => measurePart(trades, isIn)
  const reasons = exitReasons.filter(reason => trades.exit_reason.includes(reason))
  return {
    side: {
      long: part(i => trades.side[i] === 'long'),
      short: part(i => trades.side[i] === 'short'),
    },
    exit_reason: Object.fromEntries(
      reasons.map(reason => [reason, part(i => trades.exit_reason[i] === reason)]),
    ),
  }
}

function measurePart(trades: Trades, isIn: (i: number) => boolean): TradeMetrics {
  const measured = measureTrades({
    net_pnl: trades.net_pnl.filter((_, i) => isIn(i)),
    bars_held: trades.bars_held.filter((_, i) => isIn(i)),
    ambiguous: trades.ambiguous.filter((_, i) => isIn(i)),
  })
  const values = Object.entries(measured).map(([name, value]) => [
    name,
    typeof value === 'number' && Number.isFinite(value) ? value : null,
  ])
  return Object.fromEntries(values)
}

function measureQuality(pnl: Float64Array): Measured {
  if (pnl.length < 2) return because('fewer than two trades')
  const deviation = standardDeviation(pnl)
  return deviation < negligible
    ? because('the trades do not vary')
    : (Math.sqrt(pnl.length) * mean(pnl)) / deviation
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
