import { keepAttempt } from '../archive/artifacts.ts'
import { pruneCheckpoints } from '../archive/checkpoints.ts'
import { isCopy } from '../archive/exchange.ts'
import { errorFields } from '../log.ts'
import { Problem } from '../problems.ts'
import type { Ending } from '../store/store.ts'
import { storeCheckpoint, storeJournal } from './exchanged-files.ts'
import { HandOver } from './hand-over.ts'
import { MessageTurns } from './message-turns.ts'
import type { OperationRecord, OperationType, Outcome, Progress } from './operation.ts'
import type { WorkerMessage } from './protocol.ts'
import { type LastProgress, type Lost, Recorder } from './recorder.ts'
import { extraAttempts, interrupted } from './recovery.ts'
import type { Collaborators } from './service.ts'

/** How often progress is written to the store. */
const tickMs = 500
/** How often what a journal holds is given to other nodes. */
const journalEveryMs = 10_000

/**
 * What attempts report: claims, progress, metrics, logs, checkpoints and ends. Every write carries the attempt, so
 * that one which no longer owns the operation changes nothing.
 */
export class Attempts {
  readonly #with: Collaborators
  readonly #home: string
  readonly #recorder: Recorder
  readonly #timer: NodeJS.Timeout
  readonly #turns = new MessageTurns()
  readonly #handOver: HandOver
  #closed = false
  readonly #onLost: ((lost: Lost) => void)[] = []

  constructor(collaborators: Collaborators, home: string) {
    this.#with = collaborators
    this.#home = home
    this.#handOver = new HandOver({ ...collaborators, home, turns: this.#turns })
    this.#recorder = new Recorder(collaborators.store, collaborators.feed, collaborators.clock)
    this.#timer = setInterval(() => this.#tick(), tickMs)
    this.#timer.unref()
  }

  /** @param listener told of attempts that run here and do not own their operation any more */
  onLost(listener: (lost: Lost) => void): void {
    this.#onLost.push(listener)
  }

  /** Starts the operation that is next. @param startable the types that may start now */
  async claim(node: string, startable: readonly OperationType[]): Promise<OperationRecord | null> {
    const { store, clock } = this.#with
    const record = await store.claim(node, startable, clock.now())
    if (record === null) return null
    this.#recorder.begin(record)
    this.#changed(record)
    return record
  }

  async isCancelling(record: OperationRecord): Promise<boolean> {
    return (await this.#with.store.get(record.operation_id))?.status === 'cancelling'
  }

  /** The thread it runs on. */
  ranOn(record: OperationRecord, thread: number): void {
    this.#recorder.ranOn(record, thread)
  }

  /** Progress of a fan-out operation, told by its children. */
  progress(record: OperationRecord, done: number, total: number, unit: string): void {
    this.#recorder.progress(record, { done, total, unit }, null)
  }

  /** Records what a worker said. */
  record(record: OperationRecord, message: WorkerMessage): void {
    // A copy of the archive takes its time to save a checkpoint: what was said after it waits.
    const inTurn = isCopy(this.#home) && message.kind !== 'progress'
    const stored = inTurn ? this.#storeInTurn(record, message) : this.#store(record, message)
    stored.catch(error => {
      this.#with.log.error('operation.message_lost', {
        operation_id: record.operation_id,
        kind: message.kind,
        ...errorFields(error),
      })
    })
  }

