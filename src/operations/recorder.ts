import type { Clock } from '../clock.ts'
import type { Feed } from '../feed/feed.ts'
import type { ProgressUpdate, Store } from '../store/store.ts'
import type { OperationRecord, Progress, Steps } from './operation.ts'

/** The highest percentage before completion; 100 means completed. */
const almostDone = 99.99
/** How fast the measured rate follows the last second. */
const rateWeight = 0.3
/** A heartbeat is stored this often when nothing else changed: in a cluster, 10 s without one is death. */
const heartbeatMs = 2_500

type Live = {
  readonly attempt: number
  progress: Progress
  thread: number | null
  measuredAt: number
  measuredDone: number
  storedAt: number
  dirty: boolean
}

/** An attempt that was taken over. */
export type Lost = { readonly operation_id: string; readonly attempt: number }

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
  #isWriting = false

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

  ranOn({ operation_id: id, attempt }: OperationRecord, thread: number): void {
    const live = this.#live.get(id)
    if (live === undefined || live.attempt !== attempt) return
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
  end({ operation_id: id, attempt }: OperationRecord): LastProgress {
    const live = this.#live.get(id)
    // An attempt that was taken over may end after the next one has begun here.
    if (live === undefined || live.attempt !== attempt)
      return {
        progress: { progress: 0, phase: null, steps: null, rate: null, eta_seconds: null },
        pending: null,
      }
    this.#live.delete(id)
    return { progress: live.progress, pending: live.dirty ? toUpdate(id, live, this.#clock.now()) : null }
  }

  /**
   * Writes what changed since the last tick.
   * @returns attempts that do not own their operation any more: stop them
   */
  async tick(): Promise<Lost[]> {
    if (this.#isWriting) return []
    this.#isWriting = true
    try {
      return await this.#write()
    } finally {
      this.#isWriting = false
    }
  }

  async #write(): Promise<Lost[]> {
    const now = this.#clock.now()
    const due = [...this.#live].filter(([, live]) => live.dirty || now - live.storedAt >= heartbeatMs)
    if (due.length === 0) return []
    const updates = due.map(([id, live]) => {
      live.dirty = false
      live.storedAt = now
      return toUpdate(id, live, now)
    })
    const records = await this.#store.recordProgress(updates, now).catch(error => {
      for (const [, live] of due) live.dirty = true
      throw error
    })
    for (const record of records) this.#feed.publish({ kind: 'changed', record, statusChanged: false })
    const written = new Set(records.map(record => record.operation_id))
    return updates.filter(
      ({ operation_id: id, attempt }) => !written.has(id) && this.#live.get(id)?.attempt === attempt,
    )
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
