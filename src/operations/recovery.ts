import { Problem, type ProblemData } from '../problems.ts'
import { catalogue } from './catalogue.ts'
import type { OperationRecord } from './operation.ts'

/**
 * What a lost attempt leaves of the attempts that are allowed: one more when it got somewhere. An attempt that saved a
 * checkpoint made progress and does not count; nor does one of a fan-out, whose work is its children.
 * @param record as the lost attempt left it, running
 * @returns attempts to add to `max_attempts`: 0 or 1
 */
export function extraAttempts(record: OperationRecord): 0 | 1 {
  const isFanOut = catalogue[record.type].kind === 'fan-out'
  return isFanOut || record.checkpoints[0]?.attempt === record.attempt ? 1 : 0
}

/** Why an operation failed whose last attempt was lost with its server. */
export function interrupted(record: OperationRecord): ProblemData {
  const detail = `The server stopped unexpectedly during attempt ${record.attempt} of ${record.max_attempts}.`
  return new Problem('interrupted', detail, { hint: 'Retry it; resume it if it has a checkpoint.' }).toData()
}
