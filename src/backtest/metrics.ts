import type { Bars } from '../market/bars.ts'
import {
  dayMs,
  type ReturnFrequency,
  returnFrequency,
  returnPeriodsPerYear,
  type Timeframe,
} from '../market/timeframe.ts'
import type { BacktestConfig } from './backtest-config.ts'
import type { BacktestRun } from './engine.ts'
import { type MetricName, metricNames } from './metric-definitions.ts'
import { equityReturns, mean, standardDeviation } from './returns.ts'
import { because, type Measured, measureTrades, negligible } from './trade-metrics.ts'

/** What a run was made with. */
export type RunContext = {
  readonly bars: Bars
  readonly timeframe: Timeframe
  readonly config: BacktestConfig
  /** Index of the first bar a decision could be made on, from the signals; bars before `run.from` do not count. */
  readonly firstUsableBar: number
}

/** Metrics of a run. A metric without a value is null and says why; no value is ever infinite or NaN. */
export type Metrics = {
  readonly values: Readonly<Record<MetricName, number | null>>
  readonly undefined_reasons: Readonly<Partial<Record<MetricName, string>>>
  readonly return_frequency: ReturnFrequency
  /** Why `periods_per_year` is what it is. */
  readonly periods_basis: string
}

/** Measures a run by the table of definitions. */
export function computeMetrics(run: BacktestRun, context: RunContext): Metrics {
  const range = context.bars.time.subarray(run.from)
  const periods = returnPeriodsPerYear(range, context.timeframe)
  const measured: Record<MetricName, Measured> = {
    ...measureEquity(run, context),
    ...measureReturns(run, context, periods.periods_per_year),
    ...measureTrades(run.trades),
    commission_total: run.commission_total,
    slippage_total: run.slippage_total,
    buy_and_hold_return_fraction: measureBuyAndHold(run, context),
    periods_per_year: periods.periods_per_year,
  }
  const values: Partial<Record<MetricName, number | null>> = {}
  const reasons: Partial<Record<MetricName, string>> = {}
  for (const name of metricNames) {
    const value = measured[name]
    values[name] = typeof value === 'number' && Number.isFinite(value) ? value : null
    if (typeof value !== 'number') reasons[name] = value.undefined
    else if (!Number.isFinite(value)) reasons[name] = 'the value is too large to be a number'
  }
  return {
    values: values as Record<MetricName, number | null>,
    undefined_reasons: reasons,
    return_frequency: returnFrequency(context.timeframe),
    periods_basis: periods.basis,
  }
}

function measureEquity(run: BacktestRun, { bars, config }: RunContext) {
  const { equity } = run
  const final = equity.equity[equity.length - 1] as number
  const growth = final / config.initial_capital
  const startMs = bars.time[run.from] as number
  const years = ((equity.time[equity.length - 1] as number) - startMs) / (365.25 * dayMs)
  const cagr = growth > 0 ? growth ** (1 / years) - 1 : null
  const drawdown = equity.drawdown_fraction.reduce((most, fraction) => Math.max(most, fraction), 0)
  return {
    final_equity: final,
    total_return_fraction: growth - 1,
    cagr_fraction: cagr ?? because(ruined),
    max_drawdown_fraction: drawdown,
    max_drawdown_duration_days: longestDrawdownMs(run, startMs) / dayMs,
    calmar: measureCalmar(cagr, drawdown),
    exposure_fraction: run.exposed_bars / equity.length,
  }
}

function measureCalmar(cagr: number | null, drawdown: number): Measured {
  if (cagr === null) return because(ruined)
  return drawdown < negligible ? because('the equity never fell') : cagr / drawdown
}

function longestDrawdownMs({ equity }: BacktestRun, startMs: number): number {
  let peakMs = startMs
  let isUnderWater = false
  let longestMs = 0
  for (let i = 0; i < equity.length; i++) {
    const timeMs = equity.time[i] as number
    const isBelow = (equity.drawdown_fraction[i] as number) > 0
    if (isBelow || isUnderWater) longestMs = Math.max(longestMs, timeMs - peakMs)
    if (!isBelow) peakMs = timeMs
    isUnderWater = isBelow
  }
  return longestMs
}

function measureReturns(run: BacktestRun, { config, timeframe }: RunContext, periodsPerYear: number) {
  const returns = equityReturns(run.equity, config.initial_capital, timeframe)
  if (returns === null) return sameReason(ruined)
  if (returns.length < 2) return sameReason(`fewer than two ${returnFrequency(timeframe)} returns`)
  const annual = Math.sqrt(periodsPerYear)
  const average = mean(returns)
  const deviation = standardDeviation(returns)
  const downside = Math.sqrt(mean(returns.map(value => Math.min(value, 0) ** 2)))
  return {
    annual_volatility_fraction: deviation * annual,
    sharpe:
      deviation < negligible ? because('the equity returns do not vary') : (average / deviation) * annual,
    sortino: downside < negligible ? because('no equity return is negative') : (average / downside) * annual,
  }
}

function sameReason(reason: string) {
  return { annual_volatility_fraction: because(reason), sharpe: because(reason), sortino: because(reason) }
}

function measureBuyAndHold(run: BacktestRun, { bars, firstUsableBar }: RunContext): Measured {
  const first = Math.max(run.from, firstUsableBar)
  if (first >= bars.length) return because('no bar of the range is past the warm-up')
  return (bars.close[bars.length - 1] as number) / (bars.close[first] as number) - 1
}

const ruined = 'the equity fell to zero or below'
