import type { components } from '../openapi.gen.ts'
import type { BacktestingParams } from './backtesting.ts'
import { countSimulationChildren, planSimulations } from './monte-carlo-plan.ts'
import type { Params } from './operation.ts'
import { prepareResearch, refusedField } from './research-prepare.ts'
import { reportOf } from './research-report.ts'
import type { FanOutSpec, Prepared, Rooms } from './spec.ts'
import type { VariedBacktest } from './trial-batch.ts'

type Requested = Readonly<components['schemas']['MonteCarloParams']>
/** As the validator hands them on: defaults filled in. */
export type MonteCarloParams = Required<Omit<Requested, 'backtest'>> & {
  readonly backtest: BacktestingParams
}
/** What runs. */
export type EffectiveMonteCarloParams = Omit<MonteCarloParams, 'backtest'> & {
  readonly backtest: VariedBacktest
}
export type MonteCarloResult = Readonly<components['schemas']['MonteCarloResult']>

const MINUTE_MS = 60_000

/** Asks how much of a result is luck: other orders of its trades, other histories of its market, other costs. */
export const monteCarloSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Shuffles the trades of a backtest, runs it on resampled bars, and with other costs.',
  timeoutMs: 24 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
  plan: (params, ended) => planSimulations(params as EffectiveMonteCarloParams, ended),
  children: params => countSimulationChildren(params as EffectiveMonteCarloParams),
  reduce: children => reportOf(children, 'monte_carlo'),
  adoptsArtifacts: true,
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as MonteCarloParams
  if (params.trade_simulations + params.bar_simulations + params.cost_factors.length === 0)
    throw refusedField('trade_simulations', 'range', 'nothing is asked for: all simulations are 0')
  const {
    backtest,
    base: _base,
    yaml: _yaml,
    warnings,
    ...pins
  } = await prepareResearch(params.backtest, rooms)
  const effective: EffectiveMonteCarloParams = { ...params, backtest }
  return {
    params: effective,
    warnings: [...warnings, ...remarkOnHistories(effective)],
    ...pins,
    steps: { total: countSimulationChildren(effective), unit: 'child' },
    seed: params.seed,
  }
}

/** What other histories leave out of the backtest. */
function remarkOnHistories({ backtest, bar_simulations }: EffectiveMonteCarloParams): string[] {
  if (bar_simulations === 0) return []
  const { intrabar_timeframe: finer, intrabar } = backtest.engine
  const remarks: string[] = []
  if (finer !== undefined)
    remarks.push(`Other histories have no bars of ${finer}: intrabar '${intrabar}' holds in them.`)
  if (backtest.symbols.length > 1)
    remarks.push(
      'In other histories symbols move together as they did only where they have equally many bars in the range.',
    )
  return remarks
}
