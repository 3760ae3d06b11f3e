import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type {
  OperationCounts,
  OperationRecord,
  OperationStatus,
  StatusCounts,
  StoredLogLine,
  StoredMetricPoint,
} from '../../operations/operation.ts'
import { childCountsQuery, toChildCounts, toCounts } from '../counts.ts'
import { type ListDialect, listQuery, marks } from '../list-query.ts'
import { toLogLine, toMetricPoint, toRecord } from '../rows.ts'
import type { ListFilter } from '../store.ts'

/** How far from the end of the queue its length is counted from there. */
const fewBehind = 100

const dialect: ListDialect = {
  contains: column => `instr(lower(${column}), ?)`,
  using: index => `indexed by ${index}`,
}

type Side = { readonly samePriority: '<' | '>'; readonly otherPriority: '<' | '>' }

/** What can be read from the SQLite file. Statements are prepared once. */
export class Reads {
  protected readonly database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.database = database
  }

  protected statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const made = this.database.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }

  protected getNow(id: string): OperationRecord | null {
    const row = this.statement('select * from operations where operation_id = ?').get(id)
    return row === undefined ? null : toRecord(row)
  }

  protected latestChangeNow(): number {
    return Number(this.statement('select coalesce(max(change_seq), 0) as seq from operations').get()?.seq)
  }

  protected findByKeyNow(key: string, now: number): { record: OperationRecord; fingerprint: string } | null {
    const row = this.statement(
      'select fingerprint, operation_id from idempotency_keys where key = ? and expires_at > ?',
    ).get(key, now)
    const record = row === undefined ? null : this.getNow(String(row.operation_id))
    return record === null ? null : { record, fingerprint: String(row?.fingerprint) }
  }

  protected childrenNow(parentId: string): OperationRecord[] {
    return this.statement('select * from operations where parent_operation_id = ? order by child_index')
      .all(parentId)
      .map(toRecord)
  }

  async findByKey(
    key: string,
    now: number,
  ): Promise<{ record: OperationRecord; fingerprint: string } | null> {
    return this.findByKeyNow(key, now)
  }

  async strategiesInUse(): Promise<ReadonlySet<string>> {
    const rows = this.statement(
      `select distinct provenance ->> '$.strategy_sha256' as sha256 from operations where sha256 is not null`,
    ).all()
    return new Set(rows.map(row => String(row.sha256)))
  }

  async get(id: string): Promise<OperationRecord | null> {
    return this.getNow(id)
  }

  async revisionOf(id: string): Promise<number | null> {
    const row = this.statement('select revision from operations where operation_id = ?').get(id)
    return row === undefined ? null : Number(row.revision)
  }

  async list(filter: ListFilter): Promise<OperationRecord[]> {
    const { sql, values } = listQuery(filter, dialect)
    return this.statement(sql)
      .all(...values)
      .map(toRecord)
  }

  async counts(): Promise<OperationCounts> {
    return toCounts(this.statement('select type, status, n from operation_counts where n > 0').all())
  }

  async children(parentId: string): Promise<OperationRecord[]> {
    return this.childrenNow(parentId)
  }

  async childCounts(
    parentId: string,
  ): Promise<{ counts: StatusCounts; total: number; meanProgress: number }> {
    return toChildCounts(this.statement(childCountsQuery).all(parentId))
  }

  async metrics(id: string, after: number, limit: number): Promise<StoredMetricPoint[]> {
    return this.statement('select * from metrics where operation_id = ? and seq > ? order by seq limit ?')
      .all(id, after, limit)
      .map(toMetricPoint)
  }

  async logs(id: string, after: number, limit: number): Promise<StoredLogLine[]> {
    return this.statement('select * from logs where operation_id = ? and seq > ? order by seq limit ?')
      .all(id, after, limit)
      .map(toLogLine)
  }

  async queuedPosition(record: OperationRecord): Promise<number> {
    // Most who ask have just been added at the end: looking there first costs next to nothing.
    const behind = this.#countQueue(record, { samePriority: '>', otherPriority: '<' }, fewBehind + 1)
    if (behind <= fewBehind) return (await this.pendingCount()) - behind
    return 1 + this.#countQueue(record, { samePriority: '<', otherPriority: '>' }, Number.MAX_SAFE_INTEGER)
  }

  async queuedPositions(records: readonly OperationRecord[]): Promise<ReadonlyMap<string, number>> {
    if (records.length === 0) return new Map()
    const rows = this.statement(
      `select operation_id, position from (
         select operation_id, row_number() over (order by priority desc, operation_id) as position
         from operations indexed by operations_queue where status = 'pending')
       where operation_id in (select value from json_each(?))`,
    ).all(JSON.stringify(records.map(record => record.operation_id)))
    return new Map(rows.map(row => [String(row.operation_id), Number(row.position)]))
  }

  async pendingCount(): Promise<number> {
    return Number(
      this.statement(
        `select coalesce(sum(n), 0) as pending from operation_counts where status = 'pending'`,
      ).get()?.pending,
    )
  }

  async changedAfter(seq: number, limit: number): Promise<OperationRecord[]> {
    return this.statement('select * from operations where change_seq > ? order by change_seq limit ?')
      .all(seq, limit)
      .map(toRecord)
  }

  async latestChange(): Promise<number> {
    return this.latestChangeNow()
  }

  /** Pending operations on one side of a record in the queue, counting up to `limit`. */
  #countQueue(record: OperationRecord, side: Side, limit: number): number {
    const pending = `select 1 from operations indexed by operations_queue where status = 'pending' and`
    const row = this.statement(
      `select count(*) as n from (${pending} priority = ? and operation_id ${side.samePriority} ?
       union all ${pending} priority ${side.otherPriority} ? limit ?)`,
    ).get(record.priority, record.operation_id, record.priority, limit)
    return Number(row?.n)
  }

  async inStatus(wanted: readonly OperationStatus[]): Promise<OperationRecord[]> {
    return this.statement(`select * from operations where status in (${marks(wanted)}) order by operation_id`)
      .all(...wanted)
      .map(toRecord)
  }

  async endedBefore(before: number, limit: number): Promise<string[]> {
    const rows = this.statement(
      'select operation_id from operations indexed by operations_ended where completed_at < ? and parent_operation_id is null order by completed_at limit ?',
    ).all(before, limit)
    return rows.map(row => String(row.operation_id))
  }
}
