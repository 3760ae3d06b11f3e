import type { FeedEvent } from '../feed/feed.ts'
import type { Operation, OperationRecord } from '../operations/operation.ts'
import type { Frame, SseClient } from './sse-client.ts'
import {
  type IdKind,
  type Known,
  operationFrame,
  type ProgressNews,
  progressFrame,
  seriesFrame,
} from './sse-frames.ts'

/** Progress reaches a client at most every so many milliseconds. */
const progressIntervalMs = 100
/** Clients written in one go; other requests are answered before the next ones are. */
const slice = 100

export type HubOptions = {
  readonly idKind: IdKind
  /** Called for a deleted operation. */
  readonly onDeleted: (hub: SseHub) => void
  readonly present: (record: OperationRecord) => Promise<Operation>
  readonly onError: (error: unknown) => void
}

/** All clients that follow the same events. A frame is built once and written to everybody, in the order of the events. */
export class SseHub {
  readonly clients = new Set<SseClient>()
  readonly #options: HubOptions
  readonly #known = new Map<string, Known>()
  readonly #progress = new Map<string, ProgressNews>()
  #timer: NodeJS.Timeout | null = null
  #work: Promise<void> = Promise.resolve()

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** A feed listener. */
  readonly tell = (event: FeedEvent): void => {
    if (this.clients.size === 0) return
    switch (event.kind) {
      case 'changed':
        this.#changed(event.record, event.statusChanged)
        return
      case 'progress':
        this.#setProgress({
          operationId: event.operation_id,
          ...this.#knownOf(event),
          progress: event.progress,
        })
        return
      case 'metrics':
      case 'logs':
        this.#then(async () =>
          this.#broadcast(seriesFrame(event, this.#knownOf(event), this.#options.idKind)),
        )
        return
      case 'deleted':
        this.#forget(event.operation_id)
        this.#then(async () => this.#options.onDeleted(this))
        return
      default:
        event satisfies never
    }
  }

  /** Sends the snapshots of what `read` finds, then what has happened since the call. */
  async join(client: SseClient, read: () => Promise<readonly OperationRecord[]>): Promise<void> {
    this.clients.add(client)
    for (const record of await read()) {
      if (client.closed) return
      this.#learn(record)
      await client.snapshot(
        operationFrame('snapshot', record, await this.#options.present(record), this.#options.idKind),
      )
    }
    client.joined()
  }

  /** A comment to everybody. Clients that have not read for too long are cut off. */
  async heartbeat(maxBlockedTicks: number): Promise<void> {
    await this.#each(client => {
      if (!client.heartbeat(maxBlockedTicks)) client.destroy()
    })
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (const client of this.clients) client.end()
    this.clients.clear()
  }

  #changed(record: OperationRecord, statusChanged: boolean): void {
    const { operation_id: operationId, attempt, revision } = record
    this.#learn(record)
    if (!statusChanged) {
      this.#setProgress({ operationId, attempt, revision, progress: record })
      return
    }
    this.#progress.delete(operationId)
    this.#then(async () => {
      const frame = operationFrame(
        'status',
        record,
        await this.#options.present(record),
        this.#options.idKind,
      )
      await this.#broadcast(frame)
      if (frame.terminal) this.#forget(operationId)
    })
  }

  #learn({ operation_id, attempt, revision }: OperationRecord): void {
    if (revision >= (this.#known.get(operation_id)?.revision ?? 0))
      this.#known.set(operation_id, { attempt, revision })
  }

  /** What a worker tells carries the revision its attempt began with; the newest one told is newer. */
  #knownOf(event: { readonly operation_id: string; readonly revision: number }): Known {
    const known = this.#known.get(event.operation_id)
    return known === undefined ? { attempt: 1, revision: event.revision } : known
  }

  #forget(operationId: string): void {
    this.#known.delete(operationId)
    this.#progress.delete(operationId)
  }

  #setProgress(news: ProgressNews): void {
    const waiting = this.#progress.get(news.operationId)
    // What the store has may be older than what the worker said last.
    const isOlder = waiting?.attempt === news.attempt && waiting.progress.progress > news.progress.progress
    this.#progress.set(news.operationId, isOlder ? { ...news, progress: waiting.progress } : news)
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      const all = [...this.#progress.values()]
      this.#progress.clear()
      this.#then(async () => {
        for (const one of all) await this.#broadcast(progressFrame(one, this.#options.idKind))
      })
    }, progressIntervalMs)
  }

  /** One thing at a time: presenting an operation takes a while, and later events must not overtake it. */
  #then(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch(this.#options.onError)
  }

  async #broadcast(frame: Frame): Promise<void> {
    await this.#each(client => client.offer(frame))
  }

  async #each(action: (client: SseClient) => void): Promise<void> {
    const clients = [...this.clients]
    for (let start = 0; start < clients.length; start += slice) {
      if (start > 0) await new Promise(resolve => setImmediate(resolve))
      for (const client of clients.slice(start, start + slice)) action(client)
    }
  }
}
