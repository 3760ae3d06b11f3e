import pg from 'pg'
import type { Log } from '../../log.ts'
import { sourcesOf } from '../../operations/lifecycle.ts'
import { textList } from '../statements.ts'
import { connect, isConflict, isConnectionLoss, untilConnected } from './connection.ts'
import { channel, toPayload } from './notes.ts'
import { Transaction } from './transaction.ts'

/** Every writing transaction of every node takes this lock first. Any number will do, if all nodes agree. */
export const writerLock = 7_203_810
/** Writes that share one transaction at most: other nodes wait for its end. */
const maxBatch = 100
/** What numbers jump by when Postgres may have lost some that were told: more than it can lose. */
const lost = { changes: 1_000_000, revisions: 1_000 } as const

type Work<T> = (transaction: Transaction) => Promise<T>
type Job = {
  readonly durable: boolean
  readonly run: (transaction: Transaction) => Promise<() => void>
  readonly fail: (error: unknown) => void
}

export type WriterSettings = {
  readonly url: string
  /** This node; no other process writes under its name. */
  readonly origin: string
  readonly log: Log
  /** Writes what waits before the commit. */
  readonly complete: (transaction: Transaction) => Promise<void>
}

/**
 * All writes of one turn of the event loop share one transaction; one that fails fails alone.
 * In the whole cluster one transaction writes at a time: changes are numbered in the order of their commits, and what a
 * guard has read stays true. A transaction whose connection breaks is run again, unless it turns out to be committed.
 */
export class Writer {
  readonly #with: WriterSettings
  #client: pg.Client | null = null
  #waiting: Job[] = []
  #running: Promise<void> | null = null
  /** The number of this node's newest transaction: found in `writers` exactly when it was committed. */
  #token = 0
  #fenced = 0
  #closed = false

  constructor(settings: WriterSettings) {
    this.#with = settings
  }

  /** How many writes were refused because their attempt was not the running one any more. */
  get fenced(): number {
    return this.#fenced
  }

