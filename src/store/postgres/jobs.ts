import { randomUUID } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import { errorFields, type Log } from '../../log.ts'
import { catalogue, operationTypes } from '../../operations/catalogue.ts'
import type { OperationType } from '../../operations/operation.ts'
import type { Transaction } from './transaction.ts'

/** Where pg-boss keeps its tables. */
export const jobsSchema = 'ktrdr_jobs'
/** The one queue. */
export const queue = 'operations'
const deadQueue = 'operations-dead'

/** A job whose node gives no sign of life for so long is given to another. The least that pg-boss takes. */
const heartbeatSeconds = 10
/** Longer than any operation waits; nearly the most that fits into its column. */
const foreverSeconds = 2_000_000_000
/** A job is tried for as long as its operation says: attempts are counted there. */
const retries = 2_000_000_000
/** The most that pg-boss takes; a job that lives longer is leased again, see `lapseOf`. */
const longestLeaseSeconds = 86_400
/** No limit on the operations of a type that may run at once. */
const unlimited = 1_000_000

const options = {
  heartbeatSeconds,
  retryLimit: retries,
  retryDelay: 0,
  retryBackoff: false,
  expireInSeconds: longestLeaseSeconds,
  retentionSeconds: foreverSeconds,
  deleteAfterSeconds: 3_600,
  warningQueueSize: foreverSeconds,
} as const

/** Which job an attempt holds, and which try of it: what pg-boss fences by. */
export type Lease = { readonly job_id: string; readonly job_retry: number }

/** A job for an operation that has become pending. */
export type NewJob = {
  readonly job_id: string
  readonly operation_id: string
  readonly type: string
  readonly generation: number
  readonly priority: number
  /** When the operation was created: of equal priorities the oldest starts first, however often it came back. */
  readonly created_at: number
}

/** A job that was fetched, leased to this node from now on. */
export type FetchedJob = Lease & {
  readonly operation_id: string
  /** Why the lease before this one ended, if there was one: its node fell silent, or it was simply too old. */
  readonly lapse: 'silent' | 'expired'
}

export const newJobId = (): string => randomUUID()

/** The group that limits how many operations of a type run at once, and by which a node leaves out what it cannot run. */
export const groupOf = (type: string, generation: number): string => `${type}@${generation}`

const limitOf = (type: string): number | null =>
  operationTypes.some(known => known === type) ? catalogue[type as OperationType].maxConcurrent : null

/** How many of a group may run at once, by the tier that its jobs carry. */
const groupConcurrency = {
  default: unlimited,
  tiers: Object.fromEntries(
    operationTypes.flatMap(type => {
      const limit = limitOf(type)
      return limit === null ? [] : [[String(limit), limit] as const]
    }),
  ),
}

/** Pending operations as jobs of pg-boss, in the transactions of the store. */
export class Jobs {
  readonly #boss: PgBoss

  /** Its schema is made or brought up to date here, so hold the lock of the migrations. */
  static async start(url: string, log: Log): Promise<Jobs> {
    const boss = new PgBoss({
      connectionString: url,
      schema: jobsSchema,
      application_name: 'ktrdr-jobs',
      max: 2,
      schedule: false,
      registerInstance: false,
      openTelemetry: { enabled: false },
      superviseIntervalSeconds: 1,
      monitorIntervalSeconds: 1,
    })
    let last = ''
    boss.on('error', error => {
      // While the database is away every pass fails alike.
      const fields = errorFields(error)
      log[fields.error === last ? 'debug' : 'warn']('queue.error', fields)
      last = fields.error
    })
    try {
      await boss.start()
      await makeQueues(boss)
      return new Jobs(boss)
    } catch (error) {
      await boss.stop({ graceful: false })
      throw error
    }
  }

  private constructor(boss: PgBoss) {
    this.#boss = boss
  }

  /** Makes the jobs that the writes of this transaction asked for. */
  async make(transaction: Transaction): Promise<void> {
    const made = transaction.jobs.splice(0)
    if (made.length === 0) return
    await this.#boss.insert(queue, made.map(toInsert), { db: transaction.db })
    const ordered = made.toSorted((a, b) => (a.operation_id < b.operation_id ? -1 : 1))
    await transaction.rows(
      `update ${jobsSchema}.job set created_on = to_timestamp(made.at)
       from unnest(?::uuid[], ?::double precision[]) as made (id, at) where name = '${queue}' and job.id = made.id`,
      [ordered.map(job => job.job_id), ordered.map((job, nth) => createdAtSeconds(job.created_at, nth))],
    )
  }

  /** Leases the job that is next. @param ignored groups to leave out */
  async fetch(transaction: Transaction, ignored: readonly string[]): Promise<FetchedJob | null> {
    await this.make(transaction)
    const [job] = await this.#boss.fetch<{ operation_id: string }>(queue, {
      db: transaction.db,
      batchSize: 1,
      includeMetadata: true,
      ignoreGroups: [...ignored],
      groupConcurrency,
    })
    if (job === undefined) return null
    const { id, retryCount, data, output } = job
    return {
      job_id: id,
      job_retry: retryCount,
      operation_id: data.operation_id,
      lapse: JSON.stringify(output ?? null).includes('job timed out') ? 'expired' : 'silent',
    }
  }

  /** Says that the attempts that hold these leases are alive. */
  async touch({ db }: Transaction, leases: readonly Lease[]): Promise<void> {
    if (leases.length > 0) await this.#boss.touch(queue, leases.map(toAttempt), { db })
  }

  /** Ends a job, if the lease still holds. @returns false when it does not: another may run it by now */
  async settle(transaction: Transaction, lease: Lease): Promise<boolean> {
    const answer = await this.#boss.deleteJob(queue, [toAttempt(lease)], { db: transaction.db })
    return 'affected' in answer && answer.affected === 1
  }

  /** Ends jobs that nobody holds: of operations that were pending, or whose node is gone. */
  async remove(transaction: Transaction, jobIds: readonly string[]): Promise<void> {
    if (jobIds.length === 0) return
    await this.make(transaction)
    await this.#boss.deleteJob(queue, [...jobIds], { db: transaction.db })
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: true })
  }
}

async function makeQueues(boss: PgBoss): Promise<void> {
  if ((await boss.getQueue(deadQueue)) === null) await boss.createQueue(deadQueue)
  const wanted = { ...options, deadLetter: deadQueue }
  if ((await boss.getQueue(queue)) === null) await boss.createQueue(queue, wanted)
  else await boss.updateQueue(queue, wanted)
}

const toAttempt = ({ job_id, job_retry }: Lease) => ({ id: job_id, retryCount: job_retry })

/** Some of one transaction were created in the same millisecond: each gets a microsecond of its own. */
const createdAtSeconds = (createdAt: number, nth: number): number =>
  createdAt / 1_000 + Math.min(nth, 999) / 1_000_000

function toInsert({ job_id, operation_id, type, generation, priority }: NewJob) {
  const limit = limitOf(type)
  return {
    id: job_id,
    data: { operation_id },
    priority,
    group: { id: groupOf(type, generation), ...(limit === null ? {} : { tier: String(limit) }) },
  }
}
