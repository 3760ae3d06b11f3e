import { simulationsTable } from '../src/archive/simulation-tables.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import { readChildTable, readTradeProfits, readTrialRows } from '../src/archive/trial-tables.ts'
import type { EffectiveMonteCarloParams, MonteCarloResult } from '../src/operations/monte-carlo.ts'
import { describeSimulation } from '../src/operations/monte-carlo-plan.ts'
import { reportSimulations } from '../src/operations/monte-carlo-report.ts'
import type { ResearchReportParams } from '../src/operations/research-report.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import type { WorkerContext } from './harness.ts'

/** Puts the runs of a simulation together, and shuffles the trades. */
export function reportOnSimulations(
  params: EffectiveMonteCarloParams,
  parts: ResearchReportParams['parts'],
  ctx: WorkerContext,
): MonteCarloResult {
  const { home } = ctx.server
  const { strategy } = parseStrategy(readSnapshot(home, ctx.provenance.strategy_sha256 ?? ''))
  const rows = parts.flatMap((part, i) => {
    ctx.checkCancelled()
    ctx.progress(i, parts.length, 'reading runs', 'batch')
    return readTrialRows(readChildTable(home, part, 'trials'))
  })
  const [first] = parts
  if (first === undefined) throw new Error('there are no runs')
  const pnl = readTradeProfits(readChildTable(home, first, 'trade_profits'), 0)
  const result = reportSimulations(params, { strategyName: strategy.name, rows, pnl }, done => {
    ctx.checkCancelled()
    ctx.progress(done, params.trade_simulations, 'shuffling trades', 'run')
  })
  ctx.artifacts.table(
    'simulations',
    simulationsTable(rows.map(row => ({ ...row, ...describeSimulation(row.index, params) }))),
  )
  return result
}
