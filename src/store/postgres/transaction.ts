import type pg from 'pg'
import type { OperationRecord } from '../../operations/operation.ts'
import { type Row, toRecord } from '../rows.ts'
import { nameOf, numbered, storable } from './connection.ts'
import type { NewJob } from './jobs.ts'

export type Values = Readonly<Record<string, string | number | null>>

/** What Postgres cannot guess from where a parameter stands. All others are texts. */
const castOf: ReadonlyMap<string, string> = new Map([
  ...['now', 'seq', 'heartbeat_at'].map(name => [name, 'bigint'] as const),
  ...['attempt', 'attempts', 'extra', 'worker_thread', 'job_retry'].map(name => [name, 'integer'] as const),
  ...['progress', 'rate', 'eta_seconds'].map(name => [name, 'double precision'] as const),
  ['job_id', 'uuid'],
])

type Prepared = { readonly text: string; readonly names: readonly string[] }
const prepared = new Map<string, Prepared>()

/** A statement with named parameters (`$id`) as Postgres takes it: numbered, each with its type. */
function prepare(sql: string): Prepared {
  const known = prepared.get(sql)
  if (known !== undefined) return known
  const names: string[] = []
  const text = sql.replace(/\$([a-z_]+)/g, (_, name: string) => {
    if (!names.includes(name)) names.push(name)
    return `$${names.indexOf(name) + 1}::${castOf.get(name) ?? 'text'}`
  })
  const made = { text, names }
  prepared.set(sql, made)
  return made
}

/** How far a transaction has come, to go back to when one of its writes fails. */
type Mark = {
  readonly seq: number
  readonly fenced: number
  readonly jobs: readonly NewJob[]
  readonly isDirty: boolean
}

/** One transaction of the writer: what its writes ask, and what is told when it is committed. */
export class Transaction {
  readonly #client: pg.Client
  /** The newest change number that was given. */
  seq: number
  /** Something was written. */
  isDirty = false
  /** Jobs that are made before the next look at the queue, and at the latest before the commit. */
  readonly jobs: NewJob[] = []
  /** Revisions of what was changed, by id; 0 for what was deleted. */
  readonly revisions = new Map<string, number>()
  /** Operations that got metrics or logs. */
  readonly series = new Set<string>()
  /** Writes of attempts that are not the running one any more. */
  fenced = 0
  /** This transaction as the queue takes it. */
  readonly db = {
    executeSql: (text: string, values: unknown[] = []) => this.#query(text, values),
  }

  constructor(client: pg.Client, seq: number) {
    this.#client = client
    this.seq = seq
  }

  /** @param sql parameters as `?` */
  async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#query(numbered(sql), values.map(storable))).rows
  }

  /** @param sql parameters by name */
  async named(sql: string, values: Values): Promise<Row[]> {
    const { text, names } = prepare(sql)
    const given = names.map(name => {
      const value = values[name]
      if (value === undefined) throw new Error(`${name} is not given to ${sql}`)
      return storable(value)
    })
    return (await this.#query(text, given)).rows
  }

  /** Runs a guarded update of one operation. @returns the row as changed; null when the guard refused */
  async apply(sql: string, values: Values): Promise<Row | null> {
    const seq = this.seq + 1
    const [row] = await this.named(sql, { ...values, seq })
    if (row === undefined) return null
    this.seq = seq
    this.changed(toRecord(row))
    return row
  }

  nextSeq(): number {
    this.seq += 1
    return this.seq
  }

  changed({ operation_id, revision }: Pick<OperationRecord, 'operation_id' | 'revision'>): void {
    this.revisions.set(operation_id, revision)
  }

  mark(): Mark {
    return { seq: this.seq, fenced: this.fenced, jobs: [...this.jobs], isDirty: this.isDirty }
  }

  /** Forgets what a write did that was undone. What it would have told may be told: that is only a wake-up. */
  backTo(mark: Mark): void {
    this.seq = mark.seq
    this.fenced = mark.fenced
    this.jobs.splice(0, Infinity, ...mark.jobs)
    this.isDirty = mark.isDirty
  }

  async #query(text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
    const result = await this.#client.query<Row>({ ...nameOf(text), text, values })
    // A `with` may write, whatever it selects in the end.
    if (!/^\s*select\b/i.test(text) && (result.rowCount ?? 0) > 0) this.isDirty = true
    return result
  }
}
