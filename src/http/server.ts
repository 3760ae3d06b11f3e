import type { RequestListener, Server } from 'node:http'
import compression from 'compression'
import type { Express, RequestHandler } from 'express'
import type { BarsArchive } from '../archive/bars.ts'
import { isCopy, refresh } from '../archive/exchange.ts'
import { ImportPlaces } from '../archive/import.ts'
import type { ModelLibrary } from '../archive/model-library.ts'
import { Renditions } from '../archive/renditions.ts'
import type { StrategyLibrary } from '../archive/strategies.ts'
import { TaskRunner } from '../archive/task-runner.ts'
import { Threads } from '../archive/threads.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { NodeRegistry, OwnState } from '../execution/nodes.ts'
import type { ThreadState } from '../execution/pool.ts'
import type { Feed } from '../feed/feed.ts'
import type { Log } from '../log.ts'
import type { Calendars } from '../market/calendars.ts'
import type { components } from '../openapi.gen.ts'
import type { OperationQueries } from '../operations/queries.ts'
import type { OperationsService } from '../operations/service.ts'
import { Problem } from '../problems.ts'
import type { SymbolSearch } from '../vendors/symbol-search.ts'
import { type Authorize, createAuthorize } from './auth.ts'
import { bodies } from './bodies.ts'
import type { Contract } from './contract.ts'
import { contractChecks } from './contract-checks.ts'
import { mountDocs } from './docs.ts'
import { createGuard } from './guard.ts'
import { type Handlers, registerHandlers } from './handlers.ts'
import { createHotPath } from './hot-path.ts'
import { createListener } from './listener.ts'
import { Metrics } from './metrics.ts'
import { OperationReader } from './operation-reader.ts'
import { problemMiddleware, sendProblem } from './problem-response.ts'
import { createRateLimiter, type RateLimiter } from './rate-limit.ts'
import { recordRequest } from './request-record.ts'
import { artifactRoutes } from './routes/artifacts.ts'
import { datasetReportRoutes } from './routes/dataset-reports.ts'
import { datasetRoutes } from './routes/datasets.ts'
import { eventRoutes } from './routes/events.ts'
import { fuzzyRoutes } from './routes/fuzzy.ts'
import { indicatorRoutes } from './routes/indicators.ts'
import { marketRoutes } from './routes/market.ts'
import { modelRoutes } from './routes/models.ts'
import { operationDetailRoutes } from './routes/operation-details.ts'
import { operationRoutes } from './routes/operations.ts'
import { problemRoutes } from './routes/problems.ts'
import { strategyRoutes } from './routes/strategies.ts'
import { strategyFeatureRoutes } from './routes/strategy-features.ts'
import { systemRoutes } from './routes/system.ts'
import { type Headers, securityHeaders } from './security-headers.ts'
import { SseStreams } from './sse.ts'
import { createValidator, leanApp } from './validate.ts'
import { refuseClients } from './worker-node.ts'

/** What the HTTP room is given. */
export type HttpRooms = {
  readonly config: Config
  readonly contract: Contract
  readonly clock: Clock
  readonly log: Log
  readonly service: OperationsService
  readonly queries: OperationQueries
  readonly feed: Feed
  readonly bars: BarsArchive
  readonly strategies: StrategyLibrary
  readonly models: ModelLibrary
  readonly calendars: Calendars
  readonly symbols: SymbolSearch
  /** This server. */
  readonly own: OwnState
  /** All servers that work together. */
  readonly nodes: NodeRegistry
  /** The threads of this one. */
  readonly threads: () => readonly ThreadState[]
  /** Writes refused because their attempt had been taken over. */
  readonly fencedWrites: () => number
  readonly ready: () => Promise<components['schemas']['Health']>
}

export type HttpServer = {
  readonly server: Server
  /** Ends every event stream and refuses new ones. To be called before `server.close`, which waits for them. */
  closeStreams(): void
}

/**
 * The whole HTTP side, ready to listen: the document is checked and every route compiled when this resolves.
 * @throws {Error} when openapi.yaml cannot be used or does not fit the handlers
 */
