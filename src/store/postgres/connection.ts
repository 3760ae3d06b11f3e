import pg from 'pg'
import { errorFields, type Log } from '../../log.ts'
import { Problem } from '../../problems.ts'
import type { Row } from '../rows.ts'
import { schema } from './migrations.ts'

/** For how long a database that is gone is waited for. */
export const patienceMs = 30_000
/** Between two tries. */
const pauseMs = 100
/** A server that does not answer at all, in time for the next try. */
const connectTimeoutMs = 5_000
/** No statement of ours takes so long: the connection is dead though nobody said so. */
const answerTimeoutMs = 20_000
/** A node that is frozen within a transaction loses it, and with it the lock that every writer waits for. */
const idleInTransactionMs = 2_000

/** Class 08 (connection), 57P (the server goes or comes), too many clients, and a transaction idle for too long. */
const lossCodes = /^(08...|57P..|53300|25P03)$/
const socketCodes = /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)$/
const lossMessages =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout expired|Client was closed|timeout exceeded when trying to connect|cached plan must not change result type)/

type Failure = { readonly code: string; readonly message: string; readonly errors: readonly unknown[] }

/** What can be told of an error that comes from a driver or from the operating system. */
function failureOf(error: unknown): Failure {
  if (typeof error !== 'object' || error === null) return { code: '', message: '', errors: [] }
  return {
    code: 'code' in error ? String(error.code) : '',
    message: 'message' in error ? String(error.message) : '',
    // Of several addresses of one name, each was tried.
    errors: 'errors' in error && Array.isArray(error.errors) ? error.errors : [],
  }
}

/** Whether the connection broke, or could not be made: what was asked may or may not have been done. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, message, errors } = failureOf(error)
  if (errors.length > 0) return errors.some(isConnectionLoss)
  return lossCodes.test(code) || socketCodes.test(code) || lossMessages.test(message)
}

/** Whether the transaction as a whole was refused (deadlock, serialisation): it was undone and may be tried again. */
export function isConflict(error: unknown): boolean {
  return ['40P01', '40001'].includes(failureOf(error).code)
}

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    // Epoch milliseconds and sequence numbers, which a double holds exactly.
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
}

/** How every connection of the store is made. @param url postgres://user:password@host:port/database */
export function clientConfig(url: string): pg.ClientConfig {
  const address = new URL(url)
  const given = address.searchParams.get('options')
  const ours = [
    `search_path=${schema}`,
    `idle_in_transaction_session_timeout=${idleInTransactionMs}`,
    // A plan that was made while a table was empty would be kept when it is full.
    'plan_cache_mode=force_custom_plan',
    // To compile a plan takes longer than any of these queries.
    'jit=off',
  ]
    .map(setting => `-c ${setting}`)
    .join(' ')
  address.searchParams.set('options', given === null ? ours : `${given} ${ours}`)
  return {
    connectionString: address.href,
    application_name: 'ktrdr',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  }
}

/**
 * @param timeoutMs longest wait for an answer; 0 for as long as it takes
 * @returns a connected client; whoever holds it hears of its loss by the failing of a query
 */
export async function connect(url: string, timeoutMs: number = answerTimeoutMs): Promise<pg.Client> {
  const client = new pg.Client({ ...clientConfig(url), query_timeout: timeoutMs })
  // Without a listener a broken connection would end the process. The query it breaks fails, too.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    client.end().catch(() => undefined)
    throw error
  }
}

/**
 * Tries again while the connection breaks or others are in the way, for 30 s at most. Only for what may be done twice.
 * @throws {Problem} 'database-unavailable' when the database does not come back in time
 */
export async function untilConnected<T>(
  log: Log,
  attempt: () => Promise<T>,
  waitMs: number = patienceMs,
): Promise<T> {
  const until = performance.now() + waitMs
  let isTold = false
  for (;;) {
    try {
      const value = await attempt()
      if (isTold) log.info('store.reconnected')
      return value
    } catch (error) {
      if (!isConnectionLoss(error) && !isConflict(error)) throw error
      if (performance.now() + pauseMs > until) throw unavailable(error)
      if (!isTold) log.warn('store.connection_lost', errorFields(error))
      isTold = true
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

function unavailable(error: unknown): Problem {
  return new Problem('database-unavailable', `The database cannot be reached: ${failureOf(error).message}`, {
    hint: 'Try again in a moment. If it stays so, look at the database and at KTRDR_DATABASE_URL.',
  })
}

/** Postgres cannot store the character U+0000 in a text. */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  return Array.isArray(value) ? value.map(storable) : value
}

/** `?` as Postgres numbers its parameters: `$1`, `$2`, … */
export function numbered(sql: string): string {
  let n = 0
  return sql.replace(/\?/g, () => `$${++n}`)
}

/** Statements that every connection keeps parsed. Their texts are few; more would only fill memory. */
const maxNamed = 200
const statementNames = new Map<string, string>()

/** The name under which a connection keeps a statement parsed. */
export function nameOf(text: string): { name?: string } {
  const known = statementNames.get(text)
  if (known !== undefined) return { name: known }
  if (statementNames.size >= maxNamed) return {}
  const name = `ktrdr_${statementNames.size}`
  statementNames.set(text, name)
  return { name }
}

/** What only reads, or may be done twice: on any of a few connections, and again when one breaks. */
export class Reader {
  readonly #pool: pg.Pool
  readonly #log: Log

  constructor(url: string, log: Log, connections: number) {
    this.#log = log
    this.#pool = new pg.Pool({ ...clientConfig(url), max: connections })
    // An idle connection that breaks; the next query opens another.
    this.#pool.on('error', error => log.debug('store.idle_connection_lost', errorFields(error)))
  }

  /** @param sql parameters as `?`  @throws {Problem} 'database-unavailable' after `waitMs` */
  async rows(sql: string, values: readonly unknown[] = [], waitMs: number = patienceMs): Promise<Row[]> {
    const text = numbered(sql)
    const query = { ...nameOf(text), text, values: values.map(storable) }
    const result = await untilConnected(this.#log, () => this.#pool.query<Row>(query), waitMs)
    return result.rows
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
