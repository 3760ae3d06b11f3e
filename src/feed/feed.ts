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

/**
 * Tells listeners of committed changes, in the order of the commits. Listeners must not throw. This one knows what its
 * own process does, which is everything where there is one server; a node of a cluster has one that knows of the others.
 */
export class Feed {
  readonly #everything = new Set<Listener>()
  readonly #own = new Set<Listener>()
  readonly #byOperation = new Map<string, Set<Listener>>()

  /** Tells what this process has done. */
  publish(event: FeedEvent): void {
    this.tellOwn(event)
    this.tell(event)
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: Listener): () => void {
    this.#everything.add(listener)
    return () => this.#everything.delete(listener)
  }

  /** As `subscribe`, for what this process has done itself: what is counted once, wherever it is heard. */
  subscribeOwn(listener: Listener): () => void {
    this.#own.add(listener)
    return () => this.#own.delete(listener)
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

  /**
   * Says that somebody follows the metrics and logs of these operations; null: of all. From the moment this resolves
   * every point and line is told.
   * @returns a function that ends it
   */
  async watch(_operationIds: readonly string[] | null): Promise<() => void> {
    return () => undefined
  }

  protected tellOwn(event: FeedEvent): void {
    for (const listener of this.#own) listener(event)
  }

  protected tell(event: FeedEvent): void {
    for (const listener of this.#everything) listener(event)
    const listeners = this.#byOperation.get(operationIdOf(event))
    if (listeners !== undefined) for (const listener of [...listeners]) listener(event)
  }
}
