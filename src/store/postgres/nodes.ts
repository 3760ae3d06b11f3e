import type { OperationType } from '../../operations/operation.ts'
import type { Row } from '../rows.ts'
import type { Reader } from './connection.ts'
import { channel, toDrainPayload } from './notes.ts'

/** A node of the cluster, as it last said of itself. */
export type NodeRecord = {
  readonly node_id: string
  readonly name: string
  readonly role: 'all' | 'api' | 'worker'
  readonly version: string
  readonly generation: number
  /** The operation types it knows. */
  readonly types: readonly OperationType[]
  /** Its threads, in the form that GET /workers shows. */
  readonly threads: readonly unknown[]
  /** Epoch milliseconds, by the clock of that node. */
  readonly started_at: number
  /** Epoch milliseconds, by the clock of the database. */
  readonly heartbeat_at: number
  /** It takes nothing more, because it was asked to or because it stops. */
  readonly draining: boolean
}

/** What a node says of itself. Whether it drains is kept: only `markDraining` and the node itself raise it. */
export type NodeReport = Omit<NodeRecord, 'heartbeat_at'>

/** Epoch milliseconds by the clock of the database: the nodes need not agree on theirs. */
const databaseNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

/** The nodes of the cluster. Each writes its own row, so nothing here needs the lock of the writers. */
export class Nodes {
  readonly #reader: Reader

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** A sign of life. @returns the row as it is now: somebody may have asked the node to drain */
  async upsert(report: NodeReport): Promise<NodeRecord> {
    const columns = 'name, role, version, generation, types, threads, started_at, heartbeat_at, draining'
    const kept = ['draining', 'started_at']
    const replaced = columns.split(', ').filter(column => !kept.includes(column))
    const [row] = await this.#reader.rows(
      `insert into nodes (node_id, ${columns})
       values (?, ?, ?, ?, ?::integer, ?, ?, ?::bigint, ${databaseNow}, ?::boolean)
       on conflict (node_id) do update set draining = nodes.draining or excluded.draining,
         ${replaced.map(column => `${column} = excluded.${column}`).join(', ')} returning *`,
      [
        report.node_id,
        report.name,
        report.role,
        report.version,
        report.generation,
        JSON.stringify(report.types),
        JSON.stringify(report.threads),
        report.started_at,
        report.draining,
      ],
    )
    if (row === undefined) throw new Error('the node was not written')
    return toNode(row)
  }

  /** @returns every node, oldest first, and what time it is by the clock that wrote `heartbeat_at` */
  async list(): Promise<{ nodes: NodeRecord[]; now: number }> {
    const rows = await this.#reader.rows(
      `select nodes.*, ${databaseNow} as now from (select 1) as always left join nodes on true order by started_at, node_id`,
    )
    const nodes = rows.filter(row => row.node_id !== null).map(toNode)
    return { nodes, now: Number(rows[0]?.now) }
  }

  /** Asks a node to drain; it hears of it at once, or with its next sign of life. @returns null when there is no such node */
  async markDraining(nodeId: string): Promise<NodeRecord | null> {
    const [row] = await this.#reader.rows(
      `with marked as (update nodes set draining = true where node_id = ? returning *)
       select marked.*, pg_notify('${channel}', ?) from marked`,
      [nodeId, toDrainPayload(nodeId)],
    )
    return row === undefined ? null : toNode(row)
  }

  async remove(nodeId: string): Promise<void> {
    await this.#reader.rows('delete from nodes where node_id = ?', [nodeId])
  }

  /** @returns how many gave no sign of life for so long, and are forgotten */
  async removeOld(olderThanMs: number): Promise<number> {
    const rows = await this.#reader.rows(
      `delete from nodes where heartbeat_at < ${databaseNow} - ?::bigint returning 1`,
      [olderThanMs],
    )
    return rows.length
  }
}

function toNode(row: Row): NodeRecord {
  const role = String(row.role)
  return {
    node_id: String(row.node_id),
    name: String(row.name),
    role: role === 'api' || role === 'worker' ? role : 'all',
    version: String(row.version),
    generation: Number(row.generation),
    types: JSON.parse(String(row.types)),
    threads: JSON.parse(String(row.threads)),
    started_at: Number(row.started_at),
    heartbeat_at: Number(row.heartbeat_at),
    draining: row.draining === true,
  }
}
