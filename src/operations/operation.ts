import type { components } from '../openapi.gen.ts'
import type { ProblemData } from '../problems.ts'
import type { OperationStatus } from './lifecycle.ts'

export type { OperationStatus } from './lifecycle.ts'

type Schemas = components['schemas']

/** An operation as the API shows it. */
export type Operation = Schemas['Operation']
export type OperationType = Schemas['OperationType']
export type OperationPlan = Schemas['OperationPlan']
export type OperationCounts = Schemas['OperationCounts']
export type StatusCounts = Schemas['StatusCounts']
export type Provenance = Schemas['Operation']['provenance']

/** Params and results differ by type; the catalogue and the schemas know which is which. */
export type Params = Readonly<Record<string, unknown>>
export type Result = Readonly<Record<string, unknown>>

/** One checkpoint file. `file` is a bare name inside the operation's checkpoint folder. */
export type Checkpoint = {
  readonly attempt: number
  readonly saved_at: number
  readonly label: string
  readonly size_bytes: number
  readonly sha256: string
  readonly file: string
  readonly best: boolean
  /** The last metrics point recorded before it; later ones are redone on resume. */
  readonly metrics_seq: number
}

/** One published file of the completed attempt. `file` is a bare name inside the attempt's folder. */
export type Artifact = {
  readonly name: string
  readonly file: string
  readonly media_type: string
  readonly size_bytes: number
  readonly sha256: string
  readonly rows: number | null
}

export type Cancellation = {
  readonly requested_at: number
  readonly reason: string | null
  readonly mode: 'cooperative' | 'forced' | null
  readonly latency_ms: number | null
}

export type Steps = { readonly done: number; readonly total: number | null; readonly unit: string }

/** What a worker last said of its progress, measured by the main thread. */
export type Progress = {
  readonly progress: number
  readonly phase: string | null
  readonly steps: Steps | null
  /** Steps per second. */
  readonly rate: number | null
  readonly eta_seconds: number | null
}

/** An operation as the store keeps it: times are epoch milliseconds, absent facts are null. */
export type OperationRecord = Progress & {
  readonly operation_id: string
  readonly type: OperationType
  readonly params: Params
  readonly priority: number
  readonly status: OperationStatus
  /** The fencing token: every write of a worker carries it. */
  readonly attempt: number
  readonly max_attempts: number
  readonly revision: number
  /** Server-wide sequence of changes; the newest change of this operation. */
  readonly change_seq: number
  readonly result: Result | null
  readonly problem: ProblemData | null
  readonly warnings: readonly string[]
  readonly cancellation: Cancellation | null
  readonly checkpoints: readonly Checkpoint[]
  readonly artifacts: readonly Artifact[]
  readonly worker_node: string | null
  readonly worker_thread: number | null
  readonly heartbeat_at: number | null
  readonly parent_operation_id: string | null
  readonly child_index: number | null
  readonly timeout_ms: number | null
  readonly request_id: string | null
  readonly provenance: Provenance
  readonly created_at: number
  readonly updated_at: number
  readonly started_at: number | null
  readonly completed_at: number | null
}

/** What is needed to create one; the rest starts empty. */
export type NewOperation = Pick<
  OperationRecord,
  | 'operation_id'
  | 'type'
  | 'params'
  | 'priority'
  | 'max_attempts'
  | 'warnings'
  | 'parent_operation_id'
  | 'child_index'
  | 'timeout_ms'
  | 'request_id'
  | 'provenance'
  | 'created_at'
>

export type MetricPoint = { readonly at: number; readonly values: Readonly<Record<string, number | null>> }
export type StoredMetricPoint = MetricPoint & {
  readonly seq: number
  readonly attempt: number
  readonly name: string
}

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error'
export type LogLine = { readonly at: number; readonly level: LogLevelName; readonly message: string }
export type StoredLogLine = LogLine & { readonly seq: number; readonly attempt: number }

/** How an attempt ended, as data: classes do not survive a thread boundary. */
export type Outcome =
  | { readonly kind: 'completed'; readonly result: Result; readonly artifacts: readonly Artifact[] }
  | { readonly kind: 'cancelled'; readonly mode: 'cooperative' | 'forced' }
  | { readonly kind: 'failed'; readonly problem: ProblemData; readonly mode: 'cooperative' | 'forced' }
  /** The server is stopping and the worker gave way: back to the queue. */
  | { readonly kind: 'interrupted' }
