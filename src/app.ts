import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { access, constants, statfs } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BarsArchive } from './archive/bars.ts'
import { removeUploads } from './archive/import.ts'
import { compileCacheFolder, createLayout, databasePath } from './archive/layout.ts'
import { ModelLibrary } from './archive/model-library.ts'
import { StrategyLibrary } from './archive/strategies.ts'
import { TaskRunner } from './archive/task-runner.ts'
import { upgradeLayout } from './archive/upgrade.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { LocalExecutor } from './execution/local.ts'
import { Pool } from './execution/pool.ts'
import { SharedBars } from './execution/shared-bars.ts'
import { Feed } from './feed/feed.ts'
import { loadContract } from './http/contract.ts'
import { createServer } from './http/server.ts'
import { createIdFactory } from './ids.ts'
import { errorFields, type Log } from './log.ts'
import { Calendars } from './market/calendars.ts'
import type { components } from './openapi.gen.ts'
import { Attempts } from './operations/attempts.ts'
import { FanOut } from './operations/fan-out.ts'
import { OperationQueries } from './operations/queries.ts'
import { Retention } from './operations/retention.ts'
import { Schemas } from './operations/schemas.ts'
import { type Collaborators, OperationsService } from './operations/service.ts'
import { SqliteStore } from './store/sqlite/sqlite-store.ts'
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
export async function startApp(config: Config, { clock, log }: Tools): Promise<App> {
  const version = String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
  const startedAt = clock.now()
  createLayout(config.home)

  const contract = loadContract()
  const store = SqliteStore.open(databasePath(config.home))
  const feed = new Feed()
  const calendars = new Calendars(config.calendars)
  const pacing = createPacing()
  const bars = new BarsArchive(config.home, calendars)
  const strategies = new StrategyLibrary(config.home, join(root, 'examples', 'strategies'))
  const collaborators: Collaborators = {
    store,
    feed,
    schemas: new Schemas(contract.document.components),
    rooms: { bars, strategies, models: new ModelLibrary(config.home), calendars },
    clock,
    newId: createIdFactory('op_', clock),
    log,
  }
  const { home, node, queueMax, maxAttempts, enableExercise } = config
  const queries = new OperationQueries(store, feed, home)
  const service = new OperationsService(collaborators, queries, {
    home,
    version,
    queueMax,
    maxAttempts,
    enableExercise,
  })
  const attempts = new Attempts(collaborators, home)
  const fanOut = new FanOut(collaborators, service, attempts, home)
  const pool = new Pool(
    {
      threads: config.threads,
      memoryMb: config.workerMemoryMb,
      compileCache: compileCacheFolder(home),
      server: { home, vendors: config.vendors, calendars: config.calendars, pacing },
    },
    { clock, log, sharedBars: new SharedBars(bars, new TaskRunner(calendars), home) },
  )
  const executor = new LocalExecutor(
    { attempts, fanOut, pool, feed, log },
    { node, cancelGraceMs: config.cancelGraceMs },
  )
  const retention = new Retention(collaborators, service, { home, days: config.retentionDays })
  const { server, closeStreams } = await createServer({
    config,
    contract,
    clock,
    log,
    service,
    queries,
    feed,
    bars,
    strategies,
    calendars,
    symbols: new SymbolSearch({ settings: config.vendors, pacing }, clock.now),
    threads: () => pool.threads(),
    ready: () => readiness(service, store, home),
    version,
    startedAt,
  })

  // Before anybody can ask for anything: what a crash left behind is put in order.
  const { upgraded, failed } = await upgradeLayout(home)
  for (const { path, reason } of failed) log.error('dataset.unreadable', { path, reason })
  if (upgraded > 0) log.info('datasets.upgraded', { datasets: upgraded })
  await removeUploads(home)
  log.info('operations.recovered', await attempts.recover())
  await listen(server, config)
  executor.start()
  retention.start()

  const stop = async () => {
    service.draining = true
    retention.stop()
    await executor.drain(config.shutdownGraceMs)
    closeStreams()
    server.close()
    server.closeIdleConnections()
    const lingering = setTimeout(() => server.closeAllConnections(), 1_000)
    await once(server, 'close')
    clearTimeout(lingering)
    attempts.close()
    await pool.close()
    await store.close()
  }
  const { port } = server.address() as AddressInfo
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return { server, url: `http://${host}:${port}`, stop }
}

async function listen(server: Server, config: Config): Promise<void> {
  server.listen(config.port, config.host)
  await once(server, 'listening') // rejects with the server's 'error'
}

type Health = components['schemas']['Health']

async function readiness(service: OperationsService, store: SqliteStore, home: string): Promise<Health> {
  const check = async (name: string, look: () => Promise<unknown>) => {
    try {
      await look()
      return { name, status: 'ok' as const, detail: null }
    } catch (error) {
      return { name, status: 'failed' as const, detail: errorFields(error).error }
    }
  }
  const checks = [
    await check('accepting', async () => {
      if (service.draining) throw new Error('the server is stopping')
    }),
    await check('database', () => store.ping()),
    await check('data folder', async () => {
      await access(home, constants.W_OK)
      const { bavail, bsize } = await statfs(home)
      if (bavail * bsize < 100 * 1_048_576) throw new Error('less than 100 MiB are free')
    }),
  ]
  return { status: checks.every(({ status }) => status === 'ok') ? 'ok' : 'unavailable', checks }
}
