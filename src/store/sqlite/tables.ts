import { existsSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  type Cell,
  type CopiedRow,
  type CopiedTable,
  inBatches,
  selectRows,
  type TableReader,
  type TableWriter,
} from '../tables.ts'
import { migrate } from './migrations.ts'
import { lockFile } from './sqlite-store.ts'

/**
 * Keeps servers off a database file. @param file of the database; it need not exist, its folder must
 * @returns what gives it free  @throws {Error} when a server runs on it
 */
export function lockDatabase(file: string): () => void {
  const lock = lockFile(`${file}.lock`)
  return () => lock.close()
}

/** The tables of a SQLite file, in one state of it. */
export class SqliteTables implements TableReader {
  protected readonly database: DatabaseSync

  /** @throws {Error} when there is no such file, or when it is of another version of ktrdr */
  static open(file: string): SqliteTables {
    const database = openToRead(file)
    database.exec('begin')
    return new SqliteTables(database)
  }

  protected constructor(database: DatabaseSync) {
    this.database = database
  }

  async columns(table: CopiedTable): Promise<readonly string[]> {
    const rows = this.database.prepare('select name from pragma_table_info(?) order by cid').all(table)
    return rows.map(({ name }) => String(name))
  }

  async count(table: CopiedTable): Promise<number> {
    return Number(this.database.prepare(`select count(*) as n from ${table}`).get()?.n)
  }

  async *rows(table: CopiedTable, columns: readonly string[]): AsyncGenerator<readonly CopiedRow[]> {
    const statement = this.database.prepare(selectRows(table, columns, 'collate binary'))
    statement.setReturnArrays(true)
    yield* inBatches(cellsOf(statement))
  }

  async close(): Promise<void> {
    if (!this.database.isOpen) return
    if (this.database.isTransaction) this.database.exec('rollback')
    this.database.close()
  }
}

/** A new file, filled table by table. It is not the store's before somebody gives it that name. */
export class SqliteTablesWriter extends SqliteTables implements TableWriter {
  readonly #prepared = new Map<string, StatementSync>()

  /** @param file that does not exist */
  constructor(file: string) {
    // Parents and children come in any order of batches; the commit looks whether they belong together.
    const database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
    // Nobody sees the file before it is whole, so it needs no journal; it is flushed as a whole.
    database.exec('pragma journal_mode = off; pragma synchronous = off')
    migrate(database)
    database.exec('begin')
    super(database)
  }

  async write(table: CopiedTable, columns: readonly string[], rows: readonly CopiedRow[]): Promise<void> {
    const statement = this.#insert(table, columns)
    for (const row of rows) statement.run(...row)
  }

  async commit(): Promise<void> {
    const orphans = this.database.prepare('pragma foreign_key_check').all()
    if (orphans.length > 0)
      throw new Error(
        `${orphans.length} rows of ${orphans[0]?.table} belong to operations that are not there`,
      )
    this.database.exec('commit')
    this.database.close()
  }

  #insert(table: CopiedTable, columns: readonly string[]): StatementSync {
    const names = columns.map(column => `"${column}"`).join(', ')
    const sql = `insert into ${table} (${names}) values (${columns.map(() => '?').join(', ')})`
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const made = this.database.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }
}

function openToRead(file: string): DatabaseSync {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  const database = new DatabaseSync(file)
  try {
    database.exec('pragma busy_timeout = 5000; pragma query_only = on')
    checkVersion(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function checkVersion(database: DatabaseSync, file: string): void {
  const found = versionOf(database)
  const fresh = new DatabaseSync(':memory:')
  migrate(fresh)
  const known = versionOf(fresh)
  fresh.close()
  if (found === known) return
  const cure =
    found < known ? 'start this ktrdr on it once and stop it again' : 'use the newer ktrdr that wrote it'
  throw new Error(`${file} has schema ${found}, this ktrdr has ${known}: ${cure}`)
}

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('pragma user_version').get()?.user_version)

function* cellsOf(statement: StatementSync): Generator<CopiedRow> {
  for (const row of statement.iterate() as Iterable<unknown>) yield (row as unknown[]).map(toCell)
}

function toCell(value: unknown): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new Error(`a database of ktrdr holds no ${typeof value}`)
}
