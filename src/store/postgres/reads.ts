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
import type { Reader } from './connection.ts'

const dialect: ListDialect = {
  contains: column => `strpos(lower(${column}), ?) > 0`,
  using: () => '',
}

/** What can be read from Postgres. Reads are repeated when the connection breaks. */
export class Reads {
  protected readonly reader: Reader

  constructor(reader: Reader) {
    this.reader = reader
  }

  async get(id: string): Promise<OperationRecord | null> {
    const [row] = await this.reader.rows('select * from operations where operation_id = ?', [id])
    return row === undefined ? null : toRecord(row)
  }

  async findByKey(
    key: string,
    now: number,
  ): Promise<{ record: OperationRecord; fingerprint: string } | null> {
    const [row] = await this.reader.rows(
      `select fingerprint, operations.* from idempotency_keys join operations using (operation_id)
       where key = ? and expires_at > ?`,
      [key, now],
    )
    return row === undefined ? null : { record: toRecord(row), fingerprint: String(row.fingerprint) }
  }

  async strategiesInUse(): Promise<ReadonlySet<string>> {
    const rows = await this.reader.rows(
      `select distinct provenance::json ->> 'strategy_sha256' as sha256 from operations
       where provenance::json ->> 'strategy_sha256' is not null`,
    )
    return new Set(rows.map(row => String(row.sha256)))
  }

  async revisionOf(id: string): Promise<number | null> {
    const [row] = await this.reader.rows('select revision from operations where operation_id = ?', [id])
    return row === undefined ? null : Number(row.revision)
  }

  async list(filter: ListFilter): Promise<OperationRecord[]> {
    const { sql, values } = listQuery(filter, dialect)
    return this.#records(sql, values)
  }

  async counts(): Promise<OperationCounts> {
    return toCounts(await this.reader.rows('select type, status, n from operation_counts where n > 0'))
  }

  children(parentId: string): Promise<OperationRecord[]> {
    return this.#records('select * from operations where parent_operation_id = ? order by child_index', [
      parentId,
    ])
  }

  async childCounts(
    parentId: string,
  ): Promise<{ counts: StatusCounts; total: number; meanProgress: number }> {
    return toChildCounts(await this.reader.rows(childCountsQuery, [parentId]))
  }

  async metrics(id: string, after: number, limit: number): Promise<StoredMetricPoint[]> {
    const rows = await this.reader.rows(
      'select * from metrics where operation_id = ? and seq > ? order by seq limit ?',
      [id, after, limit],
    )
    return rows.map(toMetricPoint)
  }

  async logs(id: string, after: number, limit: number): Promise<StoredLogLine[]> {
    const rows = await this.reader.rows(
      'select * from logs where operation_id = ? and seq > ? order by seq limit ?',
      [id, after, limit],
    )
    return rows.map(toLogLine)
  }

  async queuedPosition(record: OperationRecord): Promise<number> {
    const [row] = await this.reader.rows(
      `select count(*) as n from operations
       where status = 'pending' and (priority > ?::integer or (priority = ?::integer and operation_id < ?))`,
      [record.priority, record.priority, record.operation_id],
    )
    return 1 + Number(row?.n)
  }

  async queuedPositions(records: readonly OperationRecord[]): Promise<ReadonlyMap<string, number>> {
    if (records.length === 0) return new Map()
    const rows = await this.reader.rows(
      `select operation_id, position from (
         select operation_id, row_number() over (order by priority desc, operation_id) as position
         from operations where status = 'pending') as queue
       where operation_id = any(?::text[])`,
      [records.map(record => record.operation_id)],
    )
    return new Map(rows.map(row => [String(row.operation_id), Number(row.position)]))
  }

  async pendingCount(): Promise<number> {
    const [row] = await this.reader.rows(
      `select coalesce(sum(n), 0)::bigint as pending from operation_counts where status = 'pending'`,
    )
    return Number(row?.pending)
  }

  changedAfter(seq: number, limit: number): Promise<OperationRecord[]> {
    return this.#records('select * from operations where change_seq > ? order by change_seq limit ?', [
      seq,
      limit,
    ])
  }

  async latestChange(): Promise<number> {
    const [row] = await this.reader.rows('select value from change_counter')
    return Number(row?.value)
  }

  inStatus(wanted: readonly OperationStatus[]): Promise<OperationRecord[]> {
    return this.#records(
      `select * from operations where status in (${marks(wanted)}) order by operation_id`,
      wanted,
    )
  }

  async endedBefore(before: number, limit: number): Promise<string[]> {
    const rows = await this.reader.rows(
      `select operation_id from operations where completed_at < ? and parent_operation_id is null
       order by completed_at limit ?`,
      [before, limit],
    )
    return rows.map(row => String(row.operation_id))
  }

  async #records(sql: string, values: readonly unknown[]): Promise<OperationRecord[]> {
    return (await this.reader.rows(sql, values)).map(toRecord)
  }
}