  /**
   * Writes how an attempt ended, however often that takes: an end that is lost would leave the operation running for
   * nobody.
   * @returns the ended (or requeued) operation; null when the attempt was not the running one any more
   */
  async finish(record: OperationRecord, came: Outcome): Promise<OperationRecord | null> {
    const outcome = isCopy(this.#home) ? await this.#handOver.give(record, came) : came
    const last = this.#recorder.end(record)
    const ended = await this.#untilStored(record, () => this.#write(record, outcome, last))
    if (ended === null) {
      const { operation_id, attempt } = record
      this.#with.log.warn('operation.fenced', { operation_id, attempt, outcome: outcome.kind })
      return null
    }
    // Told first: whoever waits for the end need not wait for the files that nobody needs any more.
    this.#changed(ended)
    if (ended.status === 'completed') await this.#clearAway(ended)
    return ended
  }

  /**
   * After a crash of the only server: nothing of it runs any more. Cancelling operations are cancelled, running ones go
   * back to the queue while they have attempts left.
   */
  async recover(): Promise<{ requeued: number; failed: number; cancelled: number }> {
    const { store, clock } = this.#with
    const counts = { requeued: 0, failed: 0, cancelled: 0 }
    // Running first: one that is cancelled meanwhile is found by the pass that follows.
    for (const record of await store.inStatus(['running'])) {
      const { operation_id: id, attempt } = record
      const requeued = await store.requeue(id, attempt, extraAttempts(record), clock.now())
      if (requeued !== null) {
        this.#changed(requeued)
        counts.requeued += 1
      } else if ((await store.get(id))?.status === 'running') {
        await this.finish(record, { kind: 'failed', problem: interrupted(record), mode: 'forced' })
        counts.failed += 1
      }
    }
    for (const record of await store.inStatus(['cancelling'])) {
      const stopped = await store.finish(
        record.operation_id,
        record.attempt,
        { event: 'stop', mode: 'forced' },
        clock.now(),
      )
      if (stopped !== null) this.#changed(stopped)
      counts.cancelled += 1
    }
    return counts
  }

  close(): void {
    this.#closed = true
    this.#handOver.close()
    clearInterval(this.#timer)
  }

  #write(record: OperationRecord, outcome: Outcome, last: LastProgress): Promise<OperationRecord | null> {
    if (outcome.kind === 'interrupted') return this.#giveBack(record)
    const { store, clock } = this.#with
    const { operation_id: id, attempt } = record
    const now = clock.now()
    // Asked for in one turn, so committed together: the last progress, then the end.
    const progress = last.pending === null ? [] : [store.recordProgress([last.pending], now)]
    const end = store.finish(id, attempt, this.#endingOf(record, outcome, last.progress), now)
    return Promise.all([end, ...progress]).then(([ended]) => ended)
  }

  /** The server stops: back to the queue without counting the attempt; a cancelled one is cancelled instead. */
  async #giveBack(record: OperationRecord): Promise<OperationRecord | null> {
    const { store, clock } = this.#with
    const { operation_id: id, attempt } = record
    return (
      (await store.requeue(id, attempt, 1, clock.now())) ??
      (await store.finish(id, attempt, { event: 'stop', mode: 'cooperative' }, clock.now()))
    )
  }

  /** Tries again, less and less often, while the store cannot be written: its disk may be full. */
  async #untilStored<T>(record: OperationRecord, write: () => Promise<T>): Promise<T> {
    for (let pauseMs = 100; ; pauseMs = Math.min(5_000, 2 * pauseMs)) {
      try {
        return await write()
      } catch (error) {
        this.#with.log.error('operation.end_delayed', {
          operation_id: record.operation_id,
          ...errorFields(error),
        })
        if (this.#closed) throw error
        await new Promise(resolve => setTimeout(resolve, pauseMs))
      }
    }
  }

  async #clearAway({ operation_id: id, attempt }: OperationRecord): Promise<void> {
    try {
      await keepAttempt(this.#home, id, attempt)
      await pruneCheckpoints(this.#home, id, new Set())
    } catch (error) {
      this.#with.log.warn('operation.files_left', { operation_id: id, ...errorFields(error) })
    }
  }

  #endingOf(
    record: OperationRecord,
    outcome: Exclude<Outcome, { kind: 'interrupted' }>,
    progress: Progress,
  ): Ending {
    if (outcome.kind !== 'completed') return toEnding(outcome, progress)
    try {
      this.#with.schemas.result(record.type, outcome.result)
      return toEnding(outcome, progress)
    } catch (error) {
      this.#with.log.error('operation.bad_result', {
        operation_id: record.operation_id,
        ...errorFields(error),
      })
      const detail = `The ${record.type} worker returned a result of the wrong form.`
      return { event: 'fail', problem: new Problem('worker-threw', detail).toData(), mode: 'cooperative' }
    }
  }

  #storeInTurn(record: OperationRecord, message: WorkerMessage): Promise<void> {
    const work = () => this.#store(record, message)
    // A bucket that is slow gets the newest checkpoint only.
    if (message.kind === 'checkpoint') return this.#turns.takeNewest(record, 'checkpoint', work)
    return this.#turns.take(record, work)
  }

  async #store(record: OperationRecord, message: WorkerMessage): Promise<void> {
    const { store, feed, clock, log } = this.#with
    const { operation_id: id, attempt, revision } = record
    switch (message.kind) {
      case 'started': {
        for (const lost of message.damaged)
          log.warn('checkpoint.damaged', { operation_id: id, file: lost.file })
        if (attempt > 1) await store.trimMetrics(id, attempt, message.restored?.metrics_seq ?? 0)
        return
      }
      case 'progress': {
        this.#noteJournal(record)
        this.#recorder.progress(
          record,
          { done: message.done, total: message.total, unit: message.unit },
          message.phase,
        )
        return
      }
      case 'metrics': {
        const points = await store.appendMetrics(id, attempt, message.name, message.points)
        if (points !== null && points.length > 0)
          feed.publish({ kind: 'metrics', operation_id: id, revision, name: message.name, points })
        return
      }
      case 'logs': {
        const lines = await store.appendLogs(id, attempt, message.lines)
        if (lines !== null && lines.length > 0)
          feed.publish({ kind: 'logs', operation_id: id, revision, lines })
        return
      }
      case 'warning': {
        this.#published(await store.addWarning(id, attempt, message.message, clock.now()))
        return
      }
      case 'checkpoint': {
        await storeCheckpoint(this.#home, record, message.checkpoint)
        const saved = await store.saveCheckpoint(id, attempt, message.checkpoint, clock.now())
        this.#published(saved)
        if (saved !== null)
          await pruneCheckpoints(
            this.#home,
            id,
            new Set(saved.checkpoints.map(checkpoint => checkpoint.file)),
          )
        return
      }
      default:
        message satisfies never
    }
  }

  /** What is in a journal is done again if this node dies: it gets to the others now and then. */
  #noteJournal(record: OperationRecord): void {
    if (!isCopy(this.#home) || !this.#turns.isDue(record, this.#with.clock.now(), journalEveryMs)) return
    this.#turns
      .takeNewest(record, 'journal', () => storeJournal(this.#home, record))
      .catch(error => this.#with.log.warn('operation.journal_delayed', errorFields(error)))
  }

  #published(record: OperationRecord | null): void {
    if (record !== null) this.#with.feed.publish({ kind: 'changed', record, statusChanged: false })
  }

  #changed(record: OperationRecord): void {
    const { operation_id, type, attempt, problem } = record
    this.#with.log.info(`operation.${record.status}`, {
      operation_id,
      type,
      attempt,
      ...(problem === null ? {} : { problem: problem.code, detail: problem.detail }),
    })
    this.#with.feed.publish({ kind: 'changed', record, statusChanged: true })
  }

  #tick(): void {
    this.#recorder.tick().then(
      lost => {
        for (const one of lost) for (const listener of this.#onLost) listener(one)
      },
      error => this.#with.log.error('operation.progress_lost', errorFields(error)),
    )
  }
}

function toEnding(outcome: Exclude<Outcome, { kind: 'interrupted' }>, progress: Progress): Ending {
  switch (outcome.kind) {
    case 'completed':
      return { event: 'complete', result: outcome.result, artifacts: outcome.artifacts, progress }
    case 'cancelled':
      return { event: 'stop', mode: outcome.mode }
    case 'failed':
      return { event: 'fail', problem: outcome.problem, mode: outcome.mode }
    default:
      return outcome satisfies never
  }
}
