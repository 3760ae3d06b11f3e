import { type MeasuredMarket, valueBuyAndHold } from '../backtest/benchmark.ts'
import type { BacktestRun } from '../backtest/engine.ts'
import { type MetricName, metricDefinitions, metricNames } from '../backtest/metric-definitions.ts'
import type { BacktestSummary } from '../backtest/summary.ts'
import type { TradeMetrics } from '../backtest/trade-splits.ts'
import type { Trades } from '../backtest/trades.ts'
import {
  maxListedTrades,
  type ReportInput,
  type ReportSplit,
  type ReportTrade,
} from '../report/report-input.ts'
import type { EffectiveBacktestingParams } from './backtesting.ts'

/** A run and what it was made with. */
export type ReportedRun = {
  readonly run: BacktestRun
  readonly summary: BacktestSummary
  readonly markets: readonly [MeasuredMarket, ...MeasuredMarket[]]
  readonly params: EffectiveBacktestingParams
  readonly strategyName: string
}

/** What is shown large. */
const headline: readonly MetricName[] = [
  ...(['final_equity', 'total_return_fraction', 'cagr_fraction', 'sharpe'] as const),
  ...(['max_drawdown_fraction', 'trades', 'win_rate_fraction', 'profit_factor'] as const),
]

/** What the artifact `report.html` shows: the numbers of the result and the tables, no others. */
export function reportOf(reported: ReportedRun): ReportInput {
  const { run, summary, markets, params, strategyName } = reported
  const { start, end, splits, monthly_returns, worst_drawdowns } = summary
  return {
    title: `${strategyName}: ${params.symbols.join(', ')} ${params.timeframe}`,
    facts: [
      ['Strategy', strategyName],
      ['Symbols', params.symbols.join(', ')],
      ['Timeframe', params.timeframe],
      ['Range', `${start} to ${end}`],
      ['Bars', String(summary.bars)],
      ['Periods per year', summary.periods_basis],
    ],
    warnings: summary.warnings,
    headline,
    metrics: metricNames.map(name => {
      const { unit, definition } = metricDefinitions[name]
      const reason = summary.undefined_reasons[name] ?? null
      return { name, unit, value: summary.metrics[name], definition, reason }
    }),
    curve: curveOf(reported),
    prices: markets.map(({ symbol, bars, from }) => ({
      symbol,
      time: bars.close_time.subarray(from),
      close: bars.close.subarray(from),
    })),
    trades: listTrades(run.trades),
    tradesTotal: run.trades.length,
    splits: [
      splitOf('Side', splits.side),
      splitOf('Symbol', splits.symbol),
      splitOf('Exit reason', splits.exit_reason),
    ],
    months: monthly_returns.map(({ year, months, year_return_fraction }) => ({
      ...{ year, months, total: year_return_fraction },
    })),
    drawdowns: worst_drawdowns.map(({ recovered, ...drawdown }) => ({ ...drawdown, end: recovered })),
    configuration: params,
  }
}

function curveOf({ run: { equity }, markets, params }: ReportedRun): ReportInput['curve'] {
  const { time, drawdown_fraction, exposure_fraction } = equity
  const held = (points: Int32Array) => valueBuyAndHold(markets, equity, points)
  const benchmark = (points: Int32Array) =>
    held(points)?.map(value => value * params.initial_capital) ?? new Float64Array(0)
  return {
    ...{ time, equity: equity.equity, drawdown_fraction, exposure_fraction },
    benchmark: held(Int32Array.of()) === null ? null : benchmark,
  }
}

/** The first trades, as many as a report lists. */
function listTrades(trades: Trades): ReportTrade[] {
  const { entry_time, entry_price, exit_time, exit_price, units, net_pnl, return_fraction } = trades
  return Array.from({ length: Math.min(trades.length, maxListedTrades) }, (_, i) => ({
    trade_id: i + 1,
    symbol: trades.symbol[i] as string,
    side: trades.side[i] as string,
    entry_time: entry_time[i] as number,
    entry_price: entry_price[i] as number,
    exit_time: exit_time[i] as number,
    exit_price: exit_price[i] as number,
    units: units[i] as number,
    net_pnl: net_pnl[i] as number,
    return_fraction: return_fraction[i] as number,
    exit_reason: trades.exit_reason[i] as string,
    ambiguous: trades.ambiguous[i] as boolean,
  }))
}

function splitOf(name: string, groups: Readonly<Partial<Record<string, TradeMetrics>>>): ReportSplit {
  return {
    name,
    groups: Object.entries(groups).flatMap(([name, measured]) => {
      if (measured === undefined) return []
      const { trades, win_rate_fraction, profit_factor, expectancy, net_pnl } = measured
      return [{ name, trades, win_rate_fraction, profit_factor, expectancy, net_pnl }]
    }),
  }
}
