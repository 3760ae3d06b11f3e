import type { Clock } from '../../clock.ts'
import { toRfc3339 } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { ThreadState } from '../../execution/pool.ts'
import type { components } from '../../openapi.gen.ts'
import { catalogue, operationTypes } from '../../operations/catalogue.ts'
import type { OperationType } from '../../operations/operation.ts'
import type { Some } from '../handlers.ts'
import { bodyBytes, importBytes } from '../limits.ts'
import type { Metrics } from '../metrics.ts'

type Schemas = components['schemas']
type Names = 'getSystem' | 'listWorkers' | 'getLiveness' | 'getReadiness' | 'getPrometheusMetrics'

export type SystemRooms = {
  readonly config: Config
  readonly clock: Clock
  readonly version: string
  /** Epoch ms. */
  readonly startedAt: number
  readonly draining: () => boolean
  readonly threads: () => readonly ThreadState[]
  readonly ready: () => Promise<Schemas['Health']>
  readonly maxStreams: number
  readonly metrics: Metrics
}

/** The server about itself. */
export function systemRoutes(rooms: SystemRooms): Some<Names> {
  return {
    getSystem: (_request, response) => {
      response.json(describeSystem(rooms))
    },
    listWorkers: (_request, response) => {
      response.json({
        items: rooms.threads().map(thread => ({ node: rooms.config.node, ...thread })),
      } satisfies Schemas['WorkerList'])
    },
    getLiveness: (_request, response) => {
      response.json({ status: 'ok', checks: [] } satisfies Schemas['Health'])
    },
    getReadiness: async (_request, response) => {
      const health = await rooms.ready()
      response
        .set('Cache-Control', 'no-store')
        .status(health.status === 'ok' ? 200 : 503)
        .json(health)
    },
    getPrometheusMetrics: async (_request, response) => {
      const { text, contentType } = await rooms.metrics.read()
      response.set('Content-Type', contentType).end(text)
    },
  }
}

function describeSystem({
  config,
  clock,
  version,
  startedAt,
  draining,
  maxStreams,
}: SystemRooms): Schemas['System'] {
  return {
    version,
    node_version: process.versions.node,
    started_at: toRfc3339(startedAt),
    uptime_seconds: (clock.now() - startedAt) / 1000,
    role: 'all',
    store: 'sqlite',
    node: config.node,
    threads: config.threads,
    draining: draining(),
    limits: {
      queue_max: config.queueMax,
      worker_memory_mb: config.workerMemoryMb,
      cancel_grace_ms: config.cancelGraceMs,
      event_streams_max: maxStreams,
      body_bytes: bodyBytes,
      import_bytes: importBytes,
    },
    operation_types: operationTypes.map(type => describeType(type, config)),
  }
}

function describeType(type: OperationType, config: Config): Schemas['System']['operation_types'][number] {
  const spec = catalogue[type]
  return {
    type,
    description: spec.description,
    enabled: spec.exercise !== true || config.enableExercise,
    // A fan-out keeps its finished children.
    resumable: spec.kind === 'fan-out' || spec.resumable,
    fan_out: spec.kind === 'fan-out',
    max_concurrent: spec.maxConcurrent,
    timeout_seconds: spec.timeoutMs / 1000,
  }
}
