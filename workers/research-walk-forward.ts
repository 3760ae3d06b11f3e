import { readSnapshot } from '../src/archive/strategies.ts'
import { readChildTable, readCurves, readTrialRows } from '../src/archive/trial-tables.ts'
import { walkCurveTable, walkTrialsTable, walkWindowsTable } from '../src/archive/walk-forward-tables.ts'
import type { ResearchReportParams } from '../src/operations/research-report.ts'
import type { EffectiveWalkForwardParams, WalkForwardResult } from '../src/operations/walk-forward.ts'
import { groupByWindow } from '../src/operations/walk-forward-plan.ts'
import { curveOfVariant, type MeasuredWindow, reportWalk } from '../src/operations/walk-forward-report.ts'
import { rankTrials, scoreOf } from '../src/search/objective.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import type { WorkerContext } from './harness.ts'

/** Puts the windows of a walk together. */
export function reportOnWalk(
  params: EffectiveWalkForwardParams,
  parts: ResearchReportParams['parts'],
  ctx: WorkerContext,
): WalkForwardResult {
  const { strategy } = parseStrategy(readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? ''))
  const windows = readWindows(params, parts, ctx)
  const { result, walked } = reportWalk(params, strategy.name, windows)
  const paths = params.space.map(({ path }) => path)
  ctx.artifacts.table('windows', walkWindowsTable(paths, result.windows))
  ctx.artifacts.table('trials', walkTrialsTable(paths, windows))
  ctx.artifacts.table('curves', walkCurveTable(walked))
  return result
}

/** What the batches left: those of the search window by window, then one with all tests. */
function readWindows(
  params: EffectiveWalkForwardParams,
  parts: ResearchReportParams['parts'],
  ctx: WorkerContext,
): readonly MeasuredWindow[] {
  const { home } = ctx.server
  const { objective: metric, minimum_trades } = params
  const search = parts.filter(({ stage }) => stage === 'search')
  const tests = parts.find(({ stage }) => stage === 'finalists')
  const rows = tests === undefined ? [] : readTrialRows(readChildTable(home, tests, 'trials'))
  const curves = tests === undefined ? null : readCurves(readChildTable(home, tests, 'curves'))
  let tested = 0
  return groupByWindow(params, search).map(({ fold, batches }, i) => {
    ctx.checkCancelled()
    ctx.progress(i, null, 'reading windows', 'window')
    const trials = batches
      .flatMap(part => readTrialRows(readChildTable(home, part, 'trials')))
      .map(row => ({
        ...row,
        score: row.metrics === null ? null : scoreOf(row.metrics, { metric, minimum_trades }),
      }))
    const [best] = rankTrials(trials)
    // Only windows with a best trial were tested, in their order.
    const row = best === undefined || best.score === null ? undefined : rows[tested++]
    if (row === undefined || row.metrics === null || curves === null) return { fold, trials, test: null }
    return { fold, trials, test: { row, curve: curveOfVariant(curves, row.variant) } }
  })
}
