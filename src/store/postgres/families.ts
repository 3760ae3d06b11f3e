import { isTerminal, next } from '../../operations/lifecycle.ts'
import type { OperationRecord, OperationStatus } from '../../operations/operation.ts'
import { type Row, toRecord } from '../rows.ts'
import type { Reopen, Reopened } from '../store.ts'
import type { Jobs } from './jobs.ts'
import { applyQueued, statements } from './statements.ts'
import type { Transaction } from './transaction.ts'

/** See `Store.reopen`. @returns null when the table has no such arrow */
export async function reopenFamily(
  transaction: Transaction,
  jobs: Jobs,
  asked: { readonly id: string; readonly how: Reopen; readonly now: number },
): Promise<Reopened | null> {
  const { id, how, now } = asked
  const record = await reopenOne(transaction, id, how, now)
  if (record === null) return null
  if (how.event === 'resume')
    return { record, children: await resumeChildren(transaction, id, how, now), deleted: [] }
  await transaction.rows('delete from metrics where operation_id = ?', [id])
  const family = await transaction.named(statements.family, { id })
  const gone = family.filter(row => row.operation_id !== id)
  return { record, children: [], deleted: await deleteRows(transaction, jobs, gone) }
}

/** See `Store.delete`. @returns ids; none when one of them is still active */
export async function deleteFamily(transaction: Transaction, jobs: Jobs, id: string): Promise<string[]> {
  const family = await transaction.named(statements.family, { id })
  if (family.some(row => !isTerminal(String(row.status) as OperationStatus))) return []
  return deleteRows(transaction, jobs, family)
}

async function reopenOne(
  transaction: Transaction,
  id: string,
  how: Reopen,
  now: number,
): Promise<OperationRecord | null> {
  return applyQueued(transaction, statements.reopen(how.event), {
    id,
    attempts: how.attempts,
    provenance: how.provenance === null ? null : JSON.stringify(how.provenance),
    warnings: JSON.stringify(how.warnings),
    now,
  })
}

async function resumeChildren(
  transaction: Transaction,
  parentId: string,
  how: Reopen,
  now: number,
): Promise<OperationRecord[]> {
  const rows = await transaction.rows(
    'select * from operations where parent_operation_id = ? order by child_index',
    [parentId],
  )
  const reopened: OperationRecord[] = []
  for (const child of rows.map(toRecord)) {
    const event = child.checkpoints.length > 0 ? 'resume' : 'retry'
    if (next(child.status, event) === undefined) continue
    const { operation_id: id, warnings } = child
    const record = await reopenOne(transaction, id, { ...how, event, warnings }, now)
    if (record !== null) reopened.push(record)
  }
  return reopened
}

/** Deletes operations with their jobs, and leaves word of each for the feeds of other nodes. */
async function deleteRows(transaction: Transaction, jobs: Jobs, rows: readonly Row[]): Promise<string[]> {
  const ids = rows.map(row => String(row.operation_id))
  if (ids.length === 0) return []
  const active = rows.filter(row => !isTerminal(String(row.status) as OperationStatus))
  await jobs.remove(
    transaction,
    active.flatMap(row => (row.job_id === null ? [] : [String(row.job_id)])),
  )
  await transaction.rows('delete from operations where operation_id = any(?::text[])', [ids])
  await transaction.rows(
    `insert into deletions (change_seq, operation_id, at)
     select seq, id, (extract(epoch from now()) * 1000)::bigint from unnest(?::bigint[], ?::text[]) as gone (seq, id)`,
    [ids.map(() => transaction.nextSeq()), ids],
  )
  for (const operation_id of ids) transaction.changed({ operation_id, revision: 0 })
  return ids
}
