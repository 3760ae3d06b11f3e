import { isTerminal, sourcesOf } from '../../operations/lifecycle.ts'
import type { OperationRecord, OperationType } from '../../operations/operation.ts'
import { extraAttempts, interrupted } from '../../operations/recovery.ts'
import { endingColumns } from '../ending.ts'
import { type Row, toRecord } from '../rows.ts'
import { textList } from '../statements.ts'
import type { Ending } from '../store.ts'
import { type FetchedJob, groupOf, type Jobs, jobsSchema, queue } from './jobs.ts'
import { statements } from './statements.ts'
import type { Transaction } from './transaction.ts'

/** Jobs that only had to be ended, in one claim. The next claim goes on. */
const maxPasses = 25

/**
 * Operations that have begun though their job waits in the queue: its node fell silent, its lease was too old, or it was
 * made anew. Few have begun, and for each one job is looked up; `offset 0` keeps the planner from going the other way,
 * through all that wait.
 */
const waiting = `select operations.*, job.output from operations cross join lateral (
    select output from ${jobsSchema}.job
    where name = '${queue}' and id = operations.job_id and state in ('created', 'retry') offset 0) as job
  where operations.status in (${textList(sourcesOf('progress'))})`

/** Of those, the ones that nobody holds and nobody will start again. A lease that was too old is renewed by `take`. */
const abandoned = `${waiting} and operations.status = 'cancelling' and coalesce(job.output::text, '') not like '%job timed out%'`

export type Claimant = {
  readonly node: string
  readonly startable: readonly OperationType[]
  /** Of the code that runs here. */
  readonly generation: number
  readonly now: number
}

type QueueLook = {
  /** Groups that have something active, and that this node may not start now. */
  readonly ignored: readonly string[]
  /** Some job waits though its operation has begun: its node fell silent, or the lease was too old. */
  readonly isLapsed: boolean
  readonly isWorthIt: boolean
}

/** What answers a query: the reader, or a transaction. */
type RowSource = { rows(sql: string): Promise<Row[]> }

/** Whether there is something to claim: without the lock as far as can be seen, within a transaction for certain. */
export async function lookAtQueue(
  source: RowSource,
  startable: readonly OperationType[],
  generation: number,
): Promise<QueueLook> {
  const rows = await source.rows(
    `select type, generation, sum(n) filter (where status = 'pending') as pending,
       (select exists (${waiting})) as is_lapsed
     from operation_counts where n > 0 and status in ('pending', 'running', 'cancelling') group by type, generation`,
  )
  const mayStart = (row: (typeof rows)[number]) =>
    startable.some(type => type === row.type) && Number(row.generation) <= generation
  const isLapsed = rows.some(row => row.is_lapsed === true)
  return {
    isLapsed,
    ignored: rows.filter(row => !mayStart(row)).map(row => groupOf(String(row.type), Number(row.generation))),
    isWorthIt: isLapsed || rows.some(row => mayStart(row) && Number(row.pending) > 0),
  }
}

/**
 * Starts the operation that is next. Jobs whose node fell silent come back to the queue: their operations are started
 * as the next attempt, or ended where no attempt is left.
 */
export async function claimNext(
  transaction: Transaction,
  jobs: Jobs,
  claimant: Claimant,
): Promise<OperationRecord | null> {
  const look = await lookAtQueue(transaction, claimant.startable, claimant.generation)
  if (look.isLapsed) await stopAbandoned(transaction, jobs, claimant.now)
  for (let pass = 0; pass < maxPasses; pass++) {
    const job = await jobs.fetch(transaction, look.ignored)
    if (job === null) return null
    const started = await take(transaction, jobs, job, claimant)
    if (started !== null) return started
  }
  return null
}

/** Cancelling operations whose node is gone: nobody else would end them. */
export async function stopAbandoned(transaction: Transaction, jobs: Jobs, now: number): Promise<void> {
  for (const row of await transaction.rows(abandoned)) {
    await jobs.remove(transaction, [String(row.job_id)])
    await end(transaction, jobs, toRecord(row), { event: 'stop', mode: 'forced' }, now)
  }
}

