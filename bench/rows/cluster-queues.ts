import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Missing } from '../c-peer.ts'
import type { Order, Role, Told } from '../peers/job-queue.ts'
import { adopt } from '../server.ts'

export type Peer = 'pg-boss' | 'bullmq'

const file = fileURLToPath(new URL('../peers/job-queue.ts', import.meta.url))
/** Between two jobs that are timed: whoever runs them has gone back to waiting. */
export const pauseMs = 20

/** A queue with one process that submits and two that run no-op jobs, two at a time each. */
class JobQueue {
  readonly #submitter: QueueProcess
  readonly #workers: readonly QueueProcess[]

  static async start(peer: Peer, role: Exclude<Role, 'submit'>, address: string): Promise<JobQueue> {
    // One after the other: the first one makes the tables.
    const submitter = await QueueProcess.start(peer, 'submit', address)
    const first = await QueueProcess.start(peer, role, address)
    return new JobQueue(submitter, [first, await QueueProcess.start(peer, role, address)])
  }

  private constructor(submitter: QueueProcess, workers: readonly QueueProcess[]) {
    this.#submitter = submitter
    this.#workers = workers
  }

  /** @returns ms from submitting the first to the begin of the last */
  async run(order: Order): Promise<number> {
    const before = this.#ran()
    const firstAtMs = await this.#submitter.submit(order)
    const deadline = performance.now() + 120_000
    while (this.#ran() < before + order.count) {
      if (performance.now() > deadline) throw new Error(`${this.#ran() - before} of ${order.count} jobs ran`)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    return Math.max(...this.#workers.map(worker => worker.lastAtMs)) - firstAtMs
  }

  kill(): void {
    for (const one of [this.#submitter, ...this.#workers]) one.kill()
  }

  #ran(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.ran, 0)
  }
}

class QueueProcess {
  readonly #child: ReturnType<typeof fork>
  #sent = Promise.withResolvers<number>()
  /** Jobs that began here. */
  ran = 0
  lastAtMs = 0

  /** @throws {Missing} when the peer is not installed */
  static start(peer: Peer, role: Role, address: string): Promise<QueueProcess> {
    const child = fork(file, [peer, role, address], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    adopt(child)
    const started = new QueueProcess(child)
    return new Promise((resolve, reject) => {
      child.once('exit', code => reject(new Error(`${peer} ended with code ${code}`)))
      child.once('message', (told: Told) => {
        if (told.kind === 'ready') resolve(started)
        else reject(new Missing(`${peer}: ${told.kind === 'missing' ? told.reason : told.kind}`))
      })
    })
  }

  private constructor(child: ReturnType<typeof fork>) {
    this.#child = child
    child.once('exit', () => this.#sent.reject(new Error('a process of the queue ended')))
    child.on('message', (told: Told) => {
      if (told.kind === 'sent') this.#sent.resolve(told.firstAtMs)
      if (told.kind !== 'ran') return
      this.ran = told.count
      this.lastAtMs = told.lastAtMs
    })
    // Asked for only while something is being submitted.
    this.#sent.promise.catch(() => undefined)
  }

  /** @returns when the first was sent, as soon as the last was accepted */
  submit(order: Order): Promise<number> {
    this.#sent = Promise.withResolvers()
    this.#child.send(order)
    return this.#sent.promise
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** @returns ms from each submit to the begin of its job, one after the other on an idle queue */
export async function timeStarts(peer: Peer, address: string, count: number): Promise<number[]> {
  const queue = await JobQueue.start(peer, 'work', address)
  try {
    const times: number[] = []
    for (let round = 0; round < count + 5; round++) {
      times.push(await queue.run({ count: 1, atOnce: 1 }))
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
    return times.slice(5)
  } finally {
    queue.kill()
  }
}

/** @returns jobs per second from the first submit to the begin of the last job */
export async function timeJobs(peer: Peer, address: string, order: Order): Promise<number> {
  const queue = await JobQueue.start(peer, 'drain', address)
  try {
    await queue.run({ count: order.atOnce, atOnce: order.atOnce }) // warm-up
    return order.count / ((await queue.run(order)) / 1000)
  } finally {
    queue.kill()
  }
}
