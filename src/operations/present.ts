import { toRfc3339, toRfc3339OrNull } from '../clock.ts'
import { problemBody } from '../problem-body.ts'
import { catalogue } from './catalogue.ts'
import { isTerminal, next } from './lifecycle.ts'
import type { Operation, OperationRecord, StatusCounts } from './operation.ts'

/** What the resource shows beside its own row. */
export type Surroundings = {
  readonly queuedPosition: number | null
  readonly children: { readonly counts: StatusCounts; readonly total: number } | null
}

export const operationPath = (id: string): string => `/api/v1/operations/${id}`

/** The operation as the API shows it: every key present, times in RFC 3339. */
export function presentOperation(record: OperationRecord, around: Surroundings): Operation {
  const self = operationPath(record.operation_id)
  const newest = record.checkpoints[0]
  return {
    operation_id: record.operation_id,
    status: record.status,
    progress: record.progress,
    phase: record.phase,
    error: record.problem?.detail ?? null,
    created_at: toRfc3339(record.created_at),
    updated_at: toRfc3339(record.updated_at),
    type: record.type,
    params: record.params as Operation['params'],
    priority: record.priority,
    attempt: record.attempt,
    max_attempts: record.max_attempts,
    started_at: toRfc3339OrNull(record.started_at),
    completed_at: toRfc3339OrNull(record.completed_at),
    queued_position: around.queuedPosition,
    steps: record.steps,
    rate: record.rate,
    eta_seconds: record.eta_seconds,
    worker: record.worker_node === null ? null : { node: record.worker_node, thread: record.worker_thread },
    heartbeat_at: toRfc3339OrNull(record.heartbeat_at),
    parent_operation_id: record.parent_operation_id,
    children: presentChildren(around.children),
    result: record.result as Operation['result'],
    problem:
      record.problem === null
        ? null
        : problemBody(record.problem, { instance: self, requestId: record.request_id }),
    warnings: [...record.warnings],
    cancellation:
      record.cancellation === null
        ? null
        : { ...record.cancellation, requested_at: toRfc3339(record.cancellation.requested_at) },
    checkpoint:
      newest === undefined
        ? null
        : { saved_at: toRfc3339(newest.saved_at), label: newest.label, size_bytes: newest.size_bytes },
    can: capabilities(record),
    provenance: record.provenance,
    revision: record.revision,
    links: {
      self,
      events: `${self}/events`,
      metrics: `${self}/metrics`,
      logs: `${self}/logs`,
      artifacts: `${self}/artifacts`,
      cancel: `${self}/cancel`,
    },
  }
}

/** What can be asked of the operation in its present status. */
export function capabilities(record: OperationRecord): Operation['can'] {
  return {
    cancel: next(record.status, 'cancel') !== undefined,
    retry: next(record.status, 'retry') !== undefined && record.parent_operation_id === null,
    resume:
      next(record.status, 'resume') !== undefined &&
      record.parent_operation_id === null &&
      hasResumePoint(record),
    delete: isTerminal(record.status) && record.parent_operation_id === null,
  }
}

/** A checkpoint, or children some of which may have finished. */
export function hasResumePoint(record: OperationRecord): boolean {
  return catalogue[record.type].kind === 'fan-out' || record.checkpoints.length > 0
}

function presentChildren(children: Surroundings['children']): Operation['children'] {
  if (children === null) return null
  const { pending, running, cancelling, completed, failed, cancelled } = children.counts
  return { total: children.total, pending, running: running + cancelling, completed, failed, cancelled }
}
