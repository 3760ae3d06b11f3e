import type { components } from '../openapi.gen.ts'
import { requireCompleted } from './children.ts'
import type { EffectiveLookaheadParams } from './lookahead-analysis.ts'
import { analysedDatasets } from './lookahead-run.ts'
import { type ChildEnd, type ChildPlan, selfContained, type WorkerSpec } from './spec.ts'
import type { EffectiveWarmupParams } from './warmup-analysis.ts'

type Requested = Readonly<components['schemas']['LookaheadBatchParams']>
/** What is to be analysed: exactly one of the two, without the text of the strategy, which is pinned. */
export type BatchAnalysis =
  | { readonly lookahead: EffectiveLookaheadParams; readonly warmup?: never }
  | { readonly warmup: EffectiveWarmupParams; readonly lookahead?: never }
export type LookaheadBatchParams = Pick<Requested, 'from' | 'to' | 'parts'> & BatchAnalysis
export type LookaheadBatchResult = Readonly<components['schemas']['LookaheadBatchResult']>

/** The artifact in which a part leaves what it measured. */
export const measuredFile = 'measured.json'

const MINUTE_MS = 60_000

/** Measures some cuts or lengths, or puts together what others measured. */
export const lookaheadBatchSpec: WorkerSpec = {
  kind: 'worker',
  description: 'A part of a lookahead_analysis or warmup_analysis; only ever their child.',
  internal: true,
  worker: 'lookahead-batch.ts',
  resumable: true,
  timeoutMs: 6 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  sharesBars: (params, sha256s) => {
    const batch = params as LookaheadBatchParams
    return batch.parts.length > 0 ? [] : analysedDatasets(batch.lookahead ?? batch.warmup, sha256s)
  },
  prepare: async params => selfContained(params, null),
}

/**
 * Parts of equal size, and behind them, once they have ended, the one that puts them together.
 * @param count cuts or lengths in all  @param size of them in each part
 */
export function planBatches(
  analysis: BatchAnalysis,
  { count, size }: { readonly count: number; readonly size: number },
  ended: readonly ChildEnd[],
): readonly ChildPlan[] {
  const plan = (part: Pick<LookaheadBatchParams, 'from' | 'to' | 'parts'>): ChildPlan => ({
    type: 'lookahead_batch',
    params: { ...analysis, ...part },
  })
  const plans: ChildPlan[] = []
  for (let from = 0; from < count; from += size)
    plans.push(plan({ from, to: Math.min(count, from + size), parts: [] }))
  if (ended.length < plans.length) return plans
  const parts = ended.slice(0, plans.length).map(({ operation_id, attempt }) => ({ operation_id, attempt }))
  return [...plans, plan({ from: 0, to: count, parts })]
}

/** What the part that put the others together found. @throws {Problem} 'child-failed' */
export function summaryOf<Analysis extends 'lookahead' | 'warmup'>(
  children: readonly ChildEnd[],
  analysis: Analysis,
): NonNullable<LookaheadBatchResult[Analysis]> {
  requireCompleted(children)
  const result = children.at(-1)?.result as LookaheadBatchResult | null | undefined
  const summary = result?.[analysis]
  if (summary == null) throw new Error(`the last part of the analysis has no ${analysis} summary`)
  return summary
}