/** Cancels what children of ended operations are left: they have no life of their own. */
export async function cancelOrphans(transaction: Transaction, jobs: Jobs, now: number): Promise<void> {
  const rows = await transaction.rows(
    `select child.operation_id, parent.cancel_reason from operations as child
     join operations as parent on parent.operation_id = child.parent_operation_id
     where child.status in (${textList(sourcesOf('cancel'))}) and parent.completed_at is not null`,
  )
  for (const { operation_id, cancel_reason } of rows) {
    const reason = cancel_reason === null ? null : String(cancel_reason)
    await cancelOne(transaction, jobs, { id: String(operation_id), reason, now })
  }
}

/** @returns null when the table has no such arrow */
export async function cancelOne(
  transaction: Transaction,
  jobs: Jobs,
  asked: { readonly id: string; readonly reason: string | null; readonly now: number },
): Promise<OperationRecord | null> {
  const row = await transaction.apply(statements.cancel, asked)
  if (row === null) return null
  const record = toRecord(row)
  // It was pending: nobody holds its job.
  if (isTerminal(record.status)) await jobs.remove(transaction, [String(row.job_id)])
  return record
}

async function take(
  transaction: Transaction,
  jobs: Jobs,
  job: FetchedJob,
  claimant: Claimant,
): Promise<OperationRecord | null> {
  const [row] = await transaction.rows('select * from operations where operation_id = ?', [job.operation_id])
  const record = row === undefined ? null : toRecord(row)
  if (record === null || isTerminal(record.status) || row?.job_id !== job.job_id) {
    await jobs.settle(transaction, job)
    return null
  }
  if (record.status === 'pending') return start(transaction, record, job, claimant)
  if (job.lapse === 'expired') {
    // The lease was only too old: it goes on under its next try, for the attempt that runs.
    await transaction.rows('update operations set job_retry = ?::integer where operation_id = ?', [
      job.job_retry,
      job.operation_id,
    ])
    return null
  }
  if (record.status === 'running') return startAgain(transaction, jobs, record, job, claimant)
  await jobs.settle(transaction, job)
  await end(transaction, jobs, record, { event: 'stop', mode: 'forced' }, claimant.now)
  return null
}

async function start(
  transaction: Transaction,
  { operation_id: id, attempt }: OperationRecord,
  { job_id, job_retry }: FetchedJob,
  { node, now }: Claimant,
): Promise<OperationRecord | null> {
  const row = await transaction.apply(statements.claim, { id, attempt, node, now, job_id, job_retry })
  return row === null ? null : toRecord(row)
}

/** Its node fell silent. */
async function startAgain(
  transaction: Transaction,
  jobs: Jobs,
  record: OperationRecord,
  job: FetchedJob,
  claimant: Claimant,
): Promise<OperationRecord | null> {
  const { operation_id: id, attempt } = record
  const { now } = claimant
  const extra = extraAttempts(record)
  const requeued = await transaction.apply(statements.requeue, {
    id,
    attempt,
    extra,
    now,
    job_id: job.job_id,
  })
  if (requeued !== null) return start(transaction, toRecord(requeued), job, claimant)
  await jobs.settle(transaction, job)
  await end(transaction, jobs, record, { event: 'fail', problem: interrupted(record), mode: 'forced' }, now)
  return null
}

/** Ends an operation for a node that is gone, and cancels what it has begun. */
async function end(
  transaction: Transaction,
  jobs: Jobs,
  { operation_id: id, attempt }: OperationRecord,
  ending: Ending,
  now: number,
): Promise<void> {
  const { statement, columns } = endingColumns(ending)
  await transaction.apply(statements[statement], { id, attempt, now, ...columns })
  await cancelOrphans(transaction, jobs, now)
}
