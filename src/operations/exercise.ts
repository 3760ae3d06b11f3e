import { createHash } from 'node:crypto'
import type { components } from '../openapi.gen.ts'
import { requireCompleted } from './children.ts'
import type { ChildEnd, ChildPlan, FanOutSpec, WorkerSpec } from './spec.ts'
import { selfContained } from './spec.ts'

export type ExerciseParams = Required<components['schemas']['ExerciseParams']>
type FanOutParams = {
  readonly children: number
  readonly rounds: number
  readonly exercise?: Partial<ExerciseParams>
}

const MINUTE_MS = 60_000

/** Burns CPU as told. It exists to prove the engine. */
export const exerciseSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Burns CPU on demand, to prove the engine.',
  exercise: true,
  worker: 'exercise.ts',
  resumable: true,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: params => (params as ExerciseParams).stall_ms,
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
    steps: { total: allOf(params as FanOutParams), unit: 'child' },
  }),
  plan: (params, ended) => {
    const { children, exercise } = params as FanOutParams
    const planned = Math.min(allOf(params as FanOutParams), ended.length + children)
    return Array.from(
      { length: planned },
      (_, index): ChildPlan => ({
        type: 'exercise',
        params: { ...exercise, seed: seedOf(ended[index - children], index) },
      }),
    )
  },
  children: params => allOf(params as FanOutParams),
  reduce: (children: readonly ChildEnd[]) => {
    requireCompleted(children)
    const hash = createHash('sha256')
    for (const child of children) hash.update(String(child.result?.digest))
    return { children: children.length, digest: hash.digest('hex') }
  },
}

const allOf = ({ children, rounds }: FanOutParams): number => children * rounds

/** The first round counts; later ones go on from what the one before found. */
const seedOf = (before: ChildEnd | undefined, index: number): number =>
  before === undefined ? index + 1 : Number.parseInt(String(before.result?.digest).slice(0, 7), 16)
