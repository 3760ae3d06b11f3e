import type {
  Artifact,
  Checkpoint,
  LogLine,
  MetricPoint,
  NewOperation,
  OperationCounts,
  OperationRecord,
  OperationStatus,
  OperationType,
  Progress,
  Provenance,
  Result,
  StatusCounts,
  StoredLogLine,
  StoredMetricPoint,
} from '../operations/operation.ts'
import type { ProblemData } from '../problems.ts'

/**
 * Where operations live. The promises every adapter keeps:
 *
 * - A write resolves after its transaction is durable, and is all or nothing. Progress, metrics and logs survive a
 *   crash of the process at once, a power cut with the next other write: an attempt that goes on records them again.
 * - Every write is guarded by the transition table, those of a worker also by `attempt`: a write that the guard
 *   refuses changes nothing and resolves with null, undefined or `false`. That is an answer, not an error.
 * - Each change of an operation raises its `revision` by one and gives it the next server-wide `change_seq`.
 * - Reads see every write that has resolved.
 */
export interface Store {
  readonly kind: 'sqlite' | 'postgres'
  create(operation: NewOperation, options: CreateOptions): Promise<Created>
  /** Adds the children that are not there yet, as long as the parent's attempt is the running one. */
  createChildren(parentId: string, attempt: number, children: readonly NewOperation[]): Promise<boolean>
  /** Starts the pending operation that is next: highest priority, then oldest, of the types that may start now. */
  claim(node: string, startable: readonly OperationType[], now: number): Promise<OperationRecord | null>
  /** Writes the progress of many attempts in one transaction. @returns the records that were changed */
  recordProgress(updates: readonly ProgressUpdate[], now: number): Promise<OperationRecord[]>
  /** @returns the points as stored; null when the attempt is not the running one. Bounded: see `limits`. */
  appendMetrics(
    id: string,
    attempt: number,
    name: string,
    points: readonly MetricPoint[],
  ): Promise<StoredMetricPoint[] | null>
  /** Drops the points after `seq`: the attempt goes on from a checkpoint that is older than they are. */
  trimMetrics(id: string, attempt: number, seq: number): Promise<void>
  appendLogs(id: string, attempt: number, lines: readonly LogLine[]): Promise<StoredLogLine[] | null>
  addWarning(id: string, attempt: number, warning: string, now: number): Promise<OperationRecord | null>
  /** Makes `checkpoint` the last (and, if it says so, the best). */
  saveCheckpoint(
    id: string,
    attempt: number,
    checkpoint: Omit<Checkpoint, 'metrics_seq'>,
    now: number,
  ): Promise<OperationRecord | null>
  finish(id: string, attempt: number, ending: Ending, now: number): Promise<OperationRecord | null>
  /** pending → cancelled, running → cancelling; null when the table has no such arrow. */
  cancel(id: string, reason: string | null, now: number): Promise<OperationRecord | null>
  /** running → pending as the next attempt, keeping its checkpoints. */
  requeue(id: string, attempt: number, extraAttempts: number, now: number): Promise<OperationRecord | null>
  /**
   * failed or cancelled → pending as the next attempt. With it go its children, in the same transaction: a resume
   * reopens those that did not complete (from their checkpoint where they have one), a retry deletes them all.
   */
  reopen(id: string, how: Reopen, now: number): Promise<Reopened | null>
  /** Deletes an ended operation and its children. @returns the ids deleted; empty when it is active or unknown */
  delete(id: string): Promise<string[]>

  get(id: string): Promise<OperationRecord | null>
  /** The operation an unexpired idempotency key was used for. */
  findByKey(key: string, now: number): Promise<{ record: OperationRecord; fingerprint: string } | null>
  revisionOf(id: string): Promise<number | null>
  list(filter: ListFilter): Promise<OperationRecord[]>
  counts(): Promise<OperationCounts>
  /** Direct children in the order they were planned. */
  children(parentId: string): Promise<OperationRecord[]>
  childCounts(parentId: string): Promise<{ counts: StatusCounts; total: number; meanProgress: number }>
  metrics(id: string, after: number, limit: number): Promise<StoredMetricPoint[]>
  logs(id: string, after: number, limit: number): Promise<StoredLogLine[]>
  /** How many pending operations start before it, plus one. */
  queuedPosition(record: OperationRecord): Promise<number>
  /** As `queuedPosition`, for many at once; those that are not pending are left out. */
  queuedPositions(records: readonly OperationRecord[]): Promise<ReadonlyMap<string, number>>
  pendingCount(): Promise<number>
  /** Operations changed after `seq`, oldest change first. */
  changedAfter(seq: number, limit: number): Promise<OperationRecord[]>
  latestChange(): Promise<number>
  /** Every operation in one of these statuses. */
  inStatus(wanted: readonly OperationStatus[]): Promise<OperationRecord[]>
  /** Ids of ended top-level operations that completed before `before`. */
  endedBefore(before: number, limit: number): Promise<string[]>
  /** Strategy snapshots that some operation was run with. */
  strategiesInUse(): Promise<ReadonlySet<string>>
  /** Forgets idempotency keys that have expired. */
  forgetKeys(now: number): Promise<void>
  /** Rejects when the database cannot be written. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Upper bounds per operation. What comes after them is dropped; the last log line and warning kept say so. */
export const limits = { metricPoints: 100_000, logLines: 10_000, warnings: 100 } as const

export type IdempotencyKey = {
  readonly key: string
  readonly fingerprint: string
  readonly expires_at: number
}

export type CreateOptions = { readonly idempotency: IdempotencyKey | null; readonly queueMax: number }

export type Created =
  | { readonly outcome: 'created'; readonly record: OperationRecord }
  /** The key was seen with the same request. */
  | { readonly outcome: 'replayed'; readonly record: OperationRecord }
  /** The key was seen with another request. */
  | { readonly outcome: 'key-reused' }
  | { readonly outcome: 'queue-full'; readonly pending: number }

export type ProgressUpdate = {
  readonly operation_id: string
  readonly attempt: number
  readonly progress: Progress
  readonly worker_thread: number | null
  readonly heartbeat_at: number
}

export type Ending =
  | {
      readonly event: 'complete'
      readonly result: Result
      readonly artifacts: readonly Artifact[]
      readonly progress: Progress
    }
  | { readonly event: 'fail'; readonly problem: ProblemData; readonly mode: 'cooperative' | 'forced' }
  | { readonly event: 'stop'; readonly mode: 'cooperative' | 'forced' }

export type Reopen = {
  readonly event: 'resume' | 'retry'
  /** Attempts allowed from now on. */
  readonly attempts: number
  /** With `retry`: what was found when the parameters were checked again. */
  readonly provenance: Provenance | null
  readonly warnings: readonly string[]
}

export type Reopened = {
  readonly record: OperationRecord
  /** Children that are pending again. */
  readonly children: readonly OperationRecord[]
  /** Ids of children that are gone. */
  readonly deleted: readonly string[]
}

export type ListFilter = {
  readonly statuses?: readonly OperationStatus[]
  readonly types?: readonly OperationType[]
  /** null: top-level operations only. */
  readonly parent: string | null
  readonly createdAfter?: number
  readonly createdBefore?: number
  readonly text?: string
  /** Page on from (and without) this operation. */
  readonly before?: { readonly created_at: number; readonly operation_id: string }
  readonly limit: number
}
