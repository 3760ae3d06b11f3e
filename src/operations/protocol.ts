import type { MessagePort } from 'node:worker_threads'
import type { PinnedBars } from '../archive/bars-history.ts'
import type { Bars } from '../market/bars.ts'
import type { CalendarDefinition } from '../market/calendar.ts'
import type { VendorsSettings } from '../vendors/vendor.ts'
import type { Checkpoint, LogLine, MetricPoint, OperationType, Params, Provenance } from './operation.ts'

/**
 * What passes between the main thread and a worker thread. Plain data only.
 * Two channels: a `SharedArrayBuffer` for what a hot loop must see or say at once, a `MessagePort` for the rest.
 */

/** Int32 words of the shared control block. */
export const control = {
  /** One of `stop`, written by the main thread. */
  stop: 0,
  /** The worker's thread id, written when the task starts. */
  thread: 1,
  /** Goes up with every sign of life. */
  beat: 2,
} as const

export const controlBytes = 4 * Int32Array.BYTES_PER_ELEMENT

/** Values of the `stop` word. `drain`: the server stops; save a checkpoint and give way. */
export const stop = { none: 0, cancel: 1, drain: 2 } as const

/** What every worker is told of the server it works for. Plain data and shared memory. */
export type ServerFacts = {
  /** The data folder, absolute. */
  readonly home: string
  readonly vendors: VendorsSettings
  /** Calendars the operator configured, besides the built-in ones. */
  readonly calendars: readonly CalendarDefinition[]
  /** When each vendor may next be asked, see `vendors/pacing.ts`. */
  readonly pacing: SharedArrayBuffer
}

/** Bars that every thread reads and none writes to: the columns lie in shared memory. */
export type SharedDataset = PinnedBars & { readonly bars: Bars }

/** Everything a worker needs to run one attempt. */
export type Task = {
  readonly operation_id: string
  readonly type: OperationType
  readonly attempt: number
  readonly params: Params
  readonly provenance: Provenance
  readonly request_id: string | null
  readonly server: ServerFacts
  /** What the type shares, see `WorkerSpec.sharesBars`. */
  readonly datasets: readonly SharedDataset[]
  /** The server's clock when the task was handed over, epoch ms: a worker's own clock goes on from there. */
  readonly now: number
  /** Newest first; the first one that reads whole is restored. */
  readonly restore_from: readonly Checkpoint[]
  readonly control: SharedArrayBuffer
  readonly port: MessagePort
}

/** From the worker. Posted at most 20 times a second per kind; never one by one from a hot loop. */
export type WorkerMessage =
  /** First of all: what it goes on from. Metrics recorded after that checkpoint will come again. */
  | {
      readonly kind: 'started'
      readonly restored: Checkpoint | null
      readonly damaged: readonly Checkpoint[]
    }
  | {
      readonly kind: 'progress'
      readonly done: number
      readonly total: number | null
      readonly unit: string
      readonly phase: string | null
    }
  | { readonly kind: 'metrics'; readonly name: string; readonly points: readonly MetricPoint[] }
  | { readonly kind: 'logs'; readonly lines: readonly LogLine[] }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Omit<Checkpoint, 'metrics_seq'> }

/** From the main thread: look at the control block now (wakes a worker that waits for I/O). */
export type MainMessage = { readonly kind: 'stop' }
