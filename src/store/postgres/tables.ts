import pg from 'pg'
import { generation } from '../../operations/generation.ts'
import {
  type Cell,
  type CopiedRow,
  type CopiedTable,
  copiedTables,
  selectRows,
  type TableReader,
  type TableWriter,
} from '../tables.ts'
import { clientConfig, storable } from './connection.ts'
import { migrate, schema } from './migrations.ts'

/** A node that has not been heard of for longer does not run any more. */
const lostAfterMs = 12_000
/** Rows fetched at once. */
const batchRows = 200

/** Makes the tables, or brings them up to date. The queue makes its own when the first node starts. */
export async function prepareDatabase(url: string): Promise<void> {
  const client = await connectForLong(url)
  try {
    await migrate(client, async () => undefined)
  } finally {
    await client.end()
  }
}

/** @throws {Error} when a node of a cluster runs on the database */
export async function refuseRunningNodes(url: string): Promise<void> {
  const client = await connectForLong(url)
  try {
    await requireTables(client)
    const { rows } = await client.query(
      'select name from nodes where heartbeat_at > extract(epoch from clock_timestamp()) * 1000 - $1 order by name',
      [lostAfterMs],
    )
    if (rows.length === 0) return
    const names = rows.map(({ name }) => String(name)).join(', ')
    const cure = `stop them; one that was killed counts as running for ${lostAfterMs / 1000} s`
    throw new Error(`nodes run on this database (${names}): ${cure}`)
  } finally {
    await client.end()
  }
}

/** The tables of a Postgres database, in one state of it. */
export class PostgresTables implements TableReader {
  protected readonly client: pg.Client
  #isOpen = true

  /** @throws {Error} when there are no tables of ktrdr */
  static async open(url: string): Promise<PostgresTables> {
    const client = await connectForLong(url)
    try {
      await requireTables(client)
      await client.query('begin isolation level repeatable read read only')
      return new PostgresTables(client)
    } catch (error) {
      await client.end()
      throw error
    }
  }

  protected constructor(client: pg.Client) {
    this.client = client
  }

  async columns(table: CopiedTable): Promise<readonly string[]> {
    const { rows } = await this.client.query(
      'select column_name from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position',
      [schema, table],
    )
    return rows.map(({ column_name }) => String(column_name))
  }

  async count(table: CopiedTable): Promise<number> {
    const { rows } = await this.client.query(`select count(*) as n from ${table}`)
    return Number(rows[0]?.n)
  }

  async *rows(table: CopiedTable, columns: readonly string[]): AsyncGenerator<readonly CopiedRow[]> {
    await this.client.query(
      `declare whole_table no scroll cursor for ${selectRows(table, columns, 'collate "C"')}`,
    )
    for (;;) {
      const { rows } = await this.client.query<Cell[]>({
        text: `fetch ${batchRows} from whole_table`,
        rowMode: 'array',
      })
      if (rows.length === 0) break
      yield rows
    }
    await this.client.query('close whole_table')
  }

  /** A transaction that was not committed goes with the connection. */
  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.client.end()
  }
}

/** Fills the empty tables of a Postgres database in one transaction. No node can write before its end. */
export class PostgresTablesWriter extends PostgresTables implements TableWriter {
  /** @throws {Error} when there are operations already */
  static override async open(url: string): Promise<PostgresTablesWriter> {
    const client = await connectForLong(url)
    try {
      // Every writer reads the counter first, so all wait here.
      await client.query('begin; lock table change_counter in access exclusive mode')
      // It would update the same few rows once for each operation; the commit counts them all at once.
      await client.query('alter table operations disable trigger operation_counted')
      const { rows } = await client.query('select 1 from operations limit 1')
      if (rows.length > 0)
        throw new Error('operations were created there meanwhile; choose an empty database')
      return new PostgresTablesWriter(client)
    } catch (error) {
      await client.end()
      throw error
    }
  }

  async write(table: CopiedTable, columns: readonly string[], rows: readonly CopiedRow[]): Promise<void> {
    const names = columns.map(column => `"${column}"`)
    // Made by this program or an older one: a node of an older one must leave it alone.
    const own = table === 'operations' ? [['generation', String(generation)]] : []
    const [into, values] = [0, 1].map(side => [...names, ...own.map(pair => pair[side])].join(', '))
    const objects = rows.map(row =>
      Object.fromEntries(columns.map((column, index) => [column, storable(row[index])])),
    )
    await this.client.query(
      `insert into ${table} (${into}) select ${values} from json_populate_recordset(null::${table}, $1::json)`,
      [JSON.stringify(objects)],
    )
  }

  async commit(): Promise<void> {
    await this.client.query(`
      alter table operations enable trigger operation_counted;
      delete from operation_counts;
      insert into operation_counts (type, status, is_child, generation, n)
        select type, status, (parent_operation_id is not null)::integer as is_child, generation, count(*)
        from operations group by 1, 2, 3, 4;
      update change_counter set value = greatest(value, (select coalesce(max(change_seq), 0) from operations));
      commit;
      analyze ${copiedTables.join(', ')}`)
    await this.close()
  }
}

async function requireTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query('select to_regclass($1) as found', [`${schema}.operations`])
  if (rows[0]?.found === null) throw new Error(`the database has no tables of ktrdr (schema ${schema})`)
}

/** As the store connects, without its limits of time: whole tables take longer than an answer to a client. */
async function connectForLong(url: string): Promise<pg.Client> {
  const { query_timeout: _, ...config } = clientConfig(url)
  const client = new pg.Client(config)
  // Without a listener a broken connection would end the process. The query it breaks fails, too.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('set idle_in_transaction_session_timeout = 0; set statement_timeout = 0')
    return client
  } catch (error) {
    client.end().catch(() => undefined)
    throw error
  }
}
