import { setTimeout as setTimeoutAsync } from 'node:timers/promises'
import type { Feed, FeedEvent } from '../feed/feed.ts'
import { errorFields, type Log } from '../log.ts'
import type { Attempts } from '../operations/attempts.ts'
import { catalogue, operationTypes } from '../operations/catalogue.ts'
import type { FanOut } from '../operations/fan-out.ts'
import { isTerminal } from '../operations/lifecycle.ts'
import type { OperationRecord, OperationType } from '../operations/operation.ts'
import type { WorkerSpec } from '../operations/spec.ts'
import type { Executor } from './executor.ts'
import type { Pool, Run } from './pool.ts'

export type LocalCollaborators = {
  readonly attempts: Attempts
  readonly fanOut: FanOut
  readonly pool: Pool
  readonly feed: Feed
  readonly log: Log
}

export type LocalSettings = {
  readonly node: string
  readonly cancelGraceMs: number
  /** How often it looks for work by itself; null: it is told of everything. */
  readonly lookEveryMs: number | null
}

/** After the store could not be asked. */
const retryMs = 1_000
/** What a killed thread may take beyond the deadline of a drain: a native call is not interruptible. */
const lastWaitMs = 5_000

type Running = { readonly record: OperationRecord; readonly run: Run; readonly cancel: AbortController }

/**
 * Runs operations in the threads of this process. The queue is the store's, of one server or of a cluster: an operation
 * is claimed only when a thread is free for it.
 */
export class LocalExecutor implements Executor {
  readonly #with: LocalCollaborators
  readonly #settings: LocalSettings
  /** An attempt that was taken over may still be dying here while the next one runs. */
  readonly #running = new Set<Running>()
  /** Those too that have ended and whose end is being written. */
  readonly #recording = new Set<Promise<void>>()
  readonly #active = new Map<OperationType, number>()
  #filling: Promise<void> | null = null
  #again = false
  #stopped = true
  #timer: NodeJS.Timeout | null = null

  constructor(collaborators: LocalCollaborators, settings: LocalSettings) {
    this.#with = collaborators
    this.#settings = settings
    collaborators.feed.subscribe(event => this.#hear(event))
    collaborators.attempts.onLost(lost => {
      for (const { record, run } of this.#running)
        if (record.operation_id === lost.operation_id && record.attempt === lost.attempt) run.kill()
    })
  }

  start(): void {
    this.#stopped = false
    const { lookEveryMs } = this.#settings
    if (lookEveryMs !== null) this.#timer = setInterval(() => this.#dispatch(), lookEveryMs).unref()
    this.#dispatch()
  }

  async drain(graceMs: number): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#filling
    await this.#with.fanOut.drain()
    const runs = [...this.#running].map(running => running.run)
    for (const run of runs) run.drain()
    const deadline = setTimeout(() => {
      for (const run of runs) run.kill()
    }, graceMs)
    const patience = new AbortController()
    await Promise.race([
      Promise.allSettled([...this.#recording]),
      setTimeoutAsync(graceMs + lastWaitMs, null, { signal: patience.signal }).catch(() => undefined),
    ])
    patience.abort()
    clearTimeout(deadline)
  }

  #hear(event: FeedEvent): void {
    if (event.kind !== 'changed' || !event.statusChanged) return
    const { operation_id: id, status, attempt } = event.record
    if (status === 'pending' || isTerminal(status)) this.#dispatch()
    for (const { record, run, cancel } of this.#running) {
      if (record.operation_id !== id) continue
      // Ended or taken over by another node: this one was not heard of for too long.
      if (attempt > record.attempt || isTerminal(status)) run.kill()
      else if (status === 'cancelling') cancel.abort()
    }
  }

  /** Claims and starts as much as there is room for. One loop at a time; a call meanwhile makes it go round again. */
  #dispatch(): void {
    this.#again = true
    if (this.#filling !== null || this.#stopped) return
    this.#filling = this.#fill()
      .catch(error => {
        this.#with.log.error('executor.dispatch', errorFields(error))
        setTimeout(() => this.#dispatch(), retryMs).unref()
      })
      .finally(() => {
        this.#filling = null
        if (this.#again) this.#dispatch()
      })
  }

  async #fill(): Promise<void> {
    this.#again = false
    while (!this.#stopped) {
      const record = await this.#with.attempts.claim(this.#settings.node, this.#startable())
      if (record === null) return
      if (!this.#stopped && this.#startable().includes(record.type)) await this.#begin(record)
      else await this.#with.attempts.finish(record, { kind: 'interrupted' })
    }
  }

  /** Types that may start now: a thread is free or not needed, and fewer run than are allowed. */
  #startable(): OperationType[] {
    const noThread = this.#with.pool.free() === 0
    return operationTypes.filter(type => {
      const spec = catalogue[type]
      const full = spec.maxConcurrent !== null && (this.#active.get(type) ?? 0) >= spec.maxConcurrent
      return !full && !(noThread && spec.kind === 'worker')
    })
  }

  async #begin(record: OperationRecord): Promise<void> {
    const spec = catalogue[record.type]
    if (spec.kind === 'fan-out') return this.#with.fanOut.start(record, spec)
    this.#run(record, spec)
  }

  #run(record: OperationRecord, spec: WorkerSpec): void {
    const { attempts, pool } = this.#with
    const cancel = new AbortController()
    for (const earlier of this.#running)
      if (earlier.record.operation_id === record.operation_id) earlier.run.kill()
    this.#count(record.type, 1)
    const run = pool.run(record, spec, {
      cancel: cancel.signal,
      cancelGraceMs: this.#settings.cancelGraceMs,
      onMessage: message => attempts.record(record, message),
      onThread: thread => attempts.ranOn(record, thread),
      onOutcome: async outcome => {
        this.#running.delete(running)
        this.#count(record.type, -1)
        await attempts.finish(record, outcome)
      },
    })
    const running = { record, run, cancel }
    this.#running.add(running)
    // A cancel that came between the claim and this line was told to nobody.
    attempts.isCancelling(record).then(
      cancelling => {
        if (cancelling) cancel.abort()
      },
      error => this.#with.log.error('executor.check', errorFields(error)),
    )
    this.#recording.add(run.recorded)
    const forget = () => this.#recording.delete(run.recorded)
    run.recorded.finally(forget).then(
      () => this.#dispatch(),
      error =>
        this.#with.log.error('operation.end_lost', {
          operation_id: record.operation_id,
          ...errorFields(error),
        }),
    )
  }

  #count(type: OperationType, change: 1 | -1): void {
    this.#active.set(type, (this.#active.get(type) ?? 0) + change)
  }
}
