import { sourcesOf } from '../../operations/lifecycle.ts'
import type {
  Checkpoint,
  LogLine,
  MetricPoint,
  NewOperation,
  OperationRecord,
  StoredLogLine,
  StoredMetricPoint,
} from '../../operations/operation.ts'
import { withCheckpoint, withWarning } from '../bounds.ts'
import { endingColumns } from '../ending.ts'
import { toRecord } from '../rows.ts'
import { textList } from '../statements.ts'
import type { Created, CreateOptions, Ending, ProgressUpdate } from '../store.ts'
import { cancelOne } from './claim.ts'
import type { Reader } from './connection.ts'
import type { Jobs } from './jobs.ts'
import { Reads } from './reads.ts'
import { addLines, addPoints, dropPoints, lastSeq } from './series.ts'
import { applyQueued, countFenced, insertAll, leaseOf, statements } from './statements.ts'
import type { Transaction, Values } from './transaction.ts'
import type { Writer } from './writer.ts'

/** How much is pending, and the operation that the key was used for, if it was: all in one question. */
const beforeCreate = `select queue.pending, seen.* from (${statements.pendingTopLevel}) as queue
  left join (select fingerprint, operations.* from idempotency_keys join operations using (operation_id)
    where key = ? and expires_at > ?) as seen on true`

/** What nodes write about operations, each write with the job that belongs to it. */
export class Writes extends Reads {
  protected readonly writer: Writer
  protected readonly jobs: Jobs
  /** Of the code that runs here. */
  protected readonly generation: number

  constructor(reader: Reader, writer: Writer, jobs: Jobs, generation: number) {
    super(reader)
    this.writer = writer
    this.jobs = jobs
    this.generation = generation
  }

  create(operation: NewOperation, { idempotency, queueMax }: CreateOptions): Promise<Created> {
    return this.writer.write(async (transaction): Promise<Created> => {
      const [row] = await transaction.rows(beforeCreate, [idempotency?.key ?? null, operation.created_at])
      if (row?.fingerprint !== null && row !== undefined) {
        const isSame = row.fingerprint === idempotency?.fingerprint
        return isSame ? { outcome: 'replayed', record: toRecord(row) } : { outcome: 'key-reused' }
      }
      const pending = Number(row?.pending)
      if (pending >= queueMax) return { outcome: 'queue-full', pending }
      const [record] = await insertAll(transaction, [operation], this.generation, idempotency)
      if (record === undefined) throw new Error(`operation ${operation.operation_id} exists already`)
      return { outcome: 'created', record }
    })
  }

  createChildren(parentId: string, attempt: number, children: readonly NewOperation[]): Promise<boolean> {
    return this.writer.write(async transaction => {
      const now = children[0]?.created_at ?? 0
      const parent = await applyFenced(transaction, statements.progressTouch, { id: parentId, attempt, now })
      if (parent === null) return false
      await insertAll(transaction, children, this.generation)
      return true
    })
  }

  recordProgress(updates: readonly ProgressUpdate[], now: number): Promise<OperationRecord[]> {
    return this.writer.write(async transaction => {
      const rows = []
      for (const update of updates) {
        const row = await applyFenced(transaction, statements.progress, {
          id: update.operation_id,
          attempt: update.attempt,
          ...update.progress,
          steps: update.progress.steps === null ? null : JSON.stringify(update.progress.steps),
          worker_thread: update.worker_thread,
          heartbeat_at: update.heartbeat_at,
          now,
        })
        if (row !== null) rows.push(row)
      }
      const leases = rows.map(leaseOf).filter(lease => lease !== null)
      await this.jobs.touch(transaction, leases)
      return rows.map(toRecord)
    }, false)
  }

  appendMetrics(
    id: string,
    attempt: number,
    name: string,
    points: readonly MetricPoint[],
  ): Promise<StoredMetricPoint[] | null> {
    return this.writer.write(transaction => addPoints(transaction, { id, attempt, name }, points), false)
  }

  trimMetrics(id: string, attempt: number, seq: number): Promise<void> {
    return this.writer.write(transaction => dropPoints(transaction, id, attempt, seq))
  }

