import { formatTime } from '../market/bars.ts'
import { dayMs, type ReturnFrequency } from '../market/timeframe.ts'
import { type BenchmarkSummary, summariseBenchmark } from './benchmark-summary.ts'
import { type Drawdown, worstDrawdowns } from './drawdowns.ts'
import type { BacktestRun } from './engine.ts'
import type { MetricName } from './metric-definitions.ts'
import { computeMetrics, periodsOf, startOf } from './metrics.ts'
import { monthlyReturns, type YearOfReturns } from './monthly-returns.ts'
import type { OpenTrade } from './open-trade.ts'
import { periodEnds } from './periods.ts'
import { splitTrades, type TradeSplits } from './trade-splits.ts'
import { findWarnings, type WarningContext } from './warnings.ts'

/** What a run was made with, and what is known of its data. */
export type SummaryContext = WarningContext & {
  /** Of the bootstrap of the Sharpe ratio. */
  readonly seed: number
}

/** A drawdown, its times in RFC 3339 UTC. */
export type DrawdownRow = {
  readonly start: string
  readonly trough: string
  readonly recovered: string | null
  readonly depth_fraction: number
  readonly days: number
}

/** A run in a few numbers, ready for JSON. */
export type BacktestSummary = {
  /** What a reader should know before trusting the numbers. */
  readonly warnings: readonly string[]
  /** Points of the curve: moments of the requested range at which a bar closed. */
  readonly bars: number
  /** RFC 3339 UTC: open of the first bar and close of the last. */
  readonly start: string
  readonly end: string
  readonly metrics: Readonly<Record<MetricName, number | null>>
  /** Why a metric is null, for those that are. */
  readonly undefined_reasons: Readonly<Partial<Record<MetricName, string>>>
  readonly splits: TradeSplits
  readonly monthly_returns: YearOfReturns[]
  /** Deepest first, at most 10. */
  readonly worst_drawdowns: DrawdownRow[]
  readonly benchmark: BenchmarkSummary | null
  readonly return_frequency: ReturnFrequency
  readonly periods_basis: string
  readonly unfilled_signals: number
  readonly rejected_orders: number
  readonly ruined: boolean
  readonly liquidations: number
  /** `entry_time` is RFC 3339 UTC. */
  readonly open_trades: (Omit<OpenTrade, 'entry_time'> & { readonly entry_time: string })[]
}

const worstCount = 10

/** Measures a run and says what to be careful about. */
export function summarise(run: BacktestRun, given: SummaryContext): BacktestSummary {
  const periods = given.periods ?? periodsOf(given)
  const context = { ...given, periods, periodsPerYear: periods.periods_per_year }
  const { values, undefined_reasons, return_frequency, periods_basis } = computeMetrics(run, context, {
    intervalSeed: context.seed,
  })
  const { equity } = run
  const start = { timeMs: startOf(context), equity: context.config.initial_capital }
  return {
    warnings: findWarnings(run, context),
    bars: equity.length,
    start: formatTime(start.timeMs),
    end: formatTime(equity.time[equity.length - 1] as number),
    metrics: values,
    undefined_reasons,
    splits: splitTrades(
      run.trades,
      context.markets.map(({ symbol }) => symbol),
    ),
    monthly_returns: monthlyReturns(equity, start.equity, periodEnds(equity, context.timeframe)),
    worst_drawdowns: worstDrawdowns(equity, start, worstCount).map(formatDrawdown),
    benchmark: summariseBenchmark(run, context),
    return_frequency,
    periods_basis,
    unfilled_signals: run.unfilled_signals,
    rejected_orders: run.rejected_orders,
    ruined: run.ruined,
    liquidations: run.liquidations,
    open_trades: run.open_trades.map(trade => ({ ...trade, entry_time: formatTime(trade.entry_time) })),
  }
}

function formatDrawdown({ start, trough, recovered, depth_fraction, duration_ms }: Drawdown): DrawdownRow {
  return {
    start: formatTime(start),
    trough: formatTime(trough),
    recovered: recovered === null ? null : formatTime(recovered),
    depth_fraction,
    days: duration_ms / dayMs,
  }
}
