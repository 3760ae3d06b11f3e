import { activeStatuses } from '../../operations/lifecycle.ts'
import { textList } from '../statements.ts'
import { cancelOrphans, stopAbandoned } from './claim.ts'
import { type Jobs, jobsSchema, newJobId, queue } from './jobs.ts'
import { queueJob } from './statements.ts'
import type { Transaction } from './transaction.ts'

/** How long a deletion can be heard of. A node that was away for longer starts its feed anew. */
const deletionsKeptMs = 3_600_000

/** Rows that no job stands for, of generations this node can make one for. */
const withoutJob = `select * from operations where status in (${textList(activeStatuses)}) and generation <= ?::integer
  and not exists (select 1 from ${jobsSchema}.job where name = '${queue}' and job.id = operations.job_id
    and job.state in ('created', 'retry', 'active'))`

/**
 * Makes true again what everything else relies on: each active operation has a live job (rows that came by another way,
 * a transfer say, have none), children do not outlive their parents, and what nobody asks for any more is gone.
 * @returns how many jobs were made
 */
export async function repair(
  transaction: Transaction,
  jobs: Jobs,
  generation: number,
  now: number,
): Promise<number> {
  await stopAbandoned(transaction, jobs, now)
  await cancelOrphans(transaction, jobs, now)
  await jobs.make(transaction)
  const rows = await transaction.rows(withoutJob, [generation])
  for (const row of rows) {
    const job_id = newJobId()
    await transaction.rows(
      'update operations set job_id = ?::uuid, job_retry = null where operation_id = ?',
      [job_id, row.operation_id],
    )
    queueJob(transaction, { ...row, job_id })
  }
  await transaction.rows('delete from deletions where at < ?', [now - deletionsKeptMs])
  await transaction.rows(`delete from writers where written_at < now() - interval '30 days'`)
  return rows.length
}
