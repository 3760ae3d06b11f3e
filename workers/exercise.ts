import { pbkdf2Sync } from 'node:crypto'
import type { ExerciseParams } from '../src/operations/exercise.ts'
import { Problem } from '../src/problems.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

type State = { readonly step: number; readonly hash: number }

const mebibyte = 1_048_576

/** 32 bits that depend on everything hashed before. Source: the finaliser of MurmurHash3. */
function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function burn(milliseconds: number, how: ExerciseParams['burn']): void {
  const startedAt = performance.now()
  if (how === 'native') {
    const sample = 50_000
    pbkdf2Sync('', '', sample, 32, 'sha256')
    const perIterationMs = (performance.now() - startedAt) / sample
    pbkdf2Sync('', '', Math.max(1, Math.round(milliseconds / perIterationMs)), 32, 'sha256')
  } else while (performance.now() < startedAt + milliseconds);
}

function allocate(params: ExerciseParams, context: WorkerContext): unknown[] {
  const held: unknown[] = []
  for (let mb = 0; mb < params.allocate_mb; mb++) {
    context.progress(0, params.steps, 'allocating')
    held.push(
      params.allocate === 'heap'
        ? Array.from({ length: mebibyte / 8 }, (_, i) => i + mb + 0.5)
        : new Uint8Array(mebibyte).fill(1),
    )
  }
  return held
}

function misbehave(step: number, params: ExerciseParams): void {
  if (step === params.fail_at) throw new Problem('exercise-failed', `It failed at step ${step}, as asked.`)
  if (step === params.throw_at) throw new RangeError(`an unexpected error at step ${step}, as asked`)
  if (step === params.exit_at) process.exit(7)
  if (step === params.spin_at) for (;;);
}

function run(params: ExerciseParams, context: WorkerContext) {
  const held = allocate(params, context)
  const { steps, step_ms: stepMs, checkpoint_every: every } = params
  const start = context.restored<State>() ?? { step: 0, hash: params.seed }
  let { step, hash } = start
  const state = (): State => ({ step, hash })
  while (step < steps) {
    if (!params.deaf) context.checkCancelled(state, `step ${step}`)
    misbehave(step, params)
    if (stepMs > 0) burn(stepMs, params.burn)
    hash = mix(hash, step)
    step += 1
    context.progress(step, steps, 'exercising')
    if (params.metrics > 0 && step % params.metrics === 0) context.metric('steps', { step, value: hash })
    if (every > 0 && step % every === 0 && step < steps)
      context.saveCheckpoint(state(), { label: `step ${step}` })
  }
  if (held.length > 0) context.log('info', `held ${held.length} MiB`)
  return { steps, digest: hash.toString(16).padStart(8, '0') }
}

export default defineWorker('exercise', run)
