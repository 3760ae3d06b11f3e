import pg from 'pg'
import { createLog } from '../../src/log.ts'
import type { OperationType } from '../../src/operations/operation.ts'
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { freshDatabase } from '../support/postgres.ts'

const log = createLog('silent')
let nodes = 0
const running = new Set<Cluster>()

/** For `afterAll`: stops what a failed test left. */
export async function stopClusters(): Promise<void> {
  for (const cluster of running) await cluster.stop()
}

/** Stores on one database, and a connection that looks at what they left there. */
export class Cluster {
  readonly url: string
  readonly stores: readonly PostgresStore[]
  readonly #observer: pg.Pool

  /** @param size how many stores; they open at the same moment  @param url a database; by default a new one */
  static async start(size: number, url?: string): Promise<Cluster> {
    const database = url ?? (await freshDatabase())
    const stores = await Promise.all(Array.from({ length: size }, () => openStore(database)))
    const cluster = new Cluster(database, stores)
    running.add(cluster)
    return cluster
  }

  private constructor(url: string, stores: readonly PostgresStore[]) {
    this.url = url
    this.stores = stores
    this.#observer = new pg.Pool({ connectionString: url, max: 1, options: '-c search_path=ktrdr' })
    this.#observer.on('error', () => undefined)
  }

  /** The n-th store, from 0. */
  store(n: number): PostgresStore {
    const store = this.stores[n]
    if (store === undefined) throw new Error(`there is no store ${n}`)
    return store
  }

  async query(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#observer.query(sql, values)).rows
  }

  /** Jobs of the queue by state. */
  async jobs(): Promise<Record<string, number>> {
    const rows = await this.query(
      `select state, count(*)::integer as n from ktrdr_jobs.job where name = 'operations' group by state`,
    )
    return Object.fromEntries(rows.map(row => [String(row.state), Number(row.n)]))
  }

  /** Forgets all operations and jobs. */
  async empty(): Promise<void> {
    await this.query('delete from operations; delete from ktrdr_jobs.job')
  }

  /** As if the node that holds the job of an operation had been silent for a minute. */
  async silence(operationId: string): Promise<void> {
    await this.query(
      `update ktrdr_jobs.job set heartbeat_on = now() - interval '1 minute' where data ->> 'operation_id' = $1`,
      [operationId],
    )
  }

  /** Waits until the queue has taken an active job back. */
  async untilLapsed(operationId: string): Promise<void> {
    await until(async () => {
      const [job] = await this.query(
        `select state from ktrdr_jobs.job where data ->> 'operation_id' = $1 and state = 'retry'`,
        [operationId],
      )
      return job !== undefined
    })
  }

  async stop(): Promise<void> {
    running.delete(this)
    await Promise.all(this.stores.map(store => store.close()))
    await this.#observer.end()
  }
}

export function openStore(url: string, more: { generation?: number } = {}): Promise<PostgresStore> {
  nodes += 1
  return PostgresStore.open(url, { origin: `node_${nodes}`, log, ...more })
}

/** Asks again until the answer is yes. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setImmediate(resolve))
}

/** Claims until there is something to claim. */
export async function claimed(store: Store, types: readonly OperationType[], now = 2_000) {
  for (;;) {
    const record = await store.claim('node', types, now)
    if (record !== null) return record
  }
}
