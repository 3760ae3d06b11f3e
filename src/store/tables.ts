import { createHash } from 'node:crypto'

/**
 * Whole tables, as `transfer`, `backup` and `restore` move them from one database to another. Columns are read from the
 * databases; what is named here is only which tables there are and by what their rows are ordered.
 */

/** A value as either database keeps it: text (JSON stays text), a number, or nothing. */
export type Cell = string | number | null
export type CopiedRow = readonly Cell[]

/** The key of each table that is copied, those that are referred to first. Everything else is derived, or of one server. */
const keys = {
  operations: ['operation_id'],
  metrics: ['operation_id', 'seq'],
  logs: ['operation_id', 'seq'],
  idempotency_keys: ['key'],
} as const satisfies Record<string, readonly string[]>

export type CopiedTable = keyof typeof keys
export const copiedTables = Object.keys(keys) as readonly CopiedTable[]

/**
 * Columns of Postgres that say which node runs what: they mean nothing elsewhere, and start anew.
 * `generation` is that of the program that writes the rows.
 */
export const nodeColumns: readonly string[] = ['job_id', 'job_retry', 'generation']

/** Reads one state of a database: what is written meanwhile is not seen. */
export interface TableReader {
  /** In the order of the database. */
  columns(table: CopiedTable): Promise<readonly string[]>
  count(table: CopiedTable): Promise<number>
  /** All rows in batches, by key; parents before their children. The order is the same in every database. */
  rows(table: CopiedTable, columns: readonly string[]): AsyncIterable<readonly CopiedRow[]>
  close(): Promise<void>
}

/** Fills an empty database. Nothing of it is seen by others before the commit; closed without, it leaves nothing. */
export interface TableWriter extends TableReader {
  write(table: CopiedTable, columns: readonly string[], rows: readonly CopiedRow[]): Promise<void>
  /** All at once, on disk when it resolves. Closes it, too. */
  commit(): Promise<void>
}

/** Rows of one batch: enough to be quick, few enough for rows of megabytes. */
const batchRows = 500
const batchCharacters = 4_000_000

/**
 * The query behind `rows`.
 * @param binary what makes a database compare texts byte by byte: `collate binary` or `collate "C"`
 */
export function selectRows(table: CopiedTable, columns: readonly string[], binary: string): string {
  const list = columns.map(column => `t."${column}"`).join(', ')
  const order = keys[table].map(key => (key === 'seq' ? 't.seq' : `t."${key}" ${binary}`)).join(', ')
  if (table !== 'operations') return `select ${list} from ${table} t order by ${order}`
  return `with recursive tree (id, depth) as (
      select operation_id, 0 from operations where parent_operation_id is null
      union all
      select child.operation_id, tree.depth + 1 from operations child join tree on child.parent_operation_id = tree.id)
    select ${list} from tree join operations t on t.operation_id = tree.id order by tree.depth, ${order}`
}

/** Cuts rows into batches. @param rows as the database delivers them */
export function* inBatches(rows: Iterable<CopiedRow>): Generator<readonly CopiedRow[]> {
  let batch: CopiedRow[] = []
  let characters = 0
  for (const row of rows) {
    batch.push(row)
    for (const cell of row) if (typeof cell === 'string') characters += cell.length
    if (batch.length < batchRows && characters < batchCharacters) continue
    yield batch
    batch = []
    characters = 0
  }
  if (batch.length > 0) yield batch
}

/**
 * How many rows a table has, and a hash over every value of them. The character U+0000, which Postgres cannot store,
 * counts as U+FFFD, which stands for it there.
 */
export type TableDigest = { readonly rows: number; readonly sha256: string }

/** Adds up a {@link TableDigest}, batch by batch. */
export class TableHash {
  readonly #hash = createHash('sha256')
  /** So far. */
  rows = 0

  add(rows: readonly CopiedRow[]): void {
    for (const row of rows) this.#hash.update(`${JSON.stringify(row.map(withoutNul))}\n`)
    this.rows += rows.length
  }

  /** Once, at the end. */
  digest(): TableDigest {
    return { rows: this.rows, sha256: this.#hash.digest('hex') }
  }
}

const withoutNul = (cell: Cell): Cell =>
  typeof cell === 'string' && cell.includes('\0') ? cell.replaceAll('\0', '\ufffd') : cell

/** Reads a whole table for its digest. */
export async function digestOf(
  reader: TableReader,
  table: CopiedTable,
  columns: readonly string[],
): Promise<TableDigest> {
  const hash = new TableHash()
  for await (const rows of reader.rows(table, columns)) hash.add(rows)
  return hash.digest()
}
