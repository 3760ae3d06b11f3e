import type { components } from '../openapi.gen.ts'
import { requireCompleted } from './children.ts'
import type { EffectiveMonteCarloParams } from './monte-carlo.ts'
import { type ChildEnd, type ChildPlan, selfContained, type WorkerSpec } from './spec.ts'
import type { EffectiveSweepParams } from './sweep.ts'
import type { TrialBatchResult } from './trial-batch.ts'
import type { EffectiveWalkForwardParams } from './walk-forward.ts'

type Requested = Readonly<components['schemas']['ResearchReportParams']>
/** What is reported on: exactly one of the operations that are made of trial batches. */
export type ResearchSubject =
  | { readonly sweep: EffectiveSweepParams }
  | { readonly walk_forward: EffectiveWalkForwardParams }
  | { readonly monte_carlo: EffectiveMonteCarloParams }
export type ResearchReportParams = Pick<Requested, 'parts'> & ResearchSubject
export type ResearchReportResult = Readonly<components['schemas']['ResearchReportResult']>

const MINUTE_MS = 60_000

/** Puts together what trial batches measured. */
export const researchReportSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Puts together what trial batches measured; only ever a child.',
  internal: true,
  worker: 'research-report.ts',
  resumable: false,
  timeoutMs: 2 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare: async params => selfContained(params, null),
}

/** The child that reports on trial batches that have ended. */
export function planReport(subject: ResearchSubject, batches: readonly ChildEnd[]): ChildPlan {
  const parts = batches.map(({ operation_id, attempt, result }) => ({
    stage: (result as TrialBatchResult | null)?.stage ?? 'search',
    operation_id,
    attempt,
  }))
  return { type: 'research_report', params: { ...subject, parts } }
}

/** What the report found. @throws {Problem} 'child-failed' */
export function reportOf<Subject extends keyof ResearchReportResult>(
  children: readonly ChildEnd[],
  subject: Subject,
): NonNullable<ResearchReportResult[Subject]> {
  requireCompleted(children)
  const result = children.at(-1)?.result as ResearchReportResult | null | undefined
  const report = result?.[subject]
  if (report == null) throw new Error(`the last child has no report on the ${subject}`)
  return report
}
