import type { Clock } from '../../clock.ts'
import { toRfc3339 } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { NodeRegistry, NodeState, OwnState } from '../../execution/nodes.ts'
import type { components } from '../../openapi.gen.ts'
import { catalogue, operationTypes } from '../../operations/catalogue.ts'
import type { OperationType } from '../../operations/operation.ts'
import { Problem } from '../../problems.ts'
import type { Some } from '../handlers.ts'
import { bodyBytes, importBytes } from '../limits.ts'
import type { Metrics } from '../metrics.ts'

type Schemas = components['schemas']
type Names =
  | 'getSystem'
  | 'listWorkers'
  | 'drainWorker'
  | 'getLiveness'
  | 'getReadiness'
  | 'getPrometheusMetrics'

export type SystemRooms = {
  readonly config: Config
  readonly clock: Clock
  readonly own: OwnState
  readonly draining: () => boolean
  readonly nodes: NodeRegistry
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
    listWorkers: async (_request, response) => {
      const nodes = await rooms.nodes.list()
      const items = nodes.flatMap(({ node_id, name, threads }) =>
        threads.map(thread => ({ node: name, node_id, ...thread })),
      )
      response.json({ nodes: nodes.map(presentNode), items } satisfies Schemas['WorkerList'])
    },
    drainWorker: async ({ params }, response) => {
      const node = await rooms.nodes.drain(params.node_id)
      if (node === null)
        throw new Problem('not-found', `There is no node ${params.node_id}.`, {
          hint: 'GET /api/v1/workers lists the nodes; their ids are new at each start.',
        })
      response.status(202).json(presentNode(node) satisfies Schemas['Node'])
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

function presentNode({ threads, started_at, heartbeat_at, ...node }: NodeState): Schemas['Node'] {
  return {
    ...node,
    types: [...node.types],
    threads: threads.length,
    operations: threads.flatMap(({ operation_id: id }) => id ?? []),
    started_at: toRfc3339(started_at),
    heartbeat_at: toRfc3339(heartbeat_at),
  }
}

function describeSystem({ config, clock, own, draining, maxStreams }: SystemRooms): Schemas['System'] {
  return {
    version: own.version,
    node_version: process.versions.node,
    started_at: toRfc3339(own.started_at),
    uptime_seconds: (clock.now() - own.started_at) / 1000,
    role: own.role,
    store: config.databaseUrl === null ? 'sqlite' : 'postgres',
    node: own.name,
    node_id: own.node_id,
    threads: own.role === 'api' ? 0 : config.threads,
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
