import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { isTerminal, next } from '../../operations/lifecycle.ts'
import type {
  Checkpoint,
  LogLine,
  MetricPoint,
  NewOperation,
  OperationRecord,
  OperationStatus,
  OperationType,
  StoredLogLine,
  StoredMetricPoint,
} from '../../operations/operation.ts'
import { keptLines, keptPoints, withCheckpoint, withWarning } from '../bounds.ts'
import { endingColumns } from '../ending.ts'
import { type Row, toInsert, toNewRecord, toRecord } from '../rows.ts'
import type { Created, CreateOptions, Ending, ProgressUpdate, Reopen, Reopened, Store } from '../store.ts'
import { GroupCommit } from './group-commit.ts'
import { migrate } from './migrations.ts'
import { Reads } from './reads.ts'
import { statements } from './statements.ts'

type Values = Record<string, SQLInputValue>

/** The embedded store: one SQLite file, one writer, every commit flushed to disk. */
export class SqliteStore extends Reads implements Store {
  readonly kind = 'sqlite'
  readonly #commit: GroupCommit
  readonly #lock: DatabaseSync
  readonly #checkpointer: Worker
  #changeSeq: number

  /** @param file path of the database, made when missing  @throws {Error} when another process has it open */
  static open(file: string): SqliteStore {
    const lock = lockFile(`${file}.lock`)
    const database = new DatabaseSync(file)
    database.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
      pragma busy_timeout = 5000; pragma wal_autocheckpoint = 0; pragma cache_size = -65536`)
    migrate(database)
    return new SqliteStore(database, lock, file)
  }

  private constructor(database: DatabaseSync, lock: DatabaseSync, file: string) {
    super(database)
    this.#lock = lock
    this.#commit = new GroupCommit(database)
    this.#changeSeq = this.latestChangeNow()
    this.#checkpointer = new Worker(new URL('./wal-checkpointer.ts', import.meta.url), { workerData: file })
    this.#checkpointer.unref()
  }

  create(operation: NewOperation, options: CreateOptions): Promise<Created> {
    return this.#commit.write((): Created => {
      const seen =
        options.idempotency === null ? null : this.findByKeyNow(options.idempotency.key, operation.created_at)
      if (seen !== null) {
        const isSame = seen.fingerprint === options.idempotency?.fingerprint
        return isSame ? { outcome: 'replayed', record: seen.record } : { outcome: 'key-reused' }
      }
      const pending = Number(this.statement(statements.pendingTopLevel).get()?.pending)
      if (pending >= options.queueMax) return { outcome: 'queue-full', pending }
      const record = this.#insert(operation)
      if (record === null) throw new Error(`operation ${operation.operation_id} exists already`)
      if (options.idempotency !== null) this.#remember(options.idempotency, operation.operation_id)
      return { outcome: 'created', record }
    })
  }

  createChildren(parentId: string, attempt: number, children: readonly NewOperation[]): Promise<boolean> {
    return this.#commit.write(() => {
      if (
        this.#apply(statements.progressTouch, {
          id: parentId,
          attempt,
          now: children[0]?.created_at ?? 0,
        }) === null
      )
        return false
      for (const child of children) this.#insert(child)
      return true
    })
  }

  claim(node: string, startable: readonly OperationType[], now: number): Promise<OperationRecord | null> {
    return this.#commit.write(() => {
      const first = this.#nextPending(startable)
      return first === null ? null : this.#apply(statements.claim, { ...first, node, now })
    })
  }

  recordProgress(updates: readonly ProgressUpdate[], now: number): Promise<OperationRecord[]> {
    return this.#commit.write(
      () =>
        updates.flatMap(update => {
          const { progress, phase, steps, rate, eta_seconds } = update.progress
          const record = this.#apply(statements.progress, {
            id: update.operation_id,
            attempt: update.attempt,
            progress,
            phase,
            steps: steps === null ? null : JSON.stringify(steps),
            rate,
            eta_seconds,
            worker_thread: update.worker_thread,
            heartbeat_at: update.heartbeat_at,
            now,
          })
          return record === null ? [] : [record]
        }),
      false,
    )
  }

  appendMetrics(
    id: string,
    attempt: number,
    name: string,
    points: readonly MetricPoint[],
  ): Promise<StoredMetricPoint[] | null> {
    return this.#commit.write(() => {
      if (!this.#isRunning(id, attempt)) return null
      const last = this.#lastSeq('metrics', id)
      const insert = this.statement(
        'insert into metrics (operation_id, seq, attempt, name, at, point) values (?, ?, ?, ?, ?, ?)',
      )
      return keptPoints(last, points).map((point, index) => {
        const seq = last + 1 + index
        insert.run(id, seq, attempt, name, point.at, JSON.stringify(point.values))
        return { ...point, seq, attempt, name }
      })
    }, false)
  }

  trimMetrics(id: string, attempt: number, seq: number): Promise<void> {
    return this.#commit.write(() => {
      if (this.#isRunning(id, attempt))
        this.statement('delete from metrics where operation_id = ? and seq > ?').run(id, seq)
    })
  }

  appendLogs(id: string, attempt: number, lines: readonly LogLine[]): Promise<StoredLogLine[] | null> {
    return this.#commit.write(() => {
      if (!this.#isRunning(id, attempt)) return null
      const last = this.#lastSeq('logs', id)
      const insert = this.statement(
        'insert into logs (operation_id, seq, attempt, at, level, message) values (?, ?, ?, ?, ?, ?)',
      )
      return keptLines(last, lines).map((line, index) => {
        const seq = last + 1 + index
        insert.run(id, seq, attempt, line.at, line.level, line.message)
        return { ...line, seq, attempt }
      })
    }, false)
  }

  addWarning(id: string, attempt: number, warning: string, now: number): Promise<OperationRecord | null> {
    return this.#commit.write(() => {
      const warnings = withWarning(this.getNow(id)?.warnings ?? [], warning)
      if (warnings === null) return null
      return this.#apply(statements.warnings, { id, attempt, now, warnings: JSON.stringify(warnings) })
    })
  }

  saveCheckpoint(
    id: string,
    attempt: number,
    checkpoint: Omit<Checkpoint, 'metrics_seq'>,
    now: number,
  ): Promise<OperationRecord | null> {
    return this.#commit.write(() => {
      const kept = this.getNow(id)?.checkpoints ?? []
      const saved = { ...checkpoint, metrics_seq: this.#lastSeq('metrics', id) }
      const checkpoints = withCheckpoint(kept, saved)
      return this.#apply(statements.checkpoints, {
        id,
        attempt,
        now,
        checkpoints: JSON.stringify(checkpoints),
      })
    })
  }

  finish(id: string, attempt: number, ending: Ending, now: number): Promise<OperationRecord | null> {
    return this.#commit.write(() => {
      const { statement, columns } = endingColumns(ending)
      return this.#apply(statements[statement], { id, attempt, now, ...columns })
    })
  }

  cancel(id: string, reason: string | null, now: number): Promise<OperationRecord | null> {
    return this.#commit.write(() => this.#apply(statements.cancel, { id, reason, now }))
  }

  requeue(id: string, attempt: number, extra: number, now: number): Promise<OperationRecord | null> {
    return this.#commit.write(() => this.#apply(statements.requeue, { id, attempt, extra, now }))
  }

  reopen(id: string, how: Reopen, now: number): Promise<Reopened | null> {
    return this.#commit.write(() => {
      const record = this.#reopenOne(id, how, now)
      if (record === null) return null
      if (how.event === 'resume') return { record, children: this.#resumeChildren(id, how, now), deleted: [] }
      this.statement('delete from metrics where operation_id = ?').run(id)
      return { record, children: [], deleted: this.#deleteChildren(id) }
    })
  }

  delete(id: string): Promise<string[]> {
    return this.#commit.write(() => {
      const family = this.statement(statements.family).all({ id })
      if (family.some(row => !isTerminal(String(row.status) as OperationStatus))) return []
      this.statement('delete from operations where operation_id = ?').run(id)
      return family.map(row => String(row.operation_id))
    })
  }

  forgetKeys(now: number): Promise<void> {
    return this.#commit.write(() => {
      this.statement('delete from idempotency_keys where expires_at <= ?').run(now)
    })
  }

  ping(): Promise<void> {
    return this.#commit.write(() => undefined)
  }

  async close(): Promise<void> {
    this.#commit.flush()
    // It kept nobody alive while the store was open; now its end is waited for.
    this.#checkpointer.ref()
    const gone = new Promise(resolve => this.#checkpointer.once('exit', resolve))
    this.#checkpointer.postMessage('close')
    await gone
    this.database.exec('pragma wal_checkpoint(truncate)')
    this.database.close()
    this.#lock.close()
  }

  #apply(sql: string, values: Values): OperationRecord | null {
    const seq = this.#changeSeq + 1
    const row: Row | undefined = this.statement(sql).get({ ...values, seq })
    if (row === undefined) return null
    this.#changeSeq = seq
    return toRecord(row)
  }

  /** @returns null when it is there already */
  #insert(operation: NewOperation): OperationRecord | null {
    const seq = this.#changeSeq + 1
    if (this.statement(statements.insert).run({ ...toInsert(operation), seq }).changes === 0) return null
    this.#changeSeq = seq
    return toNewRecord(operation, seq)
  }

  #reopenOne(id: string, how: Reopen, now: number): OperationRecord | null {
    const provenance = how.provenance === null ? null : JSON.stringify(how.provenance)
    const warnings = JSON.stringify(how.warnings)
    return this.#apply(statements.reopen(how.event), {
      id,
      attempts: how.attempts,
      provenance,
      warnings,
      now,
    })
  }

  #resumeChildren(parentId: string, how: Reopen, now: number): OperationRecord[] {
    return this.childrenNow(parentId).flatMap(child => {
      const event = child.checkpoints.length > 0 ? 'resume' : 'retry'
      if (next(child.status, event) === undefined) return []
      const { warnings } = child
      const reopened = this.#reopenOne(child.operation_id, { ...how, event, warnings }, now)
      return reopened === null ? [] : [reopened]
    })
  }

  #deleteChildren(parentId: string): string[] {
    const family = this.statement(statements.family).all({ id: parentId })
    this.statement('delete from operations where parent_operation_id = ?').run(parentId)
    return family.map(row => String(row.operation_id)).filter(id => id !== parentId)
  }

  #nextPending(types: readonly OperationType[]): { id: string; attempt: number } | null {
    const heads = types.flatMap(type => {
      const row = this.statement(statements.nextOfType).get(type)
      return row === undefined
        ? []
        : [{ id: String(row.operation_id), attempt: Number(row.attempt), priority: Number(row.priority) }]
    })
    const [first] = heads.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
    return first === undefined ? null : { id: first.id, attempt: first.attempt }
  }

  #isRunning(id: string, attempt: number): boolean {
    return this.statement(statements.running).get({ id, attempt }) !== undefined
  }

  #lastSeq(table: 'metrics' | 'logs', id: string): number {
    return Number(
      this.statement(`select coalesce(max(seq), 0) as seq from ${table} where operation_id = ?`).get(id)?.seq,
    )
  }

  #remember(key: { key: string; fingerprint: string; expires_at: number }, operationId: string): void {
    this.statement(
      'insert or replace into idempotency_keys (key, fingerprint, operation_id, expires_at) values (?, ?, ?, ?)',
    ).run(key.key, key.fingerprint, operationId, key.expires_at)
  }
}

/**
 * Two servers on one data folder would take each other's running operations for interrupted ones. The lock is the
 * operating system's: it goes with the process, however that ends.
 * @throws {Error} when another process holds it
 */
export function lockFile(path: string): DatabaseSync {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('pragma busy_timeout = 0; begin exclusive')
    return lock
  } catch {
    lock.close()
    throw new Error(
      `Another ktrdr is running on this data folder (${path} is locked): stop it, or set KTRDR_HOME.`,
    )
  }
}
