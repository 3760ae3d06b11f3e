import type { MessagePort } from 'node:worker_threads'
import type { Checkpoint, LogLevelName, LogLine, MetricPoint } from '../src/operations/operation.ts'
import type { WorkerMessage } from '../src/operations/protocol.ts'
import { limits } from '../src/store/store.ts'

/** At most this often is each kind of message posted: a flooded port would freeze the main thread. */
const postEveryMs = 50
/** Between two looks at the clock. Small, so that slow steps are reported soon; large enough to cost nothing. */
const callsPerLook = 64
/** Points and lines in one message. */
const batch = 1_000

/** What a worker has to say, gathered in its thread and posted in batches. */
export class Reports {
  readonly #port: MessagePort
  readonly #timer: NodeJS.Timeout
  readonly #metrics = new Map<string, MetricPoint[]>()
  #logs: LogLine[] = []
  #counts = { points: 0, lines: 0, warnings: 0 }
  #latest: { done: number; total: number | null; unit: string; phase: string | null } | null = null
  #calls = 0
  #quickCalls = 0
  #postedAt = Number.NEGATIVE_INFINITY
  #lookedAt = 0

  constructor(port: MessagePort) {
    this.#port = port
    // For workers that wait: what was said before the wait is posted during it.
    this.#timer = setInterval(() => this.#flushIfDue(), postEveryMs)
    this.#timer.unref()
  }

  started(restored: Checkpoint | null, damaged: readonly Checkpoint[]): void {
    this.#post({ kind: 'started', restored, damaged })
  }

  progress(done: number, total: number | null, phase: string | null, unit: string): void {
    const latest = this.#latest
    if (latest === null) this.#latest = { done, total, unit, phase }
    else {
      latest.done = done
      latest.total = total
      latest.unit = unit
      latest.phase = phase
    }
    this.#lookNowAndThen()
  }

  metric(name: string, values: Readonly<Record<string, number>>): void {
    if (this.#counts.points >= limits.metricPoints) return
    this.#counts.points += 1
    const finite = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Number.isFinite(value) ? value : null]),
    )
    const points = this.#metrics.get(name) ?? []
    points.push({ at: Date.now(), values: finite })
    this.#metrics.set(name, points)
    this.#lookNowAndThen()
  }

  log(level: LogLevelName, message: string): void {
    if (this.#counts.lines >= limits.logLines) return
    this.#counts.lines += 1
    this.#logs.push({ at: Date.now(), level, message: message.slice(0, 10_000) })
    this.#lookNowAndThen()
  }

  warning(message: string): void {
    if (this.#counts.warnings >= limits.warnings) return
    this.#counts.warnings += 1
    this.#post({ kind: 'warning', message: message.slice(0, 2_000) })
  }

  /** Everything recorded before the checkpoint is posted before it. */
  checkpoint(checkpoint: Omit<Checkpoint, 'metrics_seq'>): void {
    this.#flush()
    this.#post({ kind: 'checkpoint', checkpoint })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#flush()
  }

  /**
   * Looks at the clock at every call while calls are slow, ever less often, down to every 64th, while they are quick: two
   * calls in a row at the end of a slow step are not yet quick ones.
   */
  #lookNowAndThen(): void {
    this.#calls += 1
    if (this.#calls < this.#quickCalls) return
    this.#calls = 0
    const now = performance.now()
    this.#quickCalls =
      now - this.#lookedAt < 1 ? Math.min(callsPerLook, 2 * Math.max(1, this.#quickCalls)) : 1
    this.#lookedAt = now
    if (now - this.#postedAt >= postEveryMs) this.#flush(now)
  }

  #flushIfDue(): void {
    const now = performance.now()
    if (now - this.#postedAt >= postEveryMs) this.#flush(now)
  }

  #flush(now = performance.now()): void {
    this.#postedAt = now
    for (const [name, points] of this.#metrics) {
      for (let start = 0; start < points.length; start += batch) {
        this.#post({ kind: 'metrics', name, points: points.slice(start, start + batch) })
      }
    }
    this.#metrics.clear()
    for (let start = 0; start < this.#logs.length; start += batch) {
      this.#post({ kind: 'logs', lines: this.#logs.slice(start, start + batch) })
    }
    this.#logs = []
    if (this.#latest !== null) this.#post({ kind: 'progress', ...this.#latest })
    this.#latest = null
  }

  #post(message: WorkerMessage): void {
    this.#port.postMessage(message)
  }
}
