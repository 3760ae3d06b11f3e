import { createHash } from 'node:crypto'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import type { ChildEnd, ChildPlan, FanOutSpec, WorkerSpec } from './spec.ts'
import { selfContained } from './spec.ts'

export type ExerciseParams = Required<components['schemas']['ExerciseParams']>
type FanOutParams = { readonly children: number; readonly exercise?: Partial<ExerciseParams> }

const MINUTE_MS = 60_000

/** Burns CPU as told. It exists to prove the engine. */
export const exerciseSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Burns CPU on demand, to prove the engine.',
  exercise: true,
  worker: 'exercise.ts',
  resumable: true,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: 5_000,
  maxConcurrent: null,
  series: { steps: { step: 'step', value: 'number' } },
  prepare: async params => {
    const { steps, seed } = params as ExerciseParams
    return { ...selfContained(params, seed), steps: { total: steps, unit: 'step' } }
  },
}

/** Several exercises as children: proves fan-out. */
export const exerciseFanOutSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Runs several exercises as child operations, to prove the engine.',
  exercise: true,
  timeoutMs: 24 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare: async params => ({
    ...selfContained(params, null),
    steps: { total: (params as FanOutParams).children, unit: 'child' },
  }),
  plan: params => {
    const { children, exercise } = params as FanOutParams
    return Array.from(
      { length: children },
      (_, index): ChildPlan => ({ type: 'exercise', params: { ...exercise, seed: index + 1 } }),
    )
  },
  reduce: (children: readonly ChildEnd[]) => {
    const failed = children.filter(child => child.status !== 'completed')
    if (failed.length > 0) {
      const first = failed[0]
      throw new Problem(
        'child-failed',
        `${failed.length} of ${children.length} children did not complete; the first is ${first?.operation_id}, ${first?.status}`,
      )
    }
    const hash = createHash('sha256')
    for (const child of children) hash.update(String(child.result?.digest))
    return { children: children.length, digest: hash.digest('hex') }
  },
}
