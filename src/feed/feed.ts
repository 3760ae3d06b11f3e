import type {
  MetricPoint,
  OperationRecord,
  Progress,
  StoredLogLine,
  StoredMetricPoint,
} from '../operations/operation.ts'

/**
 * What listeners are told. `changed` follows a committed change of the row; `progress`, `metrics` and `logs` are
 * told as they are recorded.
 */
export type FeedEvent =
  | { readonly kind: 'changed'; readonly record: OperationRecord; readonly statusChanged: boolean }
  | {
      readonly kind: 'progress'
      readonly operation_id: string
      readonly revision: number
      readonly progress: Progress
    }
  | {
      readonly kind: 'metrics'
      readonly operation_id: string
      readonly revision: number
      readonly name: string
      readonly points: readonly StoredMetricPoint[]
    }
  | {
      readonly kind: 'logs'
      readonly operation_id: string
      readonly revision: number
      readonly lines: readonly StoredLogLine[]
    }
  | { readonly kind: 'deleted'; readonly operation_id: string }

export type Listener = (event: FeedEvent) => void

export type { MetricPoint }

/** The operation an event is about. */
export const operationIdOf = (event: FeedEvent): string =>
  event.kind === 'changed' ? event.record.operation_id : event.operation_id

/** In-process feed: committed changes to listeners, in the order of the commits. Listeners must not throw. */
export class Feed {
  readonly #everything = new Set<Listener>()
  readonly #byOperation = new Map<string, Set<Listener>>()

  publish(event: FeedEvent): void {
    for (const listener of this.#everything) listener(event)
    const listeners = this.#byOperation.get(operationIdOf(event))
    if (listeners !== undefined) for (const listener of [...listeners]) listener(event)
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: Listener): () => void {
    this.#everything.add(listener)
    return () => this.#everything.delete(listener)
  }

  /** As `subscribe`, for the events of one operation. */
  subscribeTo(operationId: string, listener: Listener): () => void {
    const listeners = this.#byOperation.get(operationId) ?? new Set()
    this.#byOperation.set(operationId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#byOperation.get(operationId) === listeners)
        this.#byOperation.delete(operationId)
    }
  }
}
