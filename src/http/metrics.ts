import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { OwnState } from '../execution/nodes.ts'
import type { ThreadState } from '../execution/pool.ts'
import type { Feed } from '../feed/feed.ts'
import { isTerminal } from '../operations/lifecycle.ts'
import type { OperationCounts, OperationRecord } from '../operations/operation.ts'

export type MetricsRooms = {
  readonly feed: Feed
  readonly own: Pick<OwnState, 'version' | 'role'>
  readonly counts: () => Promise<OperationCounts>
  readonly threads: () => readonly ThreadState[]
  readonly streams: () => number
  readonly fencedWrites: () => number
}

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]
const operationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400]

/** Prometheus metrics of one server. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests: Histogram<'method' | 'route' | 'status_code'>
  readonly #inFlight: Gauge
  readonly #unsubscribe: () => void

  constructor(rooms: MetricsRooms) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    new Gauge({
      name: 'ktrdr_build_info',
      help: 'Always 1.',
      labelNames: ['version', 'node_version'],
      registers,
    }).set({ version: rooms.own.version, node_version: process.versions.node }, 1)
    this.#requests = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'From the first byte of the request to the end of the answer; event streams are not counted.',
      labelNames: ['method', 'route', 'status_code'],
      buckets: requestBuckets,
      registers,
    })
    this.#inFlight = new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests being answered, event streams included.',
      registers,
    })
    registerGauges(rooms, this.#registry)
    this.#unsubscribe = countOperations(rooms.feed, this.#registry)
  }

  /** @returns a function to be called when the answer is complete; `null` route: do not record the duration */
  begin(): (answer: { method: string; route: string | null; status: number; seconds: number }) => void {
    this.#inFlight.inc()
    return ({ method, route, status, seconds }) => {
      this.#inFlight.dec()
      if (route !== null) this.#requests.observe({ method, route, status_code: status }, seconds)
    }
  }

  async read(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType }
  }

  close(): void {
    this.#unsubscribe()
    this.#registry.clear()
  }
}

/** What is read when Prometheus asks. */
function registerGauges({ counts, threads, streams, fencedWrites }: MetricsRooms, registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'ktrdr_operations',
    help: 'Operations stored, by type and status.',
    labelNames: ['type', 'status'],
    registers,
    async collect() {
      this.reset()
      for (const [type, byStatus] of Object.entries((await counts()).by_type)) {
        for (const [status, count] of Object.entries(byStatus)) this.set({ type, status }, count)
      }
    },
  })
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  gauge('ktrdr_workers', 'Worker threads.', () => threads().length)
  gauge(
    'ktrdr_workers_busy',
    'Worker threads that run an operation.',
    () => threads().filter(({ status }) => status !== 'idle').length,
  )
  gauge('ktrdr_sse_streams', 'Event streams open.', streams)
  new Counter({
    name: 'ktrdr_fenced_writes_total',
    help: 'Writes of this node that were refused because another had taken the operation over.',
    registers,
    collect() {
      this.reset()
      this.inc(fencedWrites())
    },
  })
}

/** Counts what this server does: in a cluster, each node counts its own. @returns a function that ends the subscription */
function countOperations(feed: Feed, registry: Registry): () => void {
  const registers = [registry]
  const created = new Counter({
    name: 'ktrdr_operations_created_total',
    help: 'Operations accepted.',
    labelNames: ['type'],
    registers,
  })
  const finished = new Counter({
    name: 'ktrdr_operations_finished_total',
    help: 'Operations ended.',
    labelNames: ['type', 'outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'ktrdr_operation_duration_seconds',
    help: 'From the start of the last attempt to the end.',
    labelNames: ['type', 'outcome'],
    buckets: operationBuckets,
    registers,
  })
  const queued = new Histogram({
    name: 'ktrdr_operation_queue_seconds',
    help: 'From creation to the first start.',
    labelNames: ['type'],
    buckets: operationBuckets,
    registers,
  })
  const count = (record: OperationRecord) => {
    const { type, status, started_at, completed_at } = record
    if (status === 'pending' && record.attempt === 1) created.inc({ type })
    if (status === 'running' && record.attempt === 1 && started_at !== null)
      queued.observe({ type }, (started_at - record.created_at) / 1000)
    if (!isTerminal(status)) return
    finished.inc({ type, outcome: status })
    if (started_at !== null && completed_at !== null)
      duration.observe({ type, outcome: status }, (completed_at - started_at) / 1000)
  }
  return feed.subscribeOwn(event => {
    if (event.kind === 'changed' && event.statusChanged) count(event.record)
  })
}
