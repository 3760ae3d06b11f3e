import { readSnapshot } from '../src/archive/strategies.ts'
import { heatmapsTable, sweepCurvesTable, sweepTrialsTable } from '../src/archive/sweep-tables.ts'
import { readBlocks, readChildTable, readCurves, readTrialRows } from '../src/archive/trial-tables.ts'
import type { ResearchReportParams } from '../src/operations/research-report.ts'
import type { EffectiveSweepParams, SweepResult } from '../src/operations/sweep.ts'
import { spaceOf } from '../src/operations/sweep-plan.ts'
import { reportSweep, type SweepMeasured, scoreRow } from '../src/operations/sweep-report.ts'
import { buildHeatmaps } from '../src/search/heatmap.ts'
import { writeValues } from '../src/search/winner-text.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import type { WorkerContext } from './harness.ts'

type Parts = ResearchReportParams['parts']

/** Puts the trials of a sweep together. */
export function reportOnSweep(params: EffectiveSweepParams, parts: Parts, ctx: WorkerContext): SweepResult {
  const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
  const { strategy } = parseStrategy(yaml)
  const measured = { strategyName: strategy.name, ...readMeasured(params, parts, ctx) }
  const result = reportSweep(params, measured, (done, total) => {
    ctx.checkCancelled()
    ctx.progress(done, total, 'looking for overfitting', 'trial')
  })
  const { trials, curves } = measured
  const paths = params.space.map(({ path }) => path)
  ctx.artifacts.table('trials', sweepTrialsTable(paths, trials))
  if (curves !== null)
    ctx.artifacts.table(
      'curves',
      sweepCurvesTable(curves, variant => variant >= result.top.length),
    )
  ctx.artifacts.table('heatmaps', heatmapsTable(buildHeatmaps(spaceOf(params), trials), params.objective))
  if (result.winner !== null) {
    const text = writeValues(yaml, result.winner.values)
    ctx.artifacts.file('winner.yaml', Buffer.from(text), 'application/yaml')
  }
  return result
}

/** What the batches left in their artifacts. */
function readMeasured(
  params: EffectiveSweepParams,
  parts: Parts,
  ctx: WorkerContext,
): Omit<SweepMeasured, 'strategyName'> {
  const { home } = ctx.server
  const search = parts.filter(({ stage }) => stage === 'search')
  const [finalists] = parts.filter(({ stage }) => stage === 'finalists')
  const read = search.map((part, i) => {
    ctx.checkCancelled()
    ctx.progress(i, search.length, 'reading trials', 'batch')
    return {
      rows: readTrialRows(readChildTable(home, part, 'trials')),
      blocks: readBlocks(readChildTable(home, part, 'blocks')),
    }
  })
  const rows = read.flatMap(part => part.rows)
  return {
    trials: rows.map(row => scoreRow(row, params)),
    blocks: read.flatMap(part => part.blocks),
    finalists: finalists === undefined ? [] : readTrialRows(readChildTable(home, finalists, 'trials')),
    curves: finalists === undefined ? null : readCurves(readChildTable(home, finalists, 'curves')),
  }
}
