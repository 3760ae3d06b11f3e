import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Feed, FeedEvent } from '../feed/feed.ts'
import { errorFields, type Log } from '../log.ts'
import { isTerminal } from '../operations/lifecycle.ts'
import type { Operation, OperationRecord, Progress } from '../operations/operation.ts'
import type { OperationQueries } from '../operations/queries.ts'
import { Problem } from '../problems.ts'
import { SseClient } from './sse-client.ts'
import { SseHub } from './sse-hub.ts'

const heartbeatMs = 15_000
/** A client that takes nothing for more than 30 s is cut off. */
const maxBlockedTicks = 3
const changesPerRead = 1_000

/** Asked for with every stream. @param lastEventId the header, if the client sent one */
export type Follow = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly lastEventId: string | undefined
}

type Rooms = { readonly queries: OperationQueries; readonly feed: Feed; readonly log: Log }

/** All event streams of this server. */
export class SseStreams {
  readonly maxStreams: number
  readonly #rooms: Rooms
  readonly #byOperation = new Map<string, SseHub>()
  readonly #everything: SseHub
  /** What workers said since the store was last written: a client that reconnects must not see less than before. */
  readonly #live = new Map<string, Progress>()
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout
  #count = 0
  #closed = false

  constructor(rooms: Rooms, maxStreams: number) {
    this.#rooms = rooms
    this.maxStreams = maxStreams
    this.#everything = this.#newHub('change_seq', () => undefined)
    this.#unsubscribe = rooms.feed.subscribe(event => this.#tell(event))
    this.#timer = setInterval(() => this.#heartbeat().catch(error => this.#report(error)), heartbeatMs)
    this.#timer.unref()
  }

  /** Streams open now. */
  get count(): number {
    return this.#count
  }

  /** @throws {Problem} operation-not-found, too-many-streams, draining */
  async followOne(id: string, follow: Follow): Promise<void> {
    const { queries } = this.#rooms
    const record = await queries.get(id)
    if (isTerminal(record.status) && (readEventId(follow.lastEventId) ?? 0) >= record.revision) {
      follow.response.writeHead(204).end()
      return
    }
    if (!this.#open(follow)) return
    const hub = this.#byOperation.get(id) ?? this.#newHub('revision', deleted => deleted.close())
    this.#byOperation.set(id, hub)
    const leave = () => {
      if (hub.clients.size === 0 && this.#byOperation.get(id) === hub) this.#byOperation.delete(id)
    }
    await this.#join(hub, new SseClient(follow.response, null, true), follow, {
      ids: [id],
      read: async () => [await queries.get(id)],
      leave,
    })
  }

  /** @param ids the operations to follow; null for all  @throws {Problem} as `followOne` */
  async followMany(ids: readonly string[] | null, follow: Follow): Promise<void> {
    // A name that means nothing is refused before the stream begins.
    if (ids !== null) await Promise.all(ids.map(id => this.#rooms.queries.get(id)))
    if (!this.#open(follow)) return
    const only = ids === null ? null : new Set(ids)
    const read = () => this.#snapshots(only, readEventId(follow.lastEventId))
    await this.#join(this.#everything, new SseClient(follow.response, only, false), follow, {
      ids,
      read,
      leave: () => undefined,
    })
  }

  /** Ends every stream and refuses new ones. */
  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#unsubscribe()
    for (const hub of this.#hubs()) hub.close()
  }

  #open({ request, response }: Follow): boolean {
    if (this.#closed) throw new Problem('draining', 'The server is stopping and opens no new streams.')
    if (!request.headOnly && this.#count >= this.maxStreams) {
      throw new Problem(
        'too-many-streams',
        `${this.#count} event streams are open, which is the most this server serves.`,
      )
    }
    request.socket.setNoDelay(true)
    request.socket.setTimeout(0)
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    })
    response.flushHeaders()
    if (request.headOnly) response.end()
    else response.write('retry: 2000\n\n')
    return !request.headOnly
  }

  async #join(
    hub: SseHub,
    client: SseClient,
    { response }: Follow,
    how: { ids: readonly string[] | null; read: () => Promise<OperationRecord[]>; leave: () => void },
  ): Promise<void> {
    let isOpen = true
    let stopWatching = () => {}
    this.#count += 1
    response.once('close', () => {
      isOpen = false
      this.#count -= 1
      hub.clients.delete(client)
      how.leave()
      stopWatching()
    })
    try {
      stopWatching = await this.#rooms.feed.watch(how.ids)
      if (isOpen) await hub.join(client, how.read)
      else stopWatching()
    } catch (error) {
      // Deleted a moment ago: the answer has begun, so all that is left is to end it.
      client.end()
      if (!(error instanceof Problem)) throw error
    }
  }

  async #snapshots(only: ReadonlySet<string> | null, after: number | null): Promise<OperationRecord[]> {
    const { queries } = this.#rooms
    const found =
      only === null ? await queries.active() : await Promise.all([...only].map(id => queries.get(id)))
    const records = new Map(found.map(record => [record.operation_id, record]))
    for (let seq = after; seq !== null; ) {
      const changed: OperationRecord[] = await queries.changedAfter(seq)
      for (const record of changed)
        if (only === null || only.has(record.operation_id)) records.set(record.operation_id, record)
      seq = changed.length < changesPerRead ? null : (changed.at(-1)?.change_seq ?? null)
    }
    return [...records.values()].sort((a, b) => a.change_seq - b.change_seq)
  }

  #newHub(idKind: 'revision' | 'change_seq', onDeleted: (hub: SseHub) => void): SseHub {
    return new SseHub({
      idKind,
      onDeleted,
      present: record => this.#present(record),
      onError: error => this.#report(error),
    })
  }

  async #present(record: OperationRecord): Promise<Operation> {
    const operation = await this.#rooms.queries.present(record)
    const live = this.#live.get(record.operation_id)
    const isBehind = live !== undefined && !isTerminal(record.status) && live.progress > operation.progress
    return isBehind ? { ...operation, ...live } : operation
  }

  #tell(event: FeedEvent): void {
    if (event.kind === 'progress') this.#live.set(event.operation_id, event.progress)
    else if (event.kind === 'deleted') this.#live.delete(event.operation_id)
    else if (event.kind === 'changed' && event.statusChanged && event.record.status !== 'cancelling') {
      this.#live.delete(event.record.operation_id)
    }
    this.#everything.tell(event)
    this.#byOperation
      .get(event.kind === 'changed' ? event.record.operation_id : event.operation_id)
      ?.tell(event)
  }

  #hubs(): SseHub[] {
    return [this.#everything, ...this.#byOperation.values()]
  }

  async #heartbeat(): Promise<void> {
    for (const hub of this.#hubs()) await hub.heartbeat(maxBlockedTicks)
  }

  #report(error: unknown): void {
    this.#rooms.log.error('http.stream_failed', errorFields(error))
  }
}

function readEventId(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null
}