  appendLogs(id: string, attempt: number, lines: readonly LogLine[]): Promise<StoredLogLine[] | null> {
    return this.writer.write(transaction => addLines(transaction, id, attempt, lines), false)
  }

  addWarning(id: string, attempt: number, warning: string, now: number): Promise<OperationRecord | null> {
    return this.writer.write(async transaction => {
      const warnings = withWarning((await recordOf(transaction, id))?.warnings ?? [], warning)
      if (warnings === null) return null
      const values = { id, attempt, now, warnings: JSON.stringify(warnings) }
      return toRecordOrNull(await applyFenced(transaction, statements.warnings, values))
    })
  }

  saveCheckpoint(
    id: string,
    attempt: number,
    checkpoint: Omit<Checkpoint, 'metrics_seq'>,
    now: number,
  ): Promise<OperationRecord | null> {
    return this.writer.write(async transaction => {
      const kept = (await recordOf(transaction, id))?.checkpoints ?? []
      const saved = { ...checkpoint, metrics_seq: await lastSeq(transaction, 'metrics', id) }
      const checkpoints = JSON.stringify(withCheckpoint(kept, saved))
      return toRecordOrNull(
        await applyFenced(transaction, statements.checkpoints, { id, attempt, now, checkpoints }),
      )
    })
  }

  finish(id: string, attempt: number, ending: Ending, now: number): Promise<OperationRecord | null> {
    return this.writer.write(async transaction => {
      if ((await this.#release(transaction, id, attempt, ending.event)) === null) return null
      const { statement, columns } = endingColumns(ending)
      return toRecordOrNull(await transaction.apply(statements[statement], { id, attempt, now, ...columns }))
    })
  }

  requeue(id: string, attempt: number, extra: number, now: number): Promise<OperationRecord | null> {
    return this.writer.write(async transaction => {
      const present = await recordOf(transaction, id)
      if (present !== null && attempt >= present.max_attempts + extra) return null
      if ((await this.#release(transaction, id, attempt, 'requeue')) === null) return null
      return applyQueued(transaction, statements.requeue, { id, attempt, extra, now })
    })
  }

  cancel(id: string, reason: string | null, now: number): Promise<OperationRecord | null> {
    return this.writer.write(transaction => cancelOne(transaction, this.jobs, { id, reason, now }))
  }

  forgetKeys(now: number): Promise<void> {
    return this.writer.write(async transaction => {
      await transaction.rows('delete from idempotency_keys where expires_at <= ?', [now])
    })
  }

  /**
   * Ends the job of an attempt that is about to end: both or neither.
   * @returns null when the attempt may not do that: it is not the running one, or its lease has lapsed
   */
  async #release(
    transaction: Transaction,
    id: string,
    attempt: number,
    event: 'complete' | 'fail' | 'stop' | 'requeue',
  ): Promise<true | null> {
    const [row] = await transaction.rows(
      `select job_id, job_retry from operations
       where operation_id = ? and attempt = ?::integer and status in (${textList(sourcesOf(event))})`,
      [id, attempt],
    )
    if (row === undefined) {
      await countFenced(transaction, id, attempt)
      return null
    }
    const lease = leaseOf(row)
    if (lease !== null && (await this.jobs.settle(transaction, lease))) return true
    transaction.fenced += 1
    return null
  }
}

/** As `Transaction.apply`, for writes of attempts. */
async function applyFenced(
  transaction: Transaction,
  sql: string,
  values: Values & { id: string; attempt: number },
) {
  const row = await transaction.apply(sql, values)
  if (row === null) await countFenced(transaction, values.id, values.attempt)
  return row
}

async function recordOf(transaction: Transaction, id: string): Promise<OperationRecord | null> {
  const [row] = await transaction.rows('select * from operations where operation_id = ?', [id])
  return row === undefined ? null : toRecord(row)
}

const toRecordOrNull = (row: Parameters<typeof toRecord>[0] | null): OperationRecord | null =>
  row === null ? null : toRecord(row)
