import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BarsArchive } from './archive/bars.ts'
import { removeUploads } from './archive/import.ts'
import { compileCacheFolder, createLayout } from './archive/layout.ts'
import { ModelLibrary } from './archive/model-library.ts'
import { StrategyLibrary } from './archive/strategies.ts'
import { TaskRunner } from './archive/task-runner.ts'
import { upgradeLayout } from './archive/upgrade.ts'
import type { Backend } from './backend.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { LocalExecutor } from './execution/local.ts'
import type { OwnState } from './execution/nodes.ts'
import { Pool } from './execution/pool.ts'
import { SharedBars } from './execution/shared-bars.ts'
import { loadContract } from './http/contract.ts'
import { createServer } from './http/server.ts'
import { createIdFactory } from './ids.ts'
import type { Log } from './log.ts'
import { Calendars } from './market/calendars.ts'
import { Attempts } from './operations/attempts.ts'
import { operationTypes } from './operations/catalogue.ts'
import { FanOut } from './operations/fan-out.ts'
import { generation } from './operations/generation.ts'
import { OperationQueries } from './operations/queries.ts'
import { Retention } from './operations/retention.ts'
import { Schemas } from './operations/schemas.ts'
import { type Collaborators, OperationsService } from './operations/service.ts'
import { readiness } from './readiness.ts'
import { openSingleServer } from './single-server.ts'
import { refuseUnfinished } from './transfer/unfinished.ts'
import { createPacing } from './vendors/pacing.ts'
import { SymbolSearch } from './vendors/symbol-search.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The running program. */
export type App = {
  readonly server: Server
  /** Where it listens, e.g. `http://127.0.0.1:8000`. */
  readonly url: string
  /** Takes nothing new, lets workers save what they have, puts unfinished work back into the queue. */
  stop(): Promise<void>
}

type Tools = { readonly clock: Clock; readonly log: Log }

/** Builds everything, in order, and starts it. @throws when the port, the data folder or the database cannot be used */
export async function startApp(config: Config, tools: Tools): Promise<App> {
  const own = describeSelf(config, tools.clock)
  for (const folder of new Set([config.home, config.archive])) refuseUnfinished(folder)
  createLayout(config.archive)
  mkdirSync(compileCacheFolder(config.home), { recursive: true, mode: 0o700 })
  const backend = await openBackend(config, own, tools)
  const core = buildCore(config, backend, { ...tools, version: own.version })
  const { service, collaborators } = core
  const runner = config.role === 'api' ? null : buildRunner(config, core, backend)
  const retention = new Retention(collaborators, service, {
    home: config.archive,
    days: config.retentionDays,
  })
  const threads = () => runner?.pool.threads() ?? []
  let drained: Promise<void> | null = null
  const drain = () => {
    service.draining = true
    drained ??= runner?.executor.drain(config.shutdownGraceMs) ?? Promise.resolve()
    return drained
  }
  const nodes = backend.nodes({ threads, isDraining: () => service.draining, drain })
  const ready = () => readiness(service, backend.store, config)
  const { fencedWrites } = backend
  const { server, closeStreams } = await createServer({
    ...core.http,
    ...{ config, own, nodes, threads, ready, fencedWrites },
  })

  // Before anybody can ask for anything: what a crash left behind is put in order.
  await putFilesInOrder(config, backend, tools)
  await backend.recover(core)
  await listen(server, config)
  await backend.announce()
  runner?.executor.start()
  if (config.role !== 'worker') retention.start()

  const stop = async () => {
    retention.stop()
    await drain()
    closeStreams()
    await close(server)
    core.attempts.close()
    await runner?.pool.close()
    await backend.close()
  }
  const { port } = server.address() as AddressInfo
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return { server, url: `http://${host}:${port}`, stop }
}

function describeSelf(config: Config, clock: Clock): OwnState {
  return {
    node_id: createIdFactory('node_', clock)(),
    name: config.node,
    role: config.role,
    version: String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version),
    generation,
    types: config.role === 'api' ? [] : operationTypes,
    started_at: clock.now(),
  }
}

/** What a cluster needs is loaded where one is asked for, and nowhere else. */
async function openBackend(config: Config, own: OwnState, tools: Tools): Promise<Backend> {
  if (config.databaseUrl === null) return openSingleServer(config, own, tools)
  const { openClusterNode } = await import('./cluster/node.ts')
  return openClusterNode({ ...config, databaseUrl: config.databaseUrl }, own, tools)
}

/** What every server needs, whether it runs operations or answers clients. */
function buildCore(
  config: Config,
  { store, feed }: Backend,
  { clock, log, version }: Tools & { version: string },
) {
  const { archive: home, queueMax, maxAttempts, enableExercise } = config
  const contract = loadContract(compileCacheFolder(config.home))
  const calendars = new Calendars(config.calendars)
  const pacing = createPacing()
  const bars = new BarsArchive(home, calendars)
  const strategies = new StrategyLibrary(home, join(root, 'examples', 'strategies'))
  const models = new ModelLibrary(home)
  const collaborators: Collaborators = {
    store,
    feed,
    schemas: new Schemas(contract.document.components),
    rooms: { bars, strategies, models, calendars },
    clock,
    newId: createIdFactory('op_', clock),
    log,
  }
  const queries = new OperationQueries(store, feed, home)
  const settings = { home, version, queueMax, maxAttempts, enableExercise }
  const service = new OperationsService(collaborators, queries, settings)
  const attempts = new Attempts(collaborators, home)
  const symbols = new SymbolSearch({ settings: config.vendors, pacing }, clock.now)
  const http = { contract, clock, log, service, queries, feed, bars, strategies, models, calendars, symbols }
  return { collaborators, service, attempts, pacing, http }
}

type Core = ReturnType<typeof buildCore>

/** What runs operations. */
function buildRunner(config: Config, { collaborators, service, attempts, pacing }: Core, backend: Backend) {
  const { archive: home, vendors, node, cancelGraceMs } = config
  const { feed, clock, log } = collaborators
  const { bars, calendars } = collaborators.rooms
  const fanOut = new FanOut(collaborators, service, attempts, home)
  const pool = new Pool(
    {
      threads: config.threads,
      memoryMb: config.workerMemoryMb,
      compileCache: compileCacheFolder(config.home),
      server: { home, vendors, calendars: config.calendars, pacing },
    },
    { clock, log, sharedBars: new SharedBars(bars, new TaskRunner(calendars), home) },
  )
  const settings = { node, cancelGraceMs, lookEveryMs: backend.lookEveryMs }
  return { pool, executor: new LocalExecutor({ attempts, fanOut, pool, feed, log }, settings) }
}

/** Older layouts become the present one; what killed uploads left goes. */
async function putFilesInOrder({ archive }: Config, backend: Backend, { clock, log }: Tools): Promise<void> {
  const { upgraded, failed } = await backend.alone(() => upgradeLayout(archive))
  for (const { path, reason } of failed) log.error('dataset.unreadable', { path, reason })
  if (upgraded > 0) log.info('datasets.upgraded', { datasets: upgraded })
  const age = backend.foreignUploadsMs
  await removeUploads(archive, age === null ? Number.POSITIVE_INFINITY : clock.now() - age)
}

async function listen(server: Server, config: Config): Promise<void> {
  server.listen(config.port, config.host)
  await once(server, 'listening') // rejects with the server's 'error'
}

/** Answers what was asked before, for a second. */
async function close(server: Server): Promise<void> {
  server.close()
  server.closeIdleConnections()
  const lingering = setTimeout(() => server.closeAllConnections(), 1_000)
  await once(server, 'close')
  clearTimeout(lingering)
}
