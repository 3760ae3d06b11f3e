import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { isAsking, isCopy } from '../archive/exchange.ts'
import type { Clock } from '../clock.ts'
import { fetchPatiently } from '../operations/exchanged-files.ts'
import type { OperationRecord, Outcome } from '../operations/operation.ts'
import {
  control,
  controlBytes,
  type MainMessage,
  type ServerFacts,
  type SharedDataset,
  stop,
  type Task,
  type WorkerMessage,
} from '../operations/protocol.ts'
import type { WorkerSpec } from '../operations/spec.ts'
import { asProblem } from '../system-problems.ts'
import { type KillReason, outcomeOfError } from './failures.ts'
import type { ThreadState } from './pool.ts'
import type { SharedBars } from './shared-bars.ts'
import { type ThreadPool, transferring } from './thread-pool.ts'

export type RunOptions = {
  /** Aborts when a client cancelled the operation. */
  readonly cancel: AbortSignal
  /** Time between asking the worker to stop and killing its thread. */
  readonly cancelGraceMs: number
  readonly onMessage: (message: WorkerMessage) => void
  readonly onThread: (threadId: number) => void
  /** Called once, when the thread is free or gone and every message was handed over. */
  readonly onOutcome: (outcome: Outcome) => Promise<void>
}

type RunParts = {
  readonly piscina: ThreadPool
  readonly record: OperationRecord
  readonly spec: WorkerSpec
  readonly options: RunOptions
  readonly memoryBytes: number
  readonly server: ServerFacts
  readonly clock: Clock
  readonly sharedBars: SharedBars
}

/** Loaded modules answer a cancel sooner than this; a thread that loads them takes a second or two. */
const loadingGraceMs = 50

/** A look that comes so late after the one before says that the process did not run meanwhile. */
const standstillMs = 2_000

/** One attempt in one thread, from the first message to the thread's last breath. */
export class ActiveRun {
  readonly #parts: RunParts
  readonly #control = new SharedArrayBuffer(controlBytes)
  readonly #words = new Int32Array(this.#control)
  readonly #killing = new AbortController()
  readonly #startedAt = performance.now()
  #port: MessagePort | null = null
  #thread: Worker | null = null
  #exited: Promise<unknown> | null = null
  /** Threads outlive runs: a listener left behind by each would pile up. */
  #forgetThread: () => void = () => undefined
  #killReason: KillReason | null = null
  #grace: NodeJS.Timeout | null = null
  #beat = { count: 0, at: performance.now() }
  #lookedAt = performance.now()
  #memoryBytes: number | null = null
  #timedOut = false
  /** What it reads is on this node: silence counts from here. */
  #isSupplied = false
  /** Whether the worker has come to its first line. */
  readonly #hasBegun = () => Atomics.load(this.#words, control.thread) !== 0
  /** Resolves when it was asked to stop, or killed. */
  readonly #stopping = Promise.withResolvers<void>()

  constructor(parts: RunParts) {
    this.#parts = parts
  }

