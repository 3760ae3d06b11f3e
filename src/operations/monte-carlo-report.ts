import type { TrialRow } from '../archive/trial-tables.ts'
import type { MetricName } from '../backtest/metric-definitions.ts'
import { Problem } from '../problems.ts'
import { type Distribution, distributionOf, simulateTrades } from '../research/trade-shuffle.ts'
import type { EffectiveMonteCarloParams, MonteCarloResult } from './monte-carlo.ts'
import { describeSimulation, type SimulationKind } from './monte-carlo-plan.ts'

/** What the batches of a simulation left. */
export type Simulated = {
  readonly strategyName: string
  /** Every variant, in the order of their index. */
  readonly rows: readonly TrialRow[]
  /** Net P&L of the trades of the backtest itself, in the order of their exits. */
  readonly pnl: Float64Array
}

type Costs = MonteCarloResult['costs'][number]

/**
 * The result. @param checkpoint called often; it may throw to stop
 * @throws {Problem} 'bars-missing' when the backtest itself could not be run
 */
export function reportSimulations(
  params: EffectiveMonteCarloParams,
  { strategyName, rows, pnl }: Simulated,
  checkpoint: (done: number) => void,
): MonteCarloResult {
  const [itself] = rows
  const base = itself?.metrics ?? null
  if (base === null) throw new Problem('bars-missing', `the backtest cannot be run: ${itself?.invalid}`)
  const of = (kind: SimulationKind) =>
    rows.filter(({ index }) => describeSimulation(index, params).kind === kind)
  const costs = of('costs').map((row, i) => describeCosts(row, params.cost_factors[i] ?? 0))
  const { trade_simulations: runs, seed } = params
  const options = { initialCapital: params.backtest.initial_capital, runs, seed }
  const result: MonteCarloResult = {
    strategy_name: strategyName,
    base,
    trades: pnl.length === 0 || runs === 0 ? null : simulateTrades(pnl, options, checkpoint),
    bars: describeHistories(of('bars'), base.total_return_fraction),
    costs,
    break_even_cost_factor: breakEven(costs),
    warnings: [],
  }
  return { ...result, warnings: findWarnings(result, pnl.length) }
}

function describeCosts({ metrics }: TrialRow, factor: number): Costs {
  return {
    factor,
    total_return_fraction: metrics?.total_return_fraction ?? null,
    sharpe: metrics?.sharpe ?? null,
    max_drawdown_fraction: metrics?.max_drawdown_fraction ?? null,
    trades: metrics?.trades ?? null,
  }
}

function describeHistories(rows: readonly TrialRow[], baseReturn: number | null): MonteCarloResult['bars'] {
  const returns = valuesOf(rows, 'total_return_fraction')
  if (returns.length === 0) return null
  const share = (isMeant: (value: number) => boolean) => returns.filter(isMeant).length / returns.length
  return {
    runs: rows.length,
    total_return_fraction: distributionOf(returns),
    sharpe: distributionOrNull(valuesOf(rows, 'sharpe')),
    max_drawdown_fraction: distributionOrNull(valuesOf(rows, 'max_drawdown_fraction')),
    loss_probability_fraction: share(value => value < 0),
    as_good_probability_fraction: baseReturn === null ? null : share(value => value >= baseReturn),
  }
}

function valuesOf(rows: readonly TrialRow[], name: MetricName): Float64Array {
  return Float64Array.from(rows.map(({ metrics }) => metrics?.[name] ?? null).filter(value => value !== null))
}

function distributionOrNull(values: Float64Array): Distribution | null {
  return values.length === 0 ? null : distributionOf(values)
}

/** Where the return falls to 0, on the straight line between two factors; null when it does not on any. */
function breakEven(costs: readonly Costs[]): number | null {
  const known = costs
    .flatMap(({ factor, total_return_fraction: value }) => (value === null ? [] : [{ factor, value }]))
    .sort((a, b) => a.factor - b.factor)
  for (const [i, { factor, value }] of known.entries()) {
    const before = known[i - 1]
    if (before === undefined || before.value <= 0 || value > 0) continue
    return before.factor + ((factor - before.factor) * before.value) / (before.value - value)
  }
  return null
}

function findWarnings(
  { trades, bars, break_even_cost_factor: costs }: MonteCarloResult,
  count: number,
): string[] {
  const warnings: string[] = []
  if (count > 0 && count < 30) warnings.push(`There are only ${count} trades to shuffle: they say little.`)
  if (count === 0) warnings.push('There are no trades to shuffle.')
  if (trades !== null && trades.loss_probability_fraction > 0.1)
    warnings.push(
      `${percent(trades.loss_probability_fraction)} of as many trades drawn from the same ones end with a loss.`,
    )
  if (bars !== null && bars.loss_probability_fraction > 0.5)
    warnings.push(`On resampled bars ${percent(bars.loss_probability_fraction)} of the runs end with a loss.`)
  if (costs !== null && costs < 2)
    warnings.push(`Nothing is earned any more at ${costs.toFixed(2)} times the costs.`)
  return warnings
}

const percent = (fraction: number): string => `${Math.round(100 * fraction)} %`
