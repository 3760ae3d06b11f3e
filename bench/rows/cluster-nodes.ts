import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import {
  findPostgres,
  type PostgresServer,
  startPostgres,
  stopPostgres,
} from '../../test/support/postgres.ts'
import { Missing } from '../c-peer.ts'
import { Client } from '../client.ts'
import { readFamily, readThreads } from '../cpu-time.ts'
import { BenchServer, withHome } from '../server.ts'

/** Two nodes that answer clients, two that run operations, and their database, each a process of its own. */
export type Nodes = {
  readonly postgres: PostgresServer
  /** To look into the database. */
  readonly database: pg.Client
  readonly apis: readonly [BenchServer, BenchServer]
  readonly workers: readonly [BenchServer, BenchServer]
}

/** With a client of each node that answers. */
export type Cluster = Nodes & { readonly clients: readonly [Client, Client] }

export const threadsPerWorker = 2

/**
 * Runs `use` with a Postgres that flushes every commit, as it comes.
 * @throws {Missing} where there is none
 */
export async function withPostgres<T>(use: (postgres: PostgresServer) => Promise<T>): Promise<T> {
  if (findPostgres() === null) throw new Missing('Postgres is not installed here (Debian: postgresql)')
  try {
    return await use(await startPostgres({ fsync: true }))
  } finally {
    await stopPostgres()
  }
}

/** Runs `use` with the nodes of a fresh cluster, which are killed afterwards. */
export function withNodes<T>(postgres: PostgresServer, use: (nodes: Nodes) => Promise<T>): Promise<T> {
  return withHome(async home => {
    const url = await postgres.freshDatabase()
    const newNode = (role: 'api' | 'worker', name: string) => makeNode(url, home, role, name)
    const apis = [newNode('api', 'api-1'), newNode('api', 'api-2')] as const
    const workers = [newNode('worker', 'worker-1'), newNode('worker', 'worker-2')] as const
    const database = new pg.Client(url)
    try {
      for (const node of [...apis, ...workers]) await node.start()
      await database.connect()
      return await use({ postgres, database, apis, workers })
    } finally {
      await database.end()
      for (const node of [...apis, ...workers]) await node.kill()
    }
  })
}

/** Runs `use` with new connections: those that were idle for seconds may just be closed by the node. */
export async function withClients<T>(nodes: Nodes, use: (cluster: Cluster) => Promise<T>): Promise<T> {
  const clients = [new Client(nodes.apis[0].url), new Client(nodes.apis[1].url)] as const
  try {
    return await use({ ...nodes, clients })
  } finally {
    for (const client of clients) client.close()
  }
}

function makeNode(url: string, home: string, role: 'api' | 'worker', name: string): BenchServer {
  const own = join(home, name)
  mkdirSync(own)
  return new BenchServer(own, {
    KTRDR_DATABASE_URL: url,
    KTRDR_ARCHIVE_URL: pathToFileURL(join(home, 'archive')).href,
    KTRDR_ROLE: role,
    KTRDR_NODE: name,
    KTRDR_THREADS: String(threadsPerWorker),
    KTRDR_QUEUE_MAX: '10000000',
    KTRDR_EVENT_STREAMS_MAX: '1000',
  })
}

/** CPU time, ms. */
export type Cpu = { readonly apis: number; readonly workers: number; readonly postgres: number }

/** What every part of the cluster has used so far. `burning`: of the busiest thread of a worker. */
export function readCpu({ apis, workers, postgres }: Nodes): Cpu & { readonly burning: number } {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const all = (nodes: readonly BenchServer[]) => nodes.map(node => [...readThreads(node.pid).values()])
  return {
    apis: sum(all(apis).flat()),
    workers: sum(all(workers).flat()),
    postgres: readFamily(postgres.pid),
    burning: Math.max(...all(workers).flat()),
  }
}