  /**
   * @param work may run more than once, so it keeps nothing outside of the transaction
   * @param durable false for what may be lost when Postgres crashes: progress, say
   */
  write<T>(work: Work<T>, durable = true): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the store is closed'))
      const run = async (transaction: Transaction) => {
        const value = await work(transaction)
        return () => resolve(value)
      }
      this.#waiting.push({ durable, run, fail: reject })
      this.#running ??= new Promise<void>(resolve => setImmediate(resolve)).then(() => this.#drain())
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    const client = this.#client
    this.#client = null
    await client?.query('delete from writers where origin = $1', [this.#with.origin]).catch(() => undefined)
    await client?.end().catch(() => undefined)
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const jobs = this.#waiting.splice(0, maxBatch)
      try {
        await this.#commit(jobs)
      } catch (error) {
        for (const job of jobs) job.fail(error)
      }
    }
    this.#running = null
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    this.#token += 1
    let settle: readonly (() => void)[] = []
    let done: Transaction | null = null
    const durable = jobs.some(job => job.durable)
    await untilConnected(this.#with.log, async () => {
      const { transaction, client, lastToken } = await this.#begin(durable)
      try {
        // The connection broke in COMMIT, and it was committed all the same.
        if (lastToken === this.#token) {
          await client.query('rollback')
          return
        }
        settle = await this.#run(client, transaction, jobs)
        done = transaction
        await this.#end(client, transaction)
      } catch (error) {
        await this.#abandon(client, error)
        throw error
      }
    })
    this.#fenced += (done as Transaction | null)?.fenced ?? 0
    for (const one of settle) one()
  }

  /** Runs all writes without a savepoint between them. When one fails, once more with one round each. */
  async #run(client: pg.Client, transaction: Transaction, jobs: readonly Job[]): Promise<(() => void)[]> {
    const start = transaction.mark()
    try {
      const settle: (() => void)[] = []
      for (const job of jobs) settle.push(await job.run(transaction))
      await this.#with.complete(transaction)
      return settle
    } catch (error) {
      if (isConnectionLoss(error) || isConflict(error)) throw error
      await client.query('rollback to savepoint job')
      transaction.backTo(start)
      return this.#runApart(client, transaction, jobs)
    }
  }

  async #runApart(
    client: pg.Client,
    transaction: Transaction,
    jobs: readonly Job[],
  ): Promise<(() => void)[]> {
    const settle: (() => void)[] = []
    for (const job of jobs) {
      const start = transaction.mark()
      try {
        settle.push(await job.run(transaction))
        await client.query('release savepoint job; savepoint job')
      } catch (error) {
        if (isConnectionLoss(error) || isConflict(error)) throw error
        await client.query('rollback to savepoint job')
        transaction.backTo(start)
        settle.push(() => job.fail(error))
      }
    }
    await this.#with.complete(transaction)
    return settle
  }

  async #begin(durable: boolean) {
    const client = await this.#connected()
    const origin = pg.escapeLiteral(this.#with.origin)
    try {
      const results: unknown =
        await client.query(`begin; set local synchronous_commit = ${durable ? 'on' : 'off'};
        select pg_advisory_xact_lock(${writerLock});
        select value, server_started = pg_postmaster_start_time() as is_same_server,
          (select token from writers where origin = ${origin}) as token from change_counter; savepoint job`)
      const rows = Array.isArray(results) ? results[3]?.rows : undefined
      const { value, is_same_server, token } = rows?.[0] ?? {}
      const transaction = new Transaction(client, Number(value))
      if (is_same_server !== true) await this.#jump(transaction)
      return { client, transaction, lastToken: token === null ? null : Number(token) }
    } catch (error) {
      await this.#abandon(client, error)
      throw error
    }
  }

  /**
   * Postgres was started again. After a crash it lacks the newest progress, which is not flushed, but which was told:
   * numbers that were told may not come again for something else.
   */
  async #jump(transaction: Transaction): Promise<void> {
    const first = transaction.seq + lost.changes
    await transaction.rows('set local synchronous_commit = on')
    const rows = await transaction.rows(
      `update operations o set revision = o.revision + ${lost.revisions}, change_seq = ?::bigint + n.position
       from (select operation_id, row_number() over (order by change_seq) as position from operations
         where status in (${textList(sourcesOf('progress'))})) n
       where o.operation_id = n.operation_id returning o.operation_id, o.revision`,
      [first],
    )
    for (const row of rows)
      transaction.changed({ operation_id: String(row.operation_id), revision: Number(row.revision) })
    transaction.seq = first + rows.length
    await transaction.rows(
      'update change_counter set value = ?, server_started = pg_postmaster_start_time()',
      [transaction.seq],
    )
    await transaction.rows('savepoint job')
  }

  async #end(client: pg.Client, transaction: Transaction): Promise<void> {
    if (!transaction.isDirty) {
      await client.query('rollback')
      return
    }
    const { origin } = this.#with
    const payload = toPayload(origin, transaction.revisions, transaction.series)
    const tell = payload === '' ? '' : `select pg_notify('${channel}', ${pg.escapeLiteral(payload)});`
    await client.query(`update change_counter set value = ${transaction.seq};
      insert into writers (origin, token) values (${pg.escapeLiteral(origin)}, ${this.#token})
        on conflict (origin) do update set token = excluded.token, written_at = now(); ${tell} commit`)
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== null) return this.#client
    const client = await connect(this.#with.url)
    client.once('end', () => {
      if (this.#client === client) this.#client = null
    })
    this.#client = client
    return client
  }

  /** Undoes what was begun; a connection that cannot even do that is given up. */
  async #abandon(client: pg.Client, error: unknown): Promise<void> {
    try {
      if (isConnectionLoss(error)) throw error
      await client.query('rollback')
    } catch {
      if (this.#client === client) this.#client = null
      client.end().catch(() => undefined)
    }
  }
}