export async function createServer(rooms: HttpRooms): Promise<HttpServer> {
  const { config, log, queries } = rooms
  const streams = new SseStreams(rooms, config.eventStreamsMax)
  const metrics = new Metrics({ ...rooms, counts: () => queries.counts(), streams: () => streams.count })
  const reader = new OperationReader(queries)
  const authorize = createAuthorize(config.apiKey)
  const limiter = createRateLimiter(config.rateLimitPerMinute)
  const headers = securityHeaders()
  const handlers = allHandlers(rooms, { streams, metrics, reader })
  const app = await createApp(rooms, { limiter, authorize, headers, handlers })
  const isRateLimited = config.rateLimitPerMinute > 0
  const hotPath =
    config.role === 'worker' ? () => false : createHotPath({ reader, authorize, headers, isRateLimited, log })
  const server = serverFor(app, rooms, { metrics, headers, hotPath })
  server.once('close', () => {
    streams.close()
    metrics.close()
    limiter.close()
  })
  return { server, closeStreams: () => streams.close() }
}

type Gates = {
  readonly limiter: RateLimiter
  readonly authorize: Authorize
  readonly headers: Headers
  readonly handlers: Handlers
}

/** What every request passes, in order. */
async function createApp({ config, contract, log }: HttpRooms, gates: Gates): Promise<Express> {
  const { limiter, authorize, headers, handlers } = gates
  const app = leanApp()
  app.use((request, response, next) => {
    response.set(headers).set('X-Request-Id', request.requestId)
    next()
  })
  // Before the key is looked at: guessing it is limited too.
  app.use(limiter.middleware)
  app.use((request, _response, next) => {
    authorize(request, request.path)
    next()
  })
  app.use(compression())
  mountDocs(app, contract)
  if (config.role === 'worker') app.use(refuseClients)
  if (isCopy(config.archive)) app.use(seeOthers(config.archive))
  app.use(
    contractChecks(contract),
    ...bodies(),
    ...(await createValidator(contract, config.validateResponses)),
  )
  registerHandlers(app, contract, handlers)
  app.use(request => {
    throw new Problem('not-found', `There is nothing at ${request.path}.`)
  })
  app.use(problemMiddleware(log, contract.document))
  return app
}

/** Of these the database tells, or the node knows by itself. */
const withoutArchive =
  /^\/api\/v1\/(operations|events|calendars|vendors|timeframes|system|workers|docs)(\/|$)/

/** What other nodes have stored before a request came is here before it is answered. */
function seeOthers(archive: string): RequestHandler {
  return async (request, _response, next) => {
    const { path } = request
    if (path.startsWith('/api/v1/') && !withoutArchive.test(path)) await refresh(archive)
    next()
  }
}

type Front = {
  readonly metrics: Metrics
  readonly headers: Headers
  readonly hotPath: ReturnType<typeof createHotPath>
}

function serverFor(
  app: Express,
  { config, clock, log }: HttpRooms,
  { metrics, headers, hotPath }: Front,
): Server {
  const guard = createGuard(clock)
  const record = { metrics, log, logsDebug: config.logLevel === 'debug' }
  const receive: RequestListener = (request, response) => {
    guard(request)
    recordRequest(record, request, response)
  }
  const server = createListener({ clock, log, headers }, (request, response) => {
    receive(request, response)
    // Answers are only checked behind the validator.
    if (config.validateResponses || !hotPath(request, response)) app(request, response)
  })
  server.on('checkExpectation', (request, response) => {
    receive(request, response)
    const problem = new Problem('expectation-failed', `The server cannot do '${request.headers.expect}'.`)
    const common = { ...headers, 'X-Request-Id': request.requestId }
    sendProblem(problem, { request, response, headers: common, log })
  })
  return server
}

type Parts = { readonly streams: SseStreams; readonly metrics: Metrics; readonly reader: OperationReader }

function allHandlers(rooms: HttpRooms, { streams, metrics, reader }: Parts): Handlers {
  const { service, queries, strategies, calendars, symbols } = rooms
  const tasks = new TaskRunner(rooms.calendars)
  const renditions = new Renditions(tasks)
  const datasets = {
    ...rooms,
    archive: rooms.bars,
    renditions,
    imports: new Threads(),
    places: new ImportPlaces(),
  }
  return {
    ...operationRoutes({ service, queries, reader }),
    ...operationDetailRoutes(queries),
    ...artifactRoutes(queries, renditions),
    ...eventRoutes(streams),
    ...datasetRoutes(datasets),
    ...datasetReportRoutes(datasets, tasks),
    ...marketRoutes(calendars, symbols),
    ...strategyRoutes(strategies),
    ...strategyFeatureRoutes(strategies, rooms.bars),
    ...modelRoutes({ ...rooms, tasks }),
    ...indicatorRoutes(rooms),
    ...fuzzyRoutes(rooms),
    ...systemRoutes({ ...rooms, metrics, maxStreams: streams.maxStreams, draining: () => service.draining }),
    ...problemRoutes(),
  }
}
