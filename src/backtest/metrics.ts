import {
  dayMs,
  type Periods,
  type ReturnFrequency,
  returnFrequency,
  returnPeriodsPerYear,
  type Timeframe,
} from '../market/timeframe.ts'
import { mean, negligible } from '../statistics/moments.ts'
import type { BacktestConfig } from './backtest-config.ts'
import { type MeasuredMarket, valueBuyAndHold } from './benchmark.ts'
import { type DrawdownTotals, measureDrawdowns } from './drawdowns.ts'
import type { BacktestRun } from './engine.ts'
import { because, type Measured } from './measured.ts'
import { type MetricName, metricNames } from './metric-definitions.ts'
import { periodEnds } from './periods.ts'
import {
  type MeasuredReturns,
  measureAgainst,
  measureReturns,
  withoutBenchmark,
  withoutReturns,
} from './return-metrics.ts'
import { equityReturns, returnsBetween } from './returns.ts'
import { measureTrades } from './trade-metrics.ts'

/** What a run was made with. */
export type RunContext = {
  /** In the order they were traded in. */
  readonly markets: readonly [MeasuredMarket, ...MeasuredMarket[]]
  readonly timeframe: Timeframe
  readonly config: BacktestConfig
  /** `periodsOf` these markets, for many runs on the same bars; worked out here when left out. */
  readonly periods?: Periods
}

/** Metrics of a run. A metric without a value is null and says why; no value is ever infinite or NaN. */
export type Metrics = {
  readonly values: Readonly<Record<MetricName, number | null>>
  readonly undefined_reasons: Readonly<Partial<Record<MetricName, string>>>
  readonly return_frequency: ReturnFrequency
  /** Why `periods_per_year` is what it is. */
  readonly periods_basis: string
}

/** How much to measure. */
export type MetricsPlan = {
  /** Seed of the bootstrap of the Sharpe ratio; null leaves its confidence interval undefined, which is much faster. */
  readonly intervalSeed: number | null
}

/**
 * Returns of the equity in a year, by the bars of the markets in their ranges: of several, that of the one with the most,
 * and of equals that of the first by name. One market that is open at weekends makes a return of every day. Reads every bar.
 */
export function periodsOf({ markets, timeframe }: Omit<RunContext, 'config'>): Periods {
  const ofMarket = ({ bars, from }: MeasuredMarket) =>
    returnPeriodsPerYear(bars.time.subarray(from), timeframe)
  const [first, ...others] = [...markets].sort((one, other) => (one.symbol < other.symbol ? -1 : 1))
  if (first === undefined) return ofMarket(markets[0])
  return others.map(ofMarket).reduce((most, periods) => {
    return periods.periods_per_year > most.periods_per_year ? periods : most
  }, ofMarket(first))
}

/** Open of the first bar of the range, of any market. */
export function startOf({ markets }: Pick<RunContext, 'markets'>): number {
  let startMs = Number.POSITIVE_INFINITY
  for (const { bars, from } of markets)
    if (from < bars.length) startMs = Math.min(startMs, bars.time[from] as number)
  return startMs
}

/** Years of 365.25 days from `startMs` to the last close. */
export function yearsOf({ equity }: BacktestRun, startMs: number): number {
  return ((equity.time[equity.length - 1] as number) - startMs) / (365.25 * dayMs)
}

/** The returns of a run that the ratios are made of; null when the equity was zero or below: there are none from that. */
export function returnsOf(run: BacktestRun, { timeframe, config }: RunContext): Float64Array | null {
  for (let i = 0; i < run.equity.length; i++) if (!((run.equity.equity[i] as number) > 0)) return null
  return equityReturns(run.equity, config.initial_capital, periodEnds(run.equity, timeframe))
}

/**
 * Measures a run by the table of definitions: one pass over the equity, the rest per return and per trade. Columns of the
 * curve that are made when they are first read are not read.
 */
export function computeMetrics(
  run: BacktestRun,
  context: RunContext,
  plan: MetricsPlan = { intervalSeed: null },
): Metrics {
  const periods = context.periods ?? periodsOf(context)
  const { timeframe, config } = context
  const ends = periodEnds(run.equity, timeframe)
  const start = { timeMs: startOf(context), equity: config.initial_capital }
  const drawdowns = measureDrawdowns(run.equity, start)
  const measured: Record<MetricName, Measured> = {
    ...measureEquity(run, { drawdowns, start, ends }),
    ...measureSides(run),
    ...measureRatios(run, context, { ends, drawdowns, periodsPerYear: periods.periods_per_year, plan }),
    ...measureTrades(run.trades),
    commission_total: run.commission_total,
    spread_total: run.spread_total,
    slippage_total: run.slippage_total,
    borrow_total: run.borrow_total,
    funding_total: run.funding_total,
    periods_per_year: periods.periods_per_year,
  }
  return {
    ...separateReasons(measured),
    return_frequency: returnFrequency(timeframe),
    periods_basis: periods.basis,
  }
}

