import { Piscina } from 'piscina'
import type { Clock } from '../clock.ts'
import { errorFields, type Log } from '../log.ts'
import type { OperationRecord, OperationType } from '../operations/operation.ts'
import { type ServerFacts, stop } from '../operations/protocol.ts'
import type { WorkerSpec } from '../operations/spec.ts'
import { ActiveRun, type RunOptions } from './active-run.ts'
import type { SharedBars } from './shared-bars.ts'

export type PoolSettings = {
  readonly threads: number
  /** Heap and buffers of one worker. */
  readonly memoryMb: number
  /** Folder of compiled code: a thread starts three times faster with it. */
  readonly compileCache: string
  /** Told to every worker. */
  readonly server: ServerFacts
}

/** One attempt on its way through a thread. */
export type Run = {
  /** Asks it to save a checkpoint and give way. */
  readonly drain: () => void
  /** Kills its thread. */
  readonly kill: () => void
  /** Resolves when the outcome has been recorded and the slot is free. */
  readonly recorded: Promise<void>
}

export type ThreadState = {
  readonly slot: number
  readonly thread: number | null
  readonly status: 'idle' | 'busy' | 'stopping'
  readonly operation_id: string | null
  readonly type: OperationType | null
  readonly busy_seconds: number | null
  readonly memory_bytes: number | null
}

type PoolCollaborators = { readonly clock: Clock; readonly log: Log; readonly sharedBars: SharedBars }

type Slot = { readonly slot: number; run: ActiveRun | null }

/** How often threads are looked after: signs of life and memory. */
const watchMs = 500

/**
 * The worker threads. As many runs as threads, never more: the pool's own queue stays empty. A slot is free again
 * only when its run has ended and, if it was killed, its thread has exited.
 */
export class Pool {
  readonly #piscina: Piscina
  readonly #slots: readonly Slot[]
  readonly #settings: PoolSettings
  readonly #clock: Clock
  readonly #sharedBars: SharedBars
  readonly #watch: NodeJS.Timeout

  constructor(settings: PoolSettings, { clock, log, sharedBars }: PoolCollaborators) {
    this.#settings = settings
    this.#clock = clock
    this.#sharedBars = sharedBars
    this.#slots = Array.from({ length: settings.threads }, (_, index) => ({ slot: index + 1, run: null }))
    this.#piscina = new Piscina({
      minThreads: settings.threads,
      maxThreads: settings.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
      concurrentTasksPerWorker: 1,
      niceIncrement: 10,
      recordTiming: false,
      // What lives shortly is little beside typed arrays: the default lets a thread grow by tens of MiB for nothing. Of a
      // server started by launch.mjs its flag decides, which is about as much.
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb, maxYoungGenerationSizeMb: 16 },
      env: { NODE_COMPILE_CACHE: settings.compileCache },
    })
    this.#piscina.on('error', error => log.error('pool.error', errorFields(error)))
    this.#watch = setInterval(() => {
      for (const { run } of this.#slots) run?.lookAfter()
    }, watchMs)
    this.#watch.unref()
  }

  /** Slots that can take a run now. */
  free(): number {
    return this.#slots.filter(slot => slot.run === null).length
  }

  threads(): readonly ThreadState[] {
    return this.#slots.map(({ slot, run }) => ({
      slot,
      ...(run?.state() ?? {
        thread: null,
        status: 'idle' as const,
        operation_id: null,
        type: null,
        busy_seconds: null,
        memory_bytes: null,
      }),
    }))
  }

  /** Starts an attempt. Call it only while `free()` is above 0. */
  run(record: OperationRecord, spec: WorkerSpec, options: RunOptions): Run {
    const slot = this.#slots.find(candidate => candidate.run === null)
    if (slot === undefined) throw new Error('no thread is free')
    const run = new ActiveRun({
      piscina: this.#piscina,
      record,
      spec,
      options,
      memoryBytes: this.#settings.memoryMb * 1_048_576,
      server: this.#settings.server,
      clock: this.#clock,
      sharedBars: this.#sharedBars,
    })
    slot.run = run
    const recorded = run.start().then(async outcome => {
      slot.run = null
      await options.onOutcome(outcome)
    })
    return { drain: () => run.ask(stop.drain), kill: () => run.kill('fenced'), recorded }
  }

  async close(): Promise<void> {
    clearInterval(this.#watch)
    await this.#piscina.destroy()
  }
}
