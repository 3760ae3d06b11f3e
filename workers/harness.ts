import { flushCompileCache } from 'node:module'
import { threadId } from 'node:worker_threads'
import { ArtifactFolder } from '../src/archive/artifacts.ts'
import { BarsArchive } from '../src/archive/bars.ts'
import type { PinnedBars } from '../src/archive/bars-history.ts'
import { newestReadable, writeCheckpoint } from '../src/archive/checkpoints.ts'
import { Journal } from '../src/archive/journal.ts'
import type { Bars } from '../src/market/bars.ts'
import { Calendars } from '../src/market/calendars.ts'
import type {
  Checkpoint,
  LogLevelName,
  OperationType,
  Outcome,
  Params,
  Provenance,
  Result,
} from '../src/operations/operation.ts'
import { control, type ServerFacts, type SharedDataset, stop, type Task } from '../src/operations/protocol.ts'
import { asProblem } from '../src/system-problems.ts'
import { Reports } from './reports.ts'

/** Thrown inside a worker to leave its loops; never crosses the thread boundary. */
class Stopped extends Error {}

type CheckpointOptions = {
  /** What a person sees: `step 40`, `epoch 7`. */
  readonly label: string
  /** Also keep it as the best so far. */
  readonly best?: boolean
}

/** What an attempt says and leaves, and the state of the checkpoint it goes on from, or null. */
type Means = { readonly reports: Reports; readonly artifacts: ArtifactFolder; readonly restored: unknown }

/** What a worker works with: one attempt of one operation. */
export class WorkerContext {
  readonly operationId: string
  readonly attempt: number
  readonly server: ServerFacts
  readonly provenance: Provenance
  readonly artifacts: ArtifactFolder
  readonly #words: Int32Array
  readonly #task: Pick<Task, 'params' | 'datasets'>
  readonly #reports: Reports
  readonly #restored: unknown
  readonly #aborting = new AbortController()
  /** Where the server's clock stood when this thread's own stood at 0. */
  readonly #startedAt: number

  constructor(task: Task, { reports, artifacts, restored }: Means) {
    this.operationId = task.operation_id
    this.attempt = task.attempt
    this.server = task.server
    this.#startedAt = task.now - performance.now()
    this.provenance = task.provenance
    this.artifacts = artifacts
    this.#words = new Int32Array(task.control)
    this.#task = task
    this.#reports = reports
    this.#restored = restored
    task.port.on('message', () => {
      if (this.stopRequested()) this.#aborting.abort()
    })
    task.port.unref()
  }

  /** Aborts when the operation is to stop, for code that waits for I/O. A hot loop calls `checkCancelled`. */
  get signal(): AbortSignal {
    return this.#aborting.signal
  }

  /** The seed of the parameters; 0 for types without one. */
  get seed(): number {
    return this.provenance.seed ?? 0
  }

