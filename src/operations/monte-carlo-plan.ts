import type { EffectiveMonteCarloParams } from './monte-carlo.ts'
import { planReport } from './research-report.ts'
import type { ChildEnd, ChildPlan } from './spec.ts'
import { cutTrials, planBatch, type TrialVariant } from './trial-batch.ts'

/** Other histories of a batch. */
const historyBatch = 25

/** What a variant of a simulation is. */
export type SimulationKind = 'base' | 'costs' | 'bars'

/** The children: the backtest itself with its variants of cost, batches of other histories, and the report. */
export function planSimulations(
  params: EffectiveMonteCarloParams,
  ended: readonly ChildEnd[],
): readonly ChildPlan[] {
  const { bar_simulations, block_bars, cost_factors, seed } = params
  const base: TrialVariant[] = [
    { index: 0, values: {} },
    ...cost_factors.map((factor, i) => ({
      index: 1 + i,
      values: {},
      stress: { commission: factor, spread: factor, slippage: factor },
    })),
  ]
  const histories = Array.from({ length: bar_simulations }, (_, stream) => ({
    index: base.length + stream,
    values: {},
    bootstrap: { seed, stream, block_bars },
  }))
  const plans = [
    batch(params, base, true),
    ...cutTrials(histories, historyBatch).map(some => batch(params, some, false)),
  ]
  if (ended.length < plans.length) return plans
  return [...plans, planReport({ monte_carlo: params }, ended.slice(0, plans.length))]
}

/** How many children there will be in all. */
export function countSimulationChildren({ bar_simulations }: EffectiveMonteCarloParams): number {
  return 2 + Math.ceil(bar_simulations / historyBatch)
}

/** What the variant of this index is, and what its costs are multiplied by. */
export function describeSimulation(
  index: number,
  { cost_factors }: EffectiveMonteCarloParams,
): { readonly kind: SimulationKind; readonly cost_factor: number } {
  if (index === 0) return { kind: 'base', cost_factor: 1 }
  const factor = cost_factors[index - 1]
  return factor === undefined ? { kind: 'bars', cost_factor: 1 } : { kind: 'costs', cost_factor: factor }
}

function batch(
  { backtest }: EffectiveMonteCarloParams,
  variants: readonly TrialVariant[],
  curves: boolean,
): ChildPlan {
  // Nothing is searched: no best trials are asked for.
  const unscored = { objective: 'sharpe', minimum_trades: 0 } as const
  const stage = curves ? 'finalists' : 'search'
  return planBatch(unscored, { stage, backtest, variants, best: 0, curves })
}
