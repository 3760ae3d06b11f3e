import { mean, negligible, standardDeviation } from '../statistics/moments.ts'
import { valueBuyAndHold } from './benchmark.ts'
import { measureDrawdowns } from './drawdowns.ts'
import type { BacktestRun } from './engine.ts'
import { type RunContext, startOf, yearsOf } from './metrics.ts'
import { periodEnds } from './periods.ts'
import { returnsBetween } from './returns.ts'

/** Buying and holding in the same range, measured by the definitions of the metrics of these names. */
export type BenchmarkSummary = {
  /** Bought in equal amounts. */
  readonly symbols: string[]
  readonly total_return_fraction: number
  readonly cagr_fraction: number | null
  readonly annual_volatility_fraction: number | null
  readonly sharpe: number | null
  readonly max_drawdown_fraction: number
}

/**
 * Equal amounts of every symbol, bought at the close of the first bar a decision could be made on and held; cash until
 * then; no costs. Measured over the same bars, periods and years as the run.
 * @returns null when no symbol has a bar past the warm-up
 */
export function summariseBenchmark(
  run: BacktestRun,
  context: RunContext & { readonly periodsPerYear: number },
): BenchmarkSummary | null {
  const values = valueBuyAndHold(context.markets, run.equity)
  if (values === null) return null
  const last = values[values.length - 1] as number
  const returns = returnsBetween(values, 1, periodEnds(run.equity, context.timeframe))
  const deviation = standardDeviation(returns)
  const annual = Math.sqrt(context.periodsPerYear)
  const start = { timeMs: startOf(context), equity: 1 }
  const { time, length } = run.equity
  const totals = measureDrawdowns({ length, time, equity: values }, start)
  const held = context.markets.filter(
    ({ bars, from, firstUsableBar }) => Math.max(from, firstUsableBar) < bars.length,
  )
  return {
    symbols: held.map(({ symbol }) => symbol),
    total_return_fraction: last - 1,
    cagr_fraction: orNull(last ** (1 / yearsOf(run, start.timeMs)) - 1),
    annual_volatility_fraction: orNull(deviation * annual),
    sharpe: deviation >= negligible ? orNull((mean(returns) / deviation) * annual) : null,
    max_drawdown_fraction: totals.deepest_fraction,
  }
}

/** JSON has neither infinity nor NaN. */
function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
