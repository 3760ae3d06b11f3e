import type pg from 'pg'
import { type Clock, systemClock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { generation as ownGeneration } from '../../operations/generation.ts'
import type { OperationRecord, OperationType } from '../../operations/operation.ts'
import type { Reopen, Reopened, Store } from '../store.ts'
import { ArchiveFiles } from './archive-files.ts'
import {
  type Changes,
  changesAfter,
  type SeriesNews,
  type SeriesPosition,
  seriesAfter,
  seriesPosition,
} from './changes.ts'
import { claimNext, lookAtQueue } from './claim.ts'
import { connect, Reader, untilConnected } from './connection.ts'
import { deleteFamily, reopenFamily } from './families.ts'
import { Jobs } from './jobs.ts'
import { migrate } from './migrations.ts'
import { type NodeRecord, type NodeReport, Nodes } from './nodes.ts'
import { Listening, type Note } from './notes.ts'
import { repair } from './repair.ts'
import { Writer } from './writer.ts'
import { Writes } from './writes.ts'

/** Connections for reading; writing, listening and the queue have their own. */
const readConnections = 4
/** Whoever asks whether the database is there does not want to wait until it is. */
const pingMs = 2_000

/** Whoever holds the lock of `exclusively` and is frozen loses it after so long. */
const exclusiveMs = 600_000
/** Held while `exclusively` works. Any number will do, if all nodes agree. */
const exclusiveLock = 7_203_812

export type { Changes, SeriesNews, SeriesPosition } from './changes.ts'
export type { NodeRecord, NodeReport } from './nodes.ts'
export type { Note } from './notes.ts'

export type PostgresSettings = {
  /** The name under which this process writes: its node id. */
  readonly origin: string
  readonly log: Log
  readonly clock?: Clock
  /** Of the code that runs here; only a test gives another. */
  readonly generation?: number
}

type Rooms = {
  readonly url: string
  readonly reader: Reader
  readonly writer: Writer
  readonly jobs: Jobs
  readonly listening: Listening
}

/**
 * The store of a cluster: one Postgres, any number of nodes. Each pending or running operation has one job in pg-boss,
 * made and ended in the transactions that write the operation; the try of the job that an attempt holds is its lease.
 */
export class PostgresStore extends Writes implements Store {
  readonly kind = 'postgres'
  readonly #listening: Listening
  readonly #clock: Clock
  readonly #nodes: Nodes
  readonly #url: string
  readonly #log: Log

  /**
   * Makes or updates the tables first; nodes that start at the same moment take turns. Waits up to 30 s for a database
   * that is not there yet.
   * @param url postgres://user:password@host:port/database
   * @throws {Error} when a newer ktrdr wrote the schema, or the server is too old
   * @throws {Problem} 'database-unavailable'
   */
  static async open(url: string, settings: PostgresSettings): Promise<PostgresStore> {
    const { log, origin } = settings
    const jobs = await untilConnected(log, () => prepareDatabase(url, log))
    const reader = new Reader(url, log, readConnections)
    const complete = jobs.make.bind(jobs)
    const writer = new Writer({ url, origin, log, complete })
    return new PostgresStore({ url, reader, writer, jobs, listening: new Listening(url, log) }, settings)
  }

  private constructor(rooms: Rooms, settings: PostgresSettings) {
    super(rooms.reader, rooms.writer, rooms.jobs, settings.generation ?? ownGeneration)
    this.#url = rooms.url
    this.#log = settings.log
    this.#listening = rooms.listening
    this.#clock = settings.clock ?? systemClock
    this.#nodes = new Nodes(rooms.reader)
  }

  /** Writes that were refused because another attempt had taken over, since this process started. */
  get fencedWrites(): number {
    return this.writer.fenced
  }

  /**
   * As in `Store`; besides, ends what cancelling operations of silent nodes left, and takes over their running ones. Ask
   * again every half second: nobody tells when a node falls silent.
   */
  async claim(
    node: string,
    startable: readonly OperationType[],
    now: number,
  ): Promise<OperationRecord | null> {
    // A look costs no lock. What is made after it is told of, and leads to another claim.
    const { generation } = this
    const { isWorthIt } = await lookAtQueue(this.reader, startable, generation)
    if (!isWorthIt) return null
    const claimant = { node, startable, generation, now }
    return this.writer.write(transaction => claimNext(transaction, this.jobs, claimant))
  }

  reopen(id: string, how: Reopen, now: number): Promise<Reopened | null> {
    return this.writer.write(transaction => reopenFamily(transaction, this.jobs, { id, how, now }))
  }

  delete(id: string): Promise<string[]> {
    return this.writer.write(transaction => deleteFamily(transaction, this.jobs, id))
  }

  async ping(): Promise<void> {
    const [row] = await this.reader.rows('select pg_is_in_recovery() as is_copy', [], pingMs)
    if (row?.is_copy === true) throw new Error('the database is a read-only copy')
  }

  /** What every node wrote after `seq`, at most `limit` changes. */
  changesAfter(seq: number, limit: number): Promise<Changes> {
    return changesAfter(this.reader, seq, limit)
  }

  /** Where the metrics and logs of an operation stand now. */
  seriesPosition(id: string): Promise<SeriesPosition> {
    return seriesPosition(this.reader, id)
  }

  /** Metrics and logs that came after what is known, at most `limit` of each per operation. */
  seriesAfter(watched: readonly SeriesPosition[], limit: number): Promise<SeriesNews[]> {
    return seriesAfter(this.reader, watched, limit)
  }

  /** @param listener hears that something was written, by any node, also by this one  @returns what ends it */
  onNotify(listener: (note: Note) => void): () => void {
    return this.#listening.add(listener)
  }

  /** A sign of life of a node. @returns its row: `draining` when somebody asked for that */
  upsertNode(report: NodeReport): Promise<NodeRecord> {
    return this.#nodes.upsert(report)
  }

  /** Every node, and what time it is by the clock of their `heartbeat_at`. */
  listNodes(): Promise<{ nodes: NodeRecord[]; now: number }> {
    return this.#nodes.list()
  }

  /** @returns null when there is no such node */
  markDraining(nodeId: string): Promise<NodeRecord | null> {
    return this.#nodes.markDraining(nodeId)
  }

  removeNode(nodeId: string): Promise<void> {
    return this.#nodes.remove(nodeId)
  }

  /** @returns how many gave no sign of life for so long, and are forgotten */
  removeOldNodes(olderThanMs: number): Promise<number> {
    return this.#nodes.removeOld(olderThanMs)
  }

  /** Gives a job to each active operation that has none: at start, and every minute. @returns how many got one */
  repairJobs(): Promise<number> {
    const now = this.#clock.now()
    return this.writer.write(transaction => repair(transaction, this.jobs, this.generation, now))
  }

  /** The files of an archive whose bytes are in a bucket. */
  archiveFiles(): ArchiveFiles {
    return new ArchiveFiles(this.reader)
  }

  /** Does what only one node may do at a time, such as changing a folder that all share. The others wait. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const client = await untilConnected(this.#log, () => holdExclusiveLock(this.#url))
    try {
      return await work()
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** Writes what waits, then lets go of every connection. */
  async close(): Promise<void> {
    await this.#listening.close()
    await this.writer.close()
    await this.jobs.stop()
    await this.reader.close()
  }
}

/** @returns the connection that holds the lock: its end gives it back */
async function holdExclusiveLock(url: string): Promise<pg.Client> {
  const client = await connect(url, 0)
  try {
    await client.query(`set idle_session_timeout = ${exclusiveMs}; select pg_advisory_lock(${exclusiveLock})`)
    return client
  } catch (error) {
    client.end().catch(() => undefined)
    throw error
  }
}

async function prepareDatabase(url: string, log: Log): Promise<Jobs> {
  const client = await connect(url, 0)
  const started: Jobs[] = []
  try {
    await migrate(client, async () => {
      started.push(await Jobs.start(url, log))
    })
    const [jobs] = started
    if (jobs === undefined) throw new Error('the queue was not started')
    return jobs
  } catch (error) {
    for (const jobs of started) await jobs.stop()
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}
