import type { Response } from 'express'
import { isTerminal } from '../../operations/lifecycle.ts'
import { momentMs } from '../../operations/moment.ts'
import type { OperationRecord, Params } from '../../operations/operation.ts'
import { operationPath } from '../../operations/present.ts'
import type { ListRequest, OperationQueries } from '../../operations/queries.ts'
import type { OperationsService } from '../../operations/service.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { readIdempotency } from '../idempotency.ts'
import { type OperationReader, operationHeaders } from '../operation-reader.ts'

/** Seconds a request may be held, by `Prefer: wait` or `?wait`. */
const maxWaitSeconds = 30

type Names =
  | 'createOperation'
  | 'listOperations'
  | 'getOperationCounts'
  | 'getOperation'
  | 'deleteOperation'
  | 'cancelOperation'
  | 'retryOperation'
  | 'resumeOperation'

type Rooms = {
  readonly service: OperationsService
  readonly queries: OperationQueries
  readonly reader: OperationReader
}

/** Start, read, list, cancel, retry, resume, delete. */
export function operationRoutes({ service, queries, reader }: Rooms): Some<Names> {
  const show = async (response: Response, status: 200 | 202, record: OperationRecord) => {
    response.set(operationHeaders(record))
    if (status === 202) response.set('Location', operationPath(record.operation_id))
    response.status(status).json(await queries.present(record))
  }
  return {
    createOperation: (request, response) => create({ service, queries }, request, response, show),
    listOperations: async (request, response) => {
      response.json(await queries.list(toListRequest(request.query)))
    },
    getOperationCounts: async (_request, response) => {
      response.json(await queries.counts())
    },
    getOperation: async (request, response) => {
      const { operation_id: id } = request.params
      await waitForNews(queries, request, response)
      const answer = await reader.read(id, request.get('If-None-Match'))
      response.set(answer.headers).status(answer.status)
      if (answer.status === 304) response.end()
      else response.json(JSON.parse(answer.body))
    },
    deleteOperation: async (request, response) => {
      await service.delete(request.params.operation_id)
      response.status(204).end()
    },
    cancelOperation: async (request, response) => {
      const { record, outcome } = await service.cancel(
        request.params.operation_id,
        request.body?.reason ?? null,
      )
      await show(response, outcome === 'cancelling' ? 202 : 200, record)
    },
    retryOperation: async (request, response) =>
      show(response, 202, await service.retry(request.params.operation_id)),
    resumeOperation: async (request, response) =>
      show(response, 202, await service.resume(request.params.operation_id)),
  }
}

type Show = (response: Response, status: 200 | 202, record: OperationRecord) => Promise<void>

async function create(
  { service, queries }: Omit<Rooms, 'reader'>,
  request: ApiRequest<'createOperation'>,
  response: Response,
  show: Show,
): Promise<void> {
  const { type, params, priority, timeout_seconds } = request.body
  const asked: Params = { ...params }
  if (request.query.dry_run) {
    response.json(await service.plan({ type, params: asked }))
    return
  }
  const { record, replayed } = await service.submit({
    type,
    params: asked,
    priority,
    timeoutMs: timeout_seconds === undefined ? null : timeout_seconds * 1000,
    requestId: request.requestId,
    idempotency: readIdempotency(request.get('Idempotency-Key'), request.body),
  })
  if (replayed) response.set('Idempotency-Replayed', 'true')
  const seconds = preferredWait(request.get('Prefer'))
  if (seconds === null) return show(response, 202, record)
  const latest = await queries.waitForEnd(record.operation_id, seconds, abortedBy(response))
  response.set('Preference-Applied', `wait=${seconds}`)
  await show(response, isTerminal(latest.status) ? 200 : 202, latest)
}

/** Seconds the client wants to wait (RFC 7240), null without the preference. */
function preferredWait(prefer: string | undefined): number | null {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d+)"?\s*(?:[,;]|$)/i.exec(prefer ?? '')?.[1]
  return seconds === undefined ? null : Math.min(maxWaitSeconds, Number(seconds))
}

async function waitForNews(
  queries: OperationQueries,
  request: ApiRequest<'getOperation'>,
  response: Response,
): Promise<void> {
  const { wait, revision } = request.query
  if (wait === 0) return
  const id = request.params.operation_id
  const record = await queries.get(id)
  // Nothing more will happen by itself.
  if (isTerminal(record.status)) return
  const known = revision ?? record.revision
  await queries.waitForChange(id, known, Math.min(maxWaitSeconds, wait), abortedBy(response))
}

/** Aborted when the client goes away, so that nobody is waited for in vain. */
function abortedBy(response: Response): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  return controller.signal
}

/** @throws {Problem} 'params-invalid' when the calendar has no such time */
function toListRequest(query: ApiRequest<'listOperations'>['query']): ListRequest {
  const after = momentMs(query.created_after, '/query/created_after')
  const before = momentMs(query.created_before, '/query/created_before')
  return {
    ...(query.status === undefined ? {} : { statuses: query.status }),
    ...(query.type === undefined ? {} : { types: query.type }),
    parent: query.parent_operation_id ?? null,
    ...(after === null ? {} : { createdAfter: after }),
    ...(before === null ? {} : { createdBefore: before }),
    ...(query.q === undefined ? {} : { text: query.q }),
    limit: query.limit,
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
  }
}
