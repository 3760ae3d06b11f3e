import { Problem } from '../problems.ts'
import type { ChildEnd } from './spec.ts'

/** For parents that need every child. @throws {Problem} 'child-failed' naming the first that did not complete, and why */
export function requireCompleted(children: readonly ChildEnd[]): void {
  const failed = children.filter(child => child.status !== 'completed')
  const [first] = failed
  if (first === undefined) return
  const why = first.problem === null ? first.status : `${first.status}: ${first.problem.detail}`
  throw new Problem(
    'child-failed',
    `${failed.length} of ${children.length} children did not complete; the first is ${first.operation_id}, ${why}`,
  )
}
