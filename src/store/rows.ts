import type {
  NewOperation,
  OperationRecord,
  OperationStatus,
  OperationType,
  StoredLogLine,
  StoredMetricPoint,
} from '../operations/operation.ts'

/** A row as the driver gives it: numbers as numbers, texts as texts. */
export type Row = Readonly<Record<string, unknown>>

const text = (value: unknown): string => String(value)
const number = (value: unknown): number => Number(value)
const numberOrNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value)
const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value)
/** Most lists are empty: one that is shared costs nothing. Records are read-only. */
const emptyList: readonly never[] = Object.freeze([])
const json = <T>(value: unknown): T => (value === '[]' ? (emptyList as T) : (JSON.parse(String(value)) as T))
const jsonOrNull = <T>(value: unknown): T | null =>
  value === null || value === undefined ? null : (JSON.parse(String(value)) as T)

/** A row of `operations` as the rest of the program knows it. */
export function toRecord(row: Row): OperationRecord {
  return {
    operation_id: text(row.operation_id),
    type: text(row.type) as OperationType,
    params: json(row.params),
    priority: number(row.priority),
    status: text(row.status) as OperationStatus,
    attempt: number(row.attempt),
    max_attempts: number(row.max_attempts),
    revision: number(row.revision),
    change_seq: number(row.change_seq),
    progress: number(row.progress),
    phase: textOrNull(row.phase),
    steps: jsonOrNull(row.steps),
    rate: numberOrNull(row.rate),
    eta_seconds: numberOrNull(row.eta_seconds),
    result: jsonOrNull(row.result),
    problem: jsonOrNull(row.problem),
    warnings: json(row.warnings),
    cancellation: toCancellation(row),
    checkpoints: json(row.checkpoints),
    artifacts: json(row.artifacts),
    worker_node: textOrNull(row.worker_node),
    worker_thread: numberOrNull(row.worker_thread),
    heartbeat_at: numberOrNull(row.heartbeat_at),
    parent_operation_id: textOrNull(row.parent_operation_id),
    child_index: numberOrNull(row.child_index),
    timeout_ms: numberOrNull(row.timeout_ms),
    request_id: textOrNull(row.request_id),
    provenance: json(row.provenance),
    created_at: number(row.created_at),
    updated_at: number(row.updated_at),
    started_at: numberOrNull(row.started_at),
    completed_at: numberOrNull(row.completed_at),
  }
}

function toCancellation(row: Row): OperationRecord['cancellation'] {
  const requestedAt = numberOrNull(row.cancel_requested_at)
  if (requestedAt === null) return null
  const mode = textOrNull(row.cancel_mode)
  return {
    requested_at: requestedAt,
    reason: textOrNull(row.cancel_reason),
    mode: mode === 'cooperative' || mode === 'forced' ? mode : null,
    latency_ms: numberOrNull(row.cancel_latency_ms),
  }
}

/** What the insert statement makes of a new operation: reading it back would cost as much as writing it. */
export function toNewRecord(operation: NewOperation, seq: number): OperationRecord {
  return {
    ...operation,
    status: 'pending',
    attempt: 1,
    revision: 1,
    change_seq: seq,
    progress: 0,
    phase: null,
    steps: null,
    rate: null,
    eta_seconds: null,
    result: null,
    problem: null,
    cancellation: null,
    checkpoints: [],
    artifacts: [],
    worker_node: null,
    worker_thread: null,
    heartbeat_at: null,
    updated_at: operation.created_at,
    started_at: null,
    completed_at: null,
  }
}

/** The named parameters of the insert statement. */
export function toInsert(operation: NewOperation): Record<string, string | number | null> {
  return {
    operation_id: operation.operation_id,
    type: operation.type,
    params: JSON.stringify(operation.params),
    priority: operation.priority,
    max_attempts: operation.max_attempts,
    warnings: JSON.stringify(operation.warnings),
    parent_operation_id: operation.parent_operation_id,
    child_index: operation.child_index,
    timeout_ms: operation.timeout_ms,
    request_id: operation.request_id,
    provenance: JSON.stringify(operation.provenance),
    created_at: operation.created_at,
  }
}

export function toMetricPoint(row: Row): StoredMetricPoint {
  return {
    seq: number(row.seq),
    attempt: number(row.attempt),
    name: text(row.name),
    at: number(row.at),
    values: json(row.point),
  }
}

export function toLogLine(row: Row): StoredLogLine {
  return {
    seq: number(row.seq),
    attempt: number(row.attempt),
    at: number(row.at),
    level: text(row.level) as StoredLogLine['level'],
    message: text(row.message),
  }
}
