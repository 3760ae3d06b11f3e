import type { ResearchReportParams, ResearchReportResult } from '../src/operations/research-report.ts'
import { defineWorker } from './harness.ts'
import { reportOnSimulations } from './research-monte-carlo.ts'
import { reportOnSweep } from './research-sweep.ts'
import { reportOnWalk } from './research-walk-forward.ts'

export default defineWorker('research_report', (params: ResearchReportParams, ctx): ResearchReportResult => {
  const { parts } = params
  if ('sweep' in params) return { sweep: reportOnSweep(params.sweep, parts, ctx) }
  if ('walk_forward' in params) return { walk_forward: reportOnWalk(params.walk_forward, parts, ctx) }
  return { monte_carlo: reportOnSimulations(params.monte_carlo, parts, ctx) }
})