function separateReasons(measured: Record<MetricName, Measured>) {
  const values: Partial<Record<MetricName, number | null>> = {}
  const reasons: Partial<Record<MetricName, string>> = {}
  for (const name of metricNames) {
    const value = measured[name]
    values[name] = typeof value === 'number' && Number.isFinite(value) ? value : null
    if (typeof value !== 'number') reasons[name] = value.undefined
    else if (!Number.isFinite(value)) reasons[name] = 'the value is too large to be a number'
  }
  return { values: values as Record<MetricName, number | null>, undefined_reasons: reasons }
}

type Passes = {
  readonly drawdowns: DrawdownTotals
  readonly start: { readonly timeMs: number; readonly equity: number }
  readonly ends: Int32Array
}

function measureEquity(run: BacktestRun, { drawdowns, start, ends }: Passes) {
  const { equity } = run
  const final = equity.equity[equity.length - 1] as number
  const growth = final / start.equity
  const years = yearsOf(run, start.timeMs)
  const cagr = growth > 0 ? growth ** (1 / years) - 1 : null
  const deepest = drawdowns.deepest_fraction
  const never = because('the equity never fell')
  const average = mean(Float64Array.from(ends, end => equity.equity[end] as number))
  return {
    final_equity: final,
    total_return_fraction: growth - 1,
    cagr_fraction: cagr ?? because(ruined),
    max_drawdown_fraction: deepest,
    max_drawdown_duration_days: drawdowns.longest_ms / dayMs,
    avg_drawdown_fraction: drawdowns.mean_fraction,
    avg_drawdown_duration_days: drawdowns.mean_ms / dayMs,
    calmar: cagr === null ? because(ruined) : deepest < negligible ? never : cagr / deepest,
    recovery_factor: deepest < negligible ? never : (growth - 1) / deepest,
    annual_turnover: average > 0 ? tradedValue(run) / average / years : because(ruined),
  }
}

function measureSides({ equity, exposed_bars, trades, open_trades }: BacktestRun) {
  const { length, side, bars_held } = trades
  let long = 0
  let short = 0
  for (let i = 0; i < length; i++) {
    if (side[i] === 'long') long += bars_held[i] as number
    else short += bars_held[i] as number
  }
  for (const open of open_trades) {
    if (open.side === 'long') long += open.bars_held
    else short += open.bars_held
  }
  return {
    exposure_fraction: exposed_bars / equity.length,
    long_time_fraction: long / equity.length,
    short_time_fraction: short / equity.length,
  }
}

function tradedValue({ trades, open_trades }: BacktestRun): number {
  const { length, units, entry_price, exit_price } = trades
  let value = 0
  for (let i = 0; i < length; i++)
    value += (units[i] as number) * ((entry_price[i] as number) + (exit_price[i] as number))
  for (const open of open_trades) value += open.units * open.entry_price
  return value
}

type RatioPlan = {
  readonly ends: Int32Array
  readonly drawdowns: DrawdownTotals
  readonly periodsPerYear: number
  readonly plan: MetricsPlan
}

function measureRatios(run: BacktestRun, context: RunContext, given: RatioPlan) {
  const { ends, drawdowns, periodsPerYear, plan } = given
  const values = valueBuyAndHold(context.markets, run.equity, ends)
  const held = values === null ? null : (values[values.length - 1] as number) - 1
  const measured: MeasuredReturns = {
    returns: equityReturns(run.equity, context.config.initial_capital, ends),
    periodsPerYear,
    intervalSeed: plan.intervalSeed,
  }
  const none = drawdowns.ruined
    ? ruined
    : ends.length < 2
      ? `fewer than two ${returnFrequency(context.timeframe)} returns`
      : null
  const beside =
    none !== null || values === null
      ? withoutBenchmark(none ?? unusable)
      : measureAgainst(returnsOfValues(values), measured)
  return {
    ...(none === null ? measureReturns(measured) : withoutReturns(none)),
    ...beside,
    buy_and_hold_return_fraction: held ?? because(unusable),
  }
}

/** Returns from value to value, the first one from 1. */
function returnsOfValues(values: Float64Array): Float64Array {
  return returnsBetween(
    values,
    1,
    Int32Array.from(values, (_, i) => i),
  )
}

const ruined = 'the equity fell to zero or below'
const unusable = 'no bar of the range is past the warm-up'
