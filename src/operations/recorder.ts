import type { Clock } from '../clock.ts'
import type { Feed } from '../feed/feed.ts'
import type { ProgressUpdate, Store } from '../store/store.ts'
import type { OperationRecord, Progress, Steps } from './operation.ts'

/** The highest percentage before completion; 100 means completed. */
const almostDone = 99.99
/** How fast the measured rate follows the last second. */
const rateWeight = 0.3
/** A heartbeat is stored this often when nothing else changed. */
const heartbeatMs = 5_000

type Live = {
  readonly attempt: number
  progress: Progress
  thread: number | null
  measuredAt: number
  measuredDone: number
  storedAt: number
  dirty: boolean
}

export type LastProgress = {
  readonly progress: Progress
  /** What was not written yet. */
  readonly pending: ProgressUpdate | null
}

/**
 * Progress of the operations that run here: kept in memory as it arrives, told to the feed, and written to the
 * store for all operations in one transaction per tick.
 */
export class Recorder {
  readonly #store: Store
  readonly #feed: Feed
  readonly #clock: Clock
  readonly #live = new Map<string, Live>()

  constructor(store: Store, feed: Feed, clock: Clock) {
    this.#store = store
    this.#feed = feed
    this.#clock = clock
  }

  begin(record: OperationRecord): void {
    const now = this.#clock.now()
    this.#live.set(record.operation_id, {
      attempt: record.attempt,
      progress: { progress: 0, phase: null, steps: null, rate: null, eta_seconds: null },
      thread: null,
      measuredAt: now,
      measuredDone: Number.NaN,
      storedAt: now,
      dirty: false,
    })
  }

  ranOn(operationId: string, thread: number): void {
    const live = this.#live.get(operationId)
    if (live === undefined) return
    live.thread = thread
    live.dirty = true
  }

  /** What a worker said of its progress. */
  progress(record: OperationRecord, steps: Steps, phase: string | null): void {
    const live = this.#live.get(record.operation_id)
    if (live === undefined || live.attempt !== record.attempt || !isMeasurable(steps)) return
    const rate = this.#measureRate(live, steps.done)
    const percent =
      steps.total === null || steps.total <= 0 ? live.progress.progress : (100 * steps.done) / steps.total
    const left =
      steps.total === null || rate === null || rate <= 0 ? null : Math.max(0, steps.total - steps.done) / rate
    live.progress = {
      progress: Math.min(almostDone, Math.max(live.progress.progress, percent)),
      phase,
      steps,
      rate,
      eta_seconds: left,
    }
    live.dirty = true
    this.#feed.publish({
      kind: 'progress',
      operation_id: record.operation_id,
      revision: record.revision,
      progress: live.progress,
    })
  }

  /** @returns the last progress of an attempt that ends, to be written with its end */
  end(operationId: string): LastProgress {
    const live = this.#live.get(operationId)
    this.#live.delete(operationId)
    if (live === undefined)
      return {
        progress: { progress: 0, phase: null, steps: null, rate: null, eta_seconds: null },
        pending: null,
      }
    return {
      progress: live.progress,
      pending: live.dirty ? toUpdate(operationId, live, this.#clock.now()) : null,
    }
  }

  /** Writes what changed since the last tick. @returns operations whose attempt is no longer theirs: stop them */
  async tick(): Promise<string[]> {
    const now = this.#clock.now()
    const due = [...this.#live].filter(([, live]) => live.dirty || now - live.storedAt >= heartbeatMs)
    if (due.length === 0) return []
    const updates = due.map(([id, live]) => {
      live.dirty = false
      live.storedAt = now
      return toUpdate(id, live, now)
    })
    const records = await this.#store.recordProgress(updates, now)
    for (const record of records) this.#feed.publish({ kind: 'changed', record, statusChanged: false })
    const written = new Set(records.map(record => record.operation_id))
    return updates.map(update => update.operation_id).filter(id => !written.has(id) && this.#live.has(id))
  }

  #measureRate(live: Live, done: number): number | null {
    const now = this.#clock.now()
    if (Number.isNaN(live.measuredDone)) {
      live.measuredAt = now
      live.measuredDone = done
      return null
    }
    const seconds = (now - live.measuredAt) / 1000
    if (seconds < 0.25) return live.progress.rate
    const measured = Math.max(0, done - live.measuredDone) / seconds
    live.measuredAt = now
    live.measuredDone = done
    const before = live.progress.rate
    return before === null ? measured : before + rateWeight * (measured - before)
  }
}

/** A worker that divides by zero must not stop the progress of all others, written with its own. */
const isMeasurable = ({ done, total }: Steps): boolean =>
  Number.isFinite(done) && (total === null || Number.isFinite(total))

function toUpdate(id: string, live: Live, now: number): ProgressUpdate {
  return {
    operation_id: id,
    attempt: live.attempt,
    progress: live.progress,
    worker_thread: live.thread,
    heartbeat_at: now,
  }
}
