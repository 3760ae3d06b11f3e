import type { Outcome } from '../operations/operation.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { asProblem } from '../system-problems.ts'

/** Why the main thread killed a worker thread. `fenced`: the attempt is not its any more, or the server's time is up. */
export type KillReason = 'cancelled' | 'timed-out' | 'worker-unresponsive' | 'out-of-memory' | 'fenced'

/** What a thread that did not answer with an outcome amounts to. */
export function outcomeOfError(
  error: unknown,
  killed: KillReason | null,
  about: { readonly timeoutMs: number },
): Outcome {
  if (killed === 'cancelled') return { kind: 'cancelled', mode: 'forced' }
  if (killed === 'fenced') return { kind: 'interrupted' }
  const mode = killed === null ? 'cooperative' : 'forced'
  return { kind: 'failed', problem: problemOf(error, killed, about).toData(), mode }
}

function problemOf(
  error: unknown,
  killed: KillReason | null,
  about: { readonly timeoutMs: number },
): Problem {
  if (killed === 'timed-out')
    return new Problem('timed-out', `It ran longer than ${about.timeoutMs / 1000} s.`, {
      hint: 'Give it a larger timeout_seconds, or less to do.',
    })
  if (killed === 'worker-unresponsive')
    return new Problem('worker-unresponsive', 'The worker gave no sign of life and its thread was killed.')
  const code = codeOf(error)
  if (killed === 'out-of-memory' || code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new Problem('out-of-memory', 'The worker needed more memory than it may use.', {
      hint: 'Raise KTRDR_WORKER_MEMORY_MB, or ask for less.',
    })
  }
  const known = asProblem(error)
  if (known !== null) return known
  const message = error instanceof Error ? error.message : String(error)
  const died: ProblemCode = message.startsWith('worker exited with code') ? 'worker-exited' : 'worker-threw'
  return new Problem(died, died === 'worker-exited' ? `The ${message}.` : `The worker threw: ${message}`)
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}
