import type { NewOperation, OperationRecord } from '../../operations/operation.ts'
import { type Row, toInsert, toRecord } from '../rows.ts'
import { statementsWith } from '../statements.ts'
import type { IdempotencyKey } from '../store.ts'
import { type Lease, newJobId } from './jobs.ts'
import type { Transaction, Values } from './transaction.ts'

/** What writes operations in Postgres: the shared statements, with the lease of the queue in them. */
export const statements = statementsWith({
  started: 'job_id = $job_id, job_retry = $job_retry',
  queued: 'job_id = $job_id, job_retry = null',
})

/** Columns of a new operation and their types, as the rows of a JSON array give them. */
const newColumns = {
  operation_id: 'text',
  type: 'text',
  params: 'text',
  priority: 'integer',
  max_attempts: 'integer',
  warnings: 'text',
  parent_operation_id: 'text',
  child_index: 'integer',
  timeout_ms: 'bigint',
  request_id: 'text',
  provenance: 'text',
  created_at: 'bigint',
  change_seq: 'bigint',
  job_id: 'uuid',
  generation: 'integer',
} as const
const names = Object.keys(newColumns).join(', ')
const typed = Object.entries(newColumns)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')

const insert = `with made as (insert into operations (${names}, status, attempt, revision, progress, checkpoints, artifacts, updated_at)
  select ${names}, 'pending', 1, 1, 0, '[]', '[]', created_at from json_to_recordset(?::json) as made (${typed})
  on conflict (parent_operation_id, child_index) do nothing returning *),
  remembered as (insert into idempotency_keys (key, fingerprint, operation_id, expires_at)
    select ?, ?, operation_id, ?::bigint from made where ?::boolean
    on conflict (key) do update set fingerprint = excluded.fingerprint, operation_id = excluded.operation_id,
      expires_at = excluded.expires_at)
  select * from made`

/**
 * Adds pending operations, and a job for each.
 * @param generation of the code that accepted them  @param key under which a single one is remembered
 * @returns those added: a child that was there already is left out
 */
export async function insertAll(
  transaction: Transaction,
  operations: readonly NewOperation[],
  generation: number,
  key: IdempotencyKey | null = null,
): Promise<OperationRecord[]> {
  const made = operations.map(operation => ({
    ...toInsert(operation),
    change_seq: transaction.nextSeq(),
    job_id: newJobId(),
    generation,
  }))
  const remembered = [key?.key ?? null, key?.fingerprint ?? null, key?.expires_at ?? null, key !== null]
  const rows = await transaction.rows(insert, [JSON.stringify(made), ...remembered])
  return rows.map(row => {
    queueJob(transaction, row)
    const record = toRecord(row)
    transaction.changed(record)
    return record
  })
}

/** Asks for the job that a row which has become pending names. */
export function queueJob(transaction: Transaction, row: Row): void {
  transaction.jobs.push({
    job_id: String(row.job_id),
    operation_id: String(row.operation_id),
    type: String(row.type),
    generation: Number(row.generation),
    priority: Number(row.priority),
    created_at: Number(row.created_at),
  })
}

/** Makes an operation pending again, with a new job. @returns null when the guard refused */
export async function applyQueued(
  transaction: Transaction,
  sql: string,
  values: Values,
): Promise<OperationRecord | null> {
  const row = await transaction.apply(sql, { ...values, job_id: newJobId() })
  if (row === null) return null
  queueJob(transaction, row)
  return toRecord(row)
}

/** The lease that the running attempt of a row holds. */
export function leaseOf(row: Row): Lease | null {
  return row.job_id === null || row.job_retry === null
    ? null
    : { job_id: String(row.job_id), job_retry: Number(row.job_retry) }
}

/** A write of an attempt was refused: counted when another attempt took its place. */
export async function countFenced(transaction: Transaction, id: string, attempt: number): Promise<void> {
  const [row] = await transaction.rows('select attempt from operations where operation_id = ?', [id])
  if (row === undefined || Number(row.attempt) > attempt) transaction.fenced += 1
}
