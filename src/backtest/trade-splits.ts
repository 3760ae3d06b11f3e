import type { Measured } from './measured.ts'
import type { TradeMetricName } from './trade-metric-definitions.ts'
import { measureTrades } from './trade-metrics.ts'
import { type ExitReason, exitReasons, type Side, type Trades } from './trades.ts'

/** Metrics of some of the trades; null where one is not defined. */
export type TradeMetrics = Readonly<Record<TradeMetricName, number | null>>

/** The closed trades told apart, each group measured as all of them are. */
export type TradeSplits = {
  readonly side: Readonly<Record<Side, TradeMetrics>>
  /** Every symbol of the run, those without trades too. */
  readonly symbol: Readonly<Record<string, TradeMetrics>>
  /** Reasons that ended no trade are left out. */
  readonly exit_reason: Readonly<Partial<Record<ExitReason, TradeMetrics>>>
}

/** Splits the trades by side, by symbol and by exit reason. @param symbols of the run */
export function splitTrades(trades: Trades, symbols: readonly string[]): TradeSplits {
  const part = (isIn: (i: number) => boolean) => withoutReasons(measureTrades(trades, isIn))
  const reasons = exitReasons.filter(reason => trades.exit_reason.includes(reason))
  return {
    side: {
      long: part(i => trades.side[i] === 'long'),
      short: part(i => trades.side[i] === 'short'),
    },
    symbol: Object.fromEntries(symbols.map(symbol => [symbol, part(i => trades.symbol[i] === symbol)])),
    exit_reason: Object.fromEntries(
      reasons.map(reason => [reason, part(i => trades.exit_reason[i] === reason)]),
    ),
  }
}

function withoutReasons(measured: Record<TradeMetricName, Measured>): TradeMetrics {
  const values = Object.entries(measured).map(([name, value]) => [
    name,
    typeof value === 'number' && Number.isFinite(value) ? value : null,
  ])
  return Object.fromEntries(values)
}