  /** The server's clock, epoch ms. */
  now(): number {
    return Math.round(this.#startedAt + performance.now())
  }

  /** A sign of life, for code that waits for others longer than its type may be silent. */
  alive(): void {
    this.#beat()
  }

  /** The state of the checkpoint this attempt goes on from, or null at the start. */
  restored<S>(): S | null {
    return this.#restored as S | null
  }

  /** Cheap enough for every iteration. @param total null when it is not known */
  progress(done: number, total: number | null, phase: string | null = null, unit = 'step'): void {
    this.#beat()
    this.#reports.progress(done, total, phase, unit)
  }

  /** Adds a point to a series that the catalogue names. NaN and infinities become null. */
  metric(name: string, values: Readonly<Record<string, number>>): void {
    this.#beat()
    this.#reports.metric(name, values)
  }

  log(level: LogLevelName, message: string): void {
    this.#beat()
    this.#reports.log(level, message)
  }

  /** Shown with the operation for good. */
  warn(message: string): void {
    this.#reports.warning(message)
  }

  /** True when the operation is to stop. */
  stopRequested(): boolean {
    return Atomics.load(this.#words, control.stop) !== stop.none
  }

  /**
   * Leaves the worker when the operation is to stop. Costs about 5 ns: call it in every iteration.
   * @param state called then, for a last checkpoint to resume from
   */
  checkCancelled(state?: () => unknown, label = 'when it was stopped'): void {
    this.#beat()
    if (!this.stopRequested()) return
    if (state !== undefined) this.saveCheckpoint(state(), { label })
    throw new Stopped()
  }

  /** Writes `state` (anything structured clone can copy) to disk, durable when this returns. */
  saveCheckpoint(state: unknown, options: CheckpointOptions): void {
    const { label, best = false } = options
    const checkpoint = writeCheckpoint(this.server.home, this.operationId, this.attempt, state, {
      label,
      best,
      now: this.now(),
    })
    this.#reports.checkpoint(checkpoint)
    this.#beat()
  }

  /**
   * A list of what is finished that outlives this attempt, see `Journal`; close it at the end. It belongs to these
   * parameters and pins: an attempt that was given others starts with an empty one.
   */
  journal(): Journal {
    const { params } = this.#task
    const { strategy_sha256, dataset_sha256 } = this.provenance
    const work = { params, strategy_sha256, dataset_sha256 }
    return new Journal(this.server.home, this.operationId, this.attempt, work)
  }

  /**
   * All bars of a pinned dataset, not to be written to: shared with the other threads where the type shares it, else
   * read from the disk.
   * @throws {Problem} 'bars-missing' when the version is not stored, 'bars-invalid' when it is damaged
   */
  bars({ symbol, timeframe, sha256 }: PinnedBars): Bars {
    const isWanted = (dataset: SharedDataset) =>
      dataset.symbol === symbol && dataset.timeframe === timeframe && dataset.sha256 === sha256
    const shared = this.#task.datasets.find(isWanted)
    if (shared !== undefined) return shared.bars
    const archive = new BarsArchive(this.server.home, new Calendars(this.server.calendars))
    return archive.read(symbol, timeframe, sha256)
  }

  #beat(): void {
    this.#words[control.beat] = ((this.#words[control.beat] as number) + 1) | 0
  }
}

/**
 * The one way to write a worker: success, cancel and expected failure come back as data; only a bug throws.
 * @param body throws a `Problem` for an expected failure; its result must match `<Type>Result` of openapi.yaml
 */
export function defineWorker<P extends Params, R extends Result>(
  _type: OperationType,
  body: (params: P, context: WorkerContext) => R | Promise<R>,
): (task: Task) => Promise<Outcome> {
  return async task => {
    const words = new Int32Array(task.control)
    Atomics.store(words, control.thread, threadId)
    const reports = new Reports(task.port)
    const artifacts = new ArtifactFolder(task.server.home, task.operation_id, task.attempt)
    try {
      const context = new WorkerContext(task, { reports, artifacts, restored: restore(task, reports) })
      const result = await body(task.params as P, context)
      return { kind: 'completed', result, artifacts: await artifacts.publish() }
    } catch (error) {
      return outcomeOf(error, Atomics.load(words, control.stop))
    } finally {
      await artifacts.discard()
      reports.close()
      flushCompileCache() // now: a killed process keeps nothing, and other threads load less
    }
  }
}

function restore(task: Task, reports: Reports): unknown {
  const found = newestReadable(task.server.home, task.operation_id, task.restore_from)
  const restored: Checkpoint | null = found.checkpoint
  reports.started(restored, found.damaged)
  if (found.damaged.length > 0) {
    const from = restored === null ? 'started over' : `went on from '${restored.label}'`
    reports.warning(`${found.damaged.length} damaged checkpoint(s) could not be read; the operation ${from}.`)
  }
  return found.state
}

function outcomeOf(error: unknown, stopWord: number): Outcome {
  const gaveWay =
    error instanceof Stopped ||
    (stopWord !== stop.none && error instanceof Error && error.name === 'AbortError')
  if (gaveWay)
    return stopWord === stop.drain ? { kind: 'interrupted' } : { kind: 'cancelled', mode: 'cooperative' }
  const problem = asProblem(error)
  if (problem === null) throw error
  return { kind: 'failed', problem: problem.toData(), mode: 'cooperative' }
}
