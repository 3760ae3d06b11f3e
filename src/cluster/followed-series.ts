import type { FeedEvent } from '../feed/feed.ts'
import { activeStatuses } from '../operations/lifecycle.ts'
import type { StoredMetricPoint } from '../operations/operation.ts'
import type { SeriesNews, SeriesPosition } from '../store/postgres/changes.ts'
import type { PostgresStore } from '../store/postgres/postgres-store.ts'

type SeriesEvent = Extract<FeedEvent, { kind: 'metrics' | 'logs' }>
type Followed = { followers: number; position: SeriesPosition }

/** Points and lines of one operation read at once. */
const pageRows = 1_000
/** Operations remembered while all are followed. */
const maxRemembered = 10_000

/**
 * The metrics and logs that somebody here follows, and how far they were told. A later attempt records again what came
 * after its checkpoint, under the same numbers: a point's place is its attempt, then its number.
 */
export class FollowedSeries {
  readonly #store: PostgresStore
  readonly #followed = new Map<string, Followed>()
  #followersOfAll = 0

  constructor(store: PostgresStore) {
    this.#store = store
  }

  /** Those whose place is known here. */
  get ids(): string[] {
    return [...this.#followed.keys()]
  }

  isFollowed(id: string): boolean {
    return this.#followersOfAll > 0 || this.#followed.has(id)
  }

  /** What is recorded after this resolves is told. @param ids null: all  @returns a function that ends it */
  async follow(ids: readonly string[] | null): Promise<() => void> {
    if (ids === null) this.#followersOfAll += 1
    const active = ids === null ? await this.#store.inStatus(activeStatuses) : []
    const begun = active.filter(({ status, attempt }) => status !== 'pending' || attempt > 1)
    for (const id of ids ?? begun.map(record => record.operation_id)) {
      const position = this.#followed.get(id)?.position ?? (await this.#store.seriesPosition(id))
      const followed = this.#followed.get(id) ?? { followers: 0, position }
      if (ids !== null) followed.followers += 1
      this.#followed.set(id, followed)
    }
    return () => this.#unfollow(ids)
  }

  /** What of an event was not told yet; null for nothing. */
  fresh(event: SeriesEvent): SeriesEvent | null {
    const followed = this.#followed.get(event.operation_id)
    if (followed === undefined) return event
    const { position } = followed
    if (event.kind === 'metrics') {
      const points = event.points.filter(point => isAfter(point, position.metrics))
      const last = points.at(-1)
      if (last === undefined) return null
      followed.position = { ...position, metrics: { attempt: last.attempt, seq: last.seq } }
      return { ...event, points }
    }
    const lines = event.lines.filter(line => line.seq > position.logs)
    const last = lines.at(-1)
    if (last === undefined) return null
    followed.position = { ...position, logs: last.seq }
    return { ...event, lines }
  }

  /** One that waits to go on from a checkpoint, while all are followed: what it recorded before is not told again. */
  async keepPlace(id: string): Promise<void> {
    if (this.#followersOfAll > 0 && !this.#followed.has(id)) this.#meet(await this.#store.seriesPosition(id))
  }

  /** Reads what others have recorded and was not told. @param of the operations looked at */
  async read(
    of: ReadonlyMap<string, { revision: number }>,
    tell: (event: SeriesEvent) => void,
  ): Promise<void> {
    // Those that had begun when all were followed are known: the others are told from their beginning.
    for (const id of of.keys()) this.#meet({ operation_id: id, metrics: { attempt: 0, seq: 0 }, logs: 0 })
    for (let due = [...of.keys()]; due.length > 0; ) {
      const positions = due.flatMap(id => this.#followed.get(id)?.position ?? [])
      const news = await this.#store.seriesAfter(positions, pageRows)
      for (const one of news)
        for (const event of eventsOf(one, of.get(one.operation_id)?.revision ?? 0)) tell(event)
      due = news
        .filter(({ metrics, logs }) => metrics.length >= pageRows || logs.length >= pageRows)
        .map(one => one.operation_id)
    }
  }

  /** One that is followed with all others. */
  #meet(position: SeriesPosition): void {
    const { operation_id: id } = position
    if (this.#followed.has(id)) return
    this.#followed.set(id, { followers: 0, position })
    this.#forgetOne()
  }

  #unfollow(ids: readonly string[] | null): void {
    if (ids === null) this.#followersOfAll -= 1
    for (const id of ids ?? []) {
      const followed = this.#followed.get(id)
      if (followed !== undefined) followed.followers -= 1
    }
    if (this.#followersOfAll > 0) return
    for (const [id, { followers }] of this.#followed) if (followers <= 0) this.#followed.delete(id)
  }

  #forgetOne(): void {
    if (this.#followed.size <= maxRemembered) return
    for (const [id, { followers }] of this.#followed) {
      if (followers > 0) continue
      this.#followed.delete(id)
      return
    }
  }
}

const isAfter = (point: StoredMetricPoint, told: SeriesPosition['metrics']): boolean =>
  point.attempt > told.attempt || (point.attempt === told.attempt && point.seq > told.seq)

/** Points that follow each other under one name make one event, as their worker sent them. */
function eventsOf({ operation_id, metrics, logs }: SeriesNews, revision: number): SeriesEvent[] {
  const events: SeriesEvent[] = []
  let points: StoredMetricPoint[] = []
  for (const point of metrics) {
    if (points[0]?.name !== point.name) {
      points = []
      events.push({ kind: 'metrics', operation_id, revision, name: point.name, points })
    }
    points.push(point)
  }
  if (logs.length > 0) events.push({ kind: 'logs', operation_id, revision, lines: logs })
  return events
}
