import { parentPort, type Transferable } from 'node:worker_threads'
import { asProblem } from '../system-problems.ts'
import type { ThreadOutcome } from './threads.ts'

/** Does the one task of this thread and tells the outcome. What is no expected failure ends the thread as an error. */
export async function answerWith<R>(
  task: () => R | Promise<R>,
  transferOf: (result: R) => Transferable[] = () => [],
): Promise<void> {
  try {
    const result = await task()
    tell({ kind: 'done', result }, transferOf(result))
  } catch (error) {
    const problem = asProblem(error)
    if (problem === null) throw error
    tell({ kind: 'refused', problem: problem.toData() }, [])
  }
}

function tell<R>(outcome: ThreadOutcome<R>, transfer: Transferable[]): void {
  parentPort?.postMessage(outcome, transfer)
}