  async start(): Promise<Outcome> {
    const { options, record, spec } = this.#parts
    const askToStop = () => this.ask(stop.cancel)
    options.cancel.addEventListener('abort', askToStop)
    if (options.cancel.aborted) askToStop()
    const timeoutMs = record.timeout_ms ?? spec.timeoutMs
    const timeout = setTimeout(() => this.#expire(), timeoutMs)
    const outcome = await this.#executeWithBars()
    clearTimeout(timeout)
    if (this.#grace !== null) clearTimeout(this.#grace)
    options.cancel.removeEventListener('abort', askToStop)
    if (this.#timedOut && outcome.kind === 'cancelled')
      return outcomeOfError(null, 'timed-out', { timeoutMs })
    return outcome
  }

  /**
   * Asks the worker to stop; kills its thread when the grace period is over, or soon if it only loads its modules yet, which
   * hears nothing and leaves nothing. A drain has its deadline elsewhere.
   */
  ask(word: typeof stop.cancel | typeof stop.drain): void {
    Atomics.store(this.#words, control.stop, word)
    this.#stopping.resolve()
    this.#port?.postMessage({ kind: 'stop' } satisfies MainMessage)
    if (word !== stop.cancel || this.#grace !== null) return
    this.#grace = setTimeout(() => this.kill('cancelled'), this.#parts.options.cancelGraceMs)
    setTimeout(() => {
      if (!this.#hasBegun()) this.kill('cancelled')
    }, loadingGraceMs)
  }

  kill(reason: KillReason): void {
    if (this.#killReason !== null) return
    this.#killReason = reason
    this.#findThread()
    this.#stopping.resolve()
    this.#killing.abort()
  }

  /** Kills a worker that is silent for too long or has grown too big. */
  lookAfter(): void {
    this.#findThread()
    const now = performance.now()
    const stoodStill = now - this.#lookedAt > standstillMs
    this.#lookedAt = now
    if (this.#killReason !== null) return
    // The whole process was frozen: nobody can have given a sign of life.
    if (stoodStill || !this.#isSupplied) this.#beat = { ...this.#beat, at: now }
    if (this.#thread === null) {
      if (now - this.#beat.at > this.#stallMs()) this.kill('worker-unresponsive')
      return
    }
    const beat = Atomics.load(this.#words, control.beat)
    const isWaiting = isAsking(this.#parts.server.home, this.#thread.threadId)
    if (beat !== this.#beat.count || isWaiting) this.#beat = { count: beat, at: now }
    else if (now - this.#beat.at > this.#stallMs()) this.kill('worker-unresponsive')
    this.#thread.getHeapStatistics().then(
      heap => {
        this.#memoryBytes = heap.used_heap_size + heap.external_memory
        if (this.#memoryBytes > this.#parts.memoryBytes) this.kill('out-of-memory')
      },
      () => {
        this.#memoryBytes = null // the thread is ending
      },
    )
  }

  #stallMs(): number {
    const { record, spec } = this.#parts
    return typeof spec.stallMs === 'number' ? spec.stallMs : spec.stallMs(record.params)
  }

  state(): Omit<ThreadState, 'slot'> {
    const { record } = this.#parts
    const isStopping = this.#killReason !== null || Atomics.load(this.#words, control.stop) !== stop.none
    return {
      thread: this.#thread?.threadId ?? null,
      status: isStopping ? 'stopping' : 'busy',
      operation_id: record.operation_id,
      type: record.type,
      busy_seconds: (performance.now() - this.#startedAt) / 1000,
      memory_bytes: this.#memoryBytes,
    }
  }

  /** Of the datasets it can only be that they are missing or damaged: whatever else throws there is a bug. */
  async #executeWithBars(): Promise<Outcome> {
    const { record, spec, sharedBars } = this.#parts
    const early = await this.#supply()
    if (early !== null) return early
    const pinned = spec.sharesBars?.(record.params, record.provenance.dataset_sha256) ?? []
    try {
      let isLent = false
      const lent = sharedBars.lend(pinned, async datasets => {
        isLent = true
        return this.#endOfStop() ?? (await this.#execute(datasets))
      })
      // A dataset that is still being read is not waited for by a run that is to stop. Many would pile up behind it.
      if (pinned.length > 1) return await lent
      const stopped = this.#stopping.promise.then(() => (isLent ? lent : (this.#endOfStop() ?? lent)))
      return await Promise.race([lent, stopped])
    } catch (error) {
      const problem = asProblem(error)
      if (problem === null) throw error
      return { kind: 'failed', problem: problem.toData(), mode: 'cooperative' }
    }
  }

  /**
   * Brings what the attempt reads to this node, however long that takes; one that is to stop meanwhile is not waited for.
   * @returns its end, when nothing is to run
   */
  async #supply(): Promise<Outcome | null> {
    const { record, server } = this.#parts
    if (!isCopy(server.home)) {
      this.#isSupplied = true
      return null
    }
    try {
      const fetched = fetchPatiently(server.home, record, () => this.#endOfStop() !== null)
      await Promise.race([fetched, this.#stopping.promise])
      return this.#endOfStop()
    } catch (error) {
      return this.#endOfStop() ?? this.#endOf(error)
    } finally {
      this.#isSupplied = true
    }
  }

  /** What an attempt comes to that is to stop before anything of it runs; null: it is not to stop. */
  #endOfStop(): Outcome | null {
    if (this.#killReason !== null && this.#killReason !== 'cancelled') return this.#endOf(null)
    const word = Atomics.load(this.#words, control.stop)
    if (word === stop.cancel) return { kind: 'cancelled', mode: 'cooperative' }
    return word === stop.drain ? { kind: 'interrupted' } : null
  }

  #endOf(error: unknown): Outcome {
    const { record, spec } = this.#parts
    return outcomeOfError(error, this.#killReason, { timeoutMs: record.timeout_ms ?? spec.timeoutMs })
  }

  async #execute(datasets: readonly SharedDataset[]): Promise<Outcome> {
    const { piscina, spec, options } = this.#parts
    const channel = new MessageChannel()
    this.#port = channel.port1
    channel.port1.on('message', (message: WorkerMessage) => this.#hear(message))
    let outcome: Outcome
    try {
      outcome = await piscina.run(this.#task(channel.port2, datasets), {
        filename: new URL(`../../workers/${spec.worker}`, import.meta.url).href,
        transferList: transferring(channel.port2),
        signal: this.#killing.signal,
      })
    } catch (error) {
      outcome = (this.#hasBegun() ? null : this.#endOfStop()) ?? this.#endOf(error)
      // A worker that only threw lives on in the pool; one that was killed or died does not.
      if (this.#thread !== null && !piscina.threads.includes(this.#thread)) await this.#exited
    }
    // Messages come over another port than the result and may still be on their way: fetch them before the end is told.
    for (
      let late = receiveMessageOnPort(channel.port1);
      late !== undefined;
      late = receiveMessageOnPort(channel.port1)
    ) {
      options.onMessage(late.message as WorkerMessage)
    }
    channel.port1.close()
    this.#port = null
    this.#forgetThread()
    return outcome
  }

  #task(port: MessagePort, datasets: readonly SharedDataset[]): Task {
    const { record, server, clock } = this.#parts
    return {
      operation_id: record.operation_id,
      type: record.type,
      attempt: record.attempt,
      params: record.params,
      provenance: record.provenance,
      request_id: record.request_id,
      server,
      datasets,
      now: clock.now(),
      restore_from: record.checkpoints,
      control: this.#control,
      port,
    }
  }

  #hear(message: WorkerMessage): void {
    if (message.kind === 'started') this.#findThread()
    this.#parts.options.onMessage(message)
  }

  #expire(): void {
    // A cancel that came first has its own grace running.
    if (this.#parts.options.cancel.aborted) return
    this.#timedOut = true
    this.ask(stop.cancel)
    if (this.#grace !== null) clearTimeout(this.#grace)
    this.#grace = setTimeout(() => this.kill('timed-out'), this.#parts.options.cancelGraceMs)
  }

  /** The worker writes its thread id into the control block; from then on its exit can be awaited. */
  #findThread(): void {
    const id = Atomics.load(this.#words, control.thread)
    if (this.#thread !== null || id === 0) return
    const thread = this.#parts.piscina.threads.find(candidate => candidate.threadId === id)
    if (thread === undefined) return
    this.#thread = thread
    this.#exited = new Promise(resolve => {
      thread.once('exit', resolve)
      this.#forgetThread = () => thread.off('exit', resolve)
    })
    this.#beat = { count: Atomics.load(this.#words, control.beat), at: performance.now() }
    this.#parts.options.onThread(id)
  }
}
