import { randomUUID } from 'node:crypto'

/*
 * One process of the row `cluster`, forked with an IPC channel: node job-queue.ts <who> <role> <address>. Who is
 * `pg-boss` (address: a Postgres URL) or `bullmq` (address: a port of Redis; it takes part when bench/node_modules has
 * it). A `submit` sends as many no-op jobs as it is told to; a `work` runs them two at a time, each as soon as it comes;
 * a `drain` runs them two at a time as fast as it can.
 */

export type Role = 'submit' | 'work' | 'drain'

/** What the parent asks of a submitter. */
export type Order = { readonly count: number; readonly atOnce: number }

/** What a process tells its parent. Times are those of the clock that all processes of a machine share, ms. */
export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'sent'; readonly firstAtMs: number }
  /** How many have run here since its start, and when the last of them began. */
  | { readonly kind: 'ran'; readonly count: number; readonly lastAtMs: number }

type Queue = {
  readonly send: () => Promise<unknown>
  readonly work: (run: () => void) => Promise<unknown>
  readonly drain: (run: () => void) => Promise<unknown>
}

const queueName = 'no-ops'
const concurrency = 2
const idleMs = 5

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6
const tell = (told: Told): unknown => process.send?.(told)
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function openPgBoss(url: string): Promise<Queue> {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({ connectionString: url, schedule: false, useListenNotify: true })
  boss.on('error', error => process.stderr.write(`pg-boss: ${error.message}\n`))
  await boss.start()
  if ((await boss.getQueue(queueName)) === null) await boss.createQueue(queueName, { notify: true })
  const drainOne = async (run: () => void): Promise<void> => {
    const [job] = await boss.fetch(queueName)
    if (job === undefined) return pause(idleMs)
    run()
    await boss.complete(queueName, job.id)
  }
  return {
    send: () => boss.send(queueName, { operation_id: randomUUID() }),
    work: run => boss.work(queueName, { localConcurrency: concurrency }, async () => run()),
    drain: run =>
      Promise.all(
        Array.from({ length: concurrency }, async () => {
          for (;;) await drainOne(run)
        }),
      ),
  }
}

/** @throws when it is not installed */
async function openBullMq(port: string): Promise<Queue> {
  // A name in a variable, so that the type checker does not look for what need not be there.
  const name: string = 'bullmq'
  const { Queue, Worker } = await import(name)
  const connection = { host: '127.0.0.1', port: Number(port) }
  const work = async (run: () => void) => {
    const worker = new Worker(queueName, async () => run(), { connection, concurrency })
    worker.on('error', (error: Error) => process.stderr.write(`BullMQ: ${error.message}\n`))
    await worker.waitUntilReady()
  }
  const queue = new Queue(queueName, { connection, defaultJobOptions: { removeOnComplete: true } })
  await queue.waitUntilReady()
  return { send: () => queue.add('no-op', { operation_id: randomUUID() }), work, drain: work }
}

async function submit(queue: Queue, { count, atOnce }: Order): Promise<void> {
  const firstAtMs = nowMs()
  let left = count
  const sendSome = async () => {
    while (left > 0) {
      left -= 1
      await queue.send()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sendSome))
  tell({ kind: 'sent', firstAtMs })
}

/** @returns what counts a run; the parent is told soon after, so that telling costs little */
function counting(): () => void {
  let count = 0
  let lastAtMs = 0
  let isDue = false
  return () => {
    lastAtMs = nowMs()
    count += 1
    if (isDue) return
    isDue = true
    setTimeout(() => {
      isDue = false
      tell({ kind: 'ran', count, lastAtMs })
    }, idleMs)
  }
}

async function serve(who: string, role: Role, address: string): Promise<void> {
  const queue = await (who === 'pg-boss' ? openPgBoss(address) : openBullMq(address))
  if (role === 'submit') {
    process.on('message', (order: Order) => {
      submit(queue, order).catch(fail)
    })
  } else if (role === 'work') await queue.work(counting())
  else queue.drain(counting()).catch(fail)
  tell({ kind: 'ready' })
}

function fail(error: unknown): void {
  const isMissing =
    error instanceof Error && 'code' in error && String(error.code).endsWith('MODULE_NOT_FOUND')
  if (!isMissing) throw error
  tell({ kind: 'missing', reason: `${error.message.split('\n')[0]}` })
}

if (import.meta.main) {
  const [, , who = '', role = '', address = ''] = process.argv
  process.once('disconnect', () => process.exit(0))
  serve(who, role === 'submit' || role === 'drain' ? role : 'work', address).catch(fail)
}
