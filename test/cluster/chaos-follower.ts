import type { ServerEvent } from '../support/event-stream.ts'
import type { Operation, Program } from '../support/program.ts'
import { ends } from './chaos-audit.ts'

type Point = { readonly seq: number; readonly attempt: number; readonly values: object }
type Series = { readonly name: string; readonly points: readonly Point[] }

/** What a client knows of one operation. */
type Known = {
  revision: number
  attempt: number
  status: string
  progress: number
  /** In order of `seq`, each once: a later attempt replaces what it records again. */
  points: Point[]
  /** The attempt up to which the points were read: the stream may tell older ones after that. */
  readAttempt: number
  /** Revisions under which an end was told. */
  readonly ends: Set<number>
}

/** Events after which a client goes to the other node though nothing forces it to. */
const restless = 400

/**
 * A client that follows event streams as a browser does, from node to node: when a connection breaks it goes to another
 * node with the last id it saw, and reads the metrics it may have missed there. It writes down everything that does not
 * fit to what it was told before.
 */
export class Follower {
  readonly complaints: string[] = []
  readonly known = new Map<string, Known>()
  /** How often it connected, and how many events came. */
  connections = 0
  events = 0
  readonly #nodes: readonly Program[]
  readonly #path: string
  #at: number
  #lastId: string | null = null
  #stopped = false
  readonly #waiting = new Set<() => void>()

  /** @param path `/api/v1/events`, or that of one operation  @param first the node to begin with */
  constructor(nodes: readonly Program[], path: string, first = 0) {
    this.#nodes = nodes
    this.#path = path
    this.#at = first
  }

  /** Follows until `stop`; with one operation, until its end. */
  async follow(): Promise<void> {
    while (!this.#stopped) {
      const node = this.#nodes[this.#at % this.#nodes.length] as Program
      this.#at += 1
      try {
        await this.#connect(node)
      } catch {
        // The node is gone; so to the next one.
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
  }

  stop(): void {
    this.#stopped = true
  }

  /** The id of the last event: what this client would reconnect with. */
  get lastId(): string | null {
    return this.#lastId
  }

  /** Waits until the ends of all these were told. @throws after `seconds`, with what is missing */
  async untilEnded(ids: readonly string[], seconds: number): Promise<void> {
    const missing = () => ids.filter(id => (this.known.get(id)?.ends.size ?? 0) === 0)
    await new Promise<void>((resolve, reject) => {
      const fail = () => {
        const all = missing().map(id => `${id} ${JSON.stringify(this.known.get(id), withoutPoints)}`)
        reject(new Error(`no end was told of ${all.length} operations: ${all.slice(0, 5).join(', ')}`))
      }
      const timer = setTimeout(fail, seconds * 1_000)
      const look = () => {
        if (missing().length > 0) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async #connect(node: Program): Promise<void> {
    const headers: Record<string, string> = this.#lastId === null ? {} : { 'last-event-id': this.#lastId }
    this.connections += 1
    let count = 0
    /** Points that came before this connection may be missing. */
    const behind = new Set(this.known.keys())
    for await (const event of node.events(this.#path, headers)) {
      this.events += 1
      this.#lastId = event.id ?? this.#lastId
      await this.#take(event, node, behind)
      for (const look of [...this.#waiting]) look()
      count += 1
      if (this.#stopped || count >= restless) return
    }
    // Streams of one operation end with it.
    if (this.#path !== '/api/v1/events' && [...this.known.values()].every(one => one.ends.size > 0))
      this.stop()
  }

  async #take({ event, data }: ServerEvent, node: Program, behind: Set<string>): Promise<void> {
    const id = String(data.operation_id)
    if (event === 'snapshot' || event === 'status') {
      // Only `snapshot` says that something was missed; what follows is told point by point.
      const isNew = !this.known.has(id)
      this.#state(event, data as Operation)
      if (event === 'snapshot' && (isNew || behind.delete(id))) await this.#catchUp(node, data as Operation)
    } else if (event === 'progress') this.#progress(id, Number(data.progress))
    else if (event === 'metrics')
      for (const point of (data as unknown as Series).points) this.#point(id, point)
  }

  #state(event: string, operation: Operation): void {
    const { operation_id: id, revision, attempt, status, progress } = operation
    const before = this.known.get(id)
    const {
      points,
      readAttempt,
      ends: told,
    } = before ?? { points: [], readAttempt: 0, ends: new Set<number>() }
    const next = { revision, attempt, status, progress, points, readAttempt, ends: told }
    if (ends.includes(status)) told.add(revision)
    this.known.set(id, next)
    if (before === undefined) return
    const complain = (what: string) =>
      this.complaints.push(
        `${event} of ${id}: ${what}, from ${JSON.stringify(before, withoutPoints)} to ${JSON.stringify(next, withoutPoints)}`,
      )
    if (revision < before.revision) complain('the revision fell')
    if (attempt < before.attempt) complain('the attempt fell')
    if (revision === before.revision && status !== before.status) complain('one revision, two statuses')
    if (ends.includes(before.status) && status !== before.status) complain('it went on after its end')
    if (told.size > 1) complain('it ended twice')
    if (attempt === before.attempt && progress < before.progress) complain('progress fell')
  }

  #progress(id: string, progress: number): void {
    const known = this.known.get(id)
    if (known === undefined) this.complaints.push(`progress of ${id}, of which nothing was told`)
    else if (progress < known.progress)
      this.complaints.push(`progress of ${id} fell from ${known.progress} to ${progress}`)
    else known.progress = progress
  }

  #point(id: string, point: Point): void {
    const known = this.known.get(id)
    const last = known?.points.at(-1)
    if (known === undefined) this.complaints.push(`a point of ${id}, of which nothing was told`)
    else if (point.attempt < known.readAttempt) return
    else if (last !== undefined && point.attempt < last.attempt)
      this.complaints.push(`a point of ${id} of attempt ${point.attempt}, after one of ${last.attempt}`)
    else if (point.attempt === last?.attempt && point.seq <= last.seq) return
    else if (point.seq > (last?.seq ?? 0) + 1)
      this.complaints.push(
        `${id}: point ${point.seq} of attempt ${point.attempt} follows point ${last?.seq} of attempt ${last?.attempt}`,
      )
    else known.points = [...known.points.slice(0, point.seq - 1), point]
  }

  /** Reads the whole series: what was told before may have been recorded again meanwhile. */
  async #catchUp(node: Program, { operation_id: id, status, attempt }: Operation): Promise<void> {
    if (status === 'pending' && attempt === 1) return
    const known = this.known.get(id)
    if (known === undefined) return
    known.points = await pointsOf(node, id)
    known.readAttempt = known.points.at(-1)?.attempt ?? 0
  }
}

/** All metrics of an operation, in order. */
export async function pointsOf(node: Program, id: string): Promise<Point[]> {
  const { body } = await node.get<{ series: Series[]; more: boolean }>(
    `/api/v1/operations/${id}/metrics?limit=5000`,
  )
  if (body.more) throw new Error(`${id} has more metrics than this test reads`)
  return body.series.flatMap(({ points }) => points).sort((a, b) => a.seq - b.seq)
}

const withoutPoints = (key: string, value: unknown): unknown =>
  key === 'points' ? undefined : value instanceof Set ? [...value] : value
