import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback } from '../config.ts'
import type { Log } from '../log.ts'
import type { Authorize } from './auth.ts'
import type { OperationReader } from './operation-reader.ts'
import { sendProblem } from './problem-response.ts'
import type { Headers } from './security-headers.ts'

const prefix = '/api/v1/operations/'
const operationUrl = /^\/api\/v1\/operations\/(op_[0-9A-HJKMNP-TV-Z]{26})$/

/** What the access record calls it; the validator would have noted the same. */
const matched = { openApiRoute: '/api/v1/operations/{operation_id}' }

type Rooms = {
  readonly reader: OperationReader
  readonly authorize: Authorize
  readonly headers: Headers
  readonly isRateLimited: boolean
  readonly log: Log
}

/**
 * `GET /api/v1/operations/{operation_id}` without a query needs nothing of Express or the validator: the pattern
 * above is the whole check. Clients poll it, so it is answered at once, by the code that also answers it behind them.
 * @returns false when the request is another one, or must be counted by the rate limit
 */
export function createHotPath(rooms: Rooms): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const { url = '', method } = request
    if (method !== 'GET' || !url.startsWith(prefix)) return false
    const id = operationUrl.exec(url)?.[1]
    if (id === undefined || request.headers['content-type'] !== undefined) return false
    if (rooms.isRateLimited && !isLoopback(request.socket.remoteAddress ?? '')) return false
    Object.assign(request, { openapi: matched })
    // Given to `writeHead` at once: setting them one by one costs as much as the rest.
    const headers = { ...rooms.headers, 'X-Request-Id': request.requestId }
    answer(rooms, { request, response, headers }, id).catch(error =>
      sendProblem(error, { request, response, headers, log: rooms.log }),
    )
    return true
  }
}

type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly headers: Headers
}

async function answer(
  rooms: Rooms,
  { request, response, headers: common }: Exchange,
  id: string,
): Promise<void> {
  rooms.authorize(request, prefix)
  const { status, headers, body } = await rooms.reader.read(id, request.headers['if-none-match'])
  if (status === 304) response.writeHead(304, { ...common, ...headers }).end()
  else {
    const length = {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
    }
    response.writeHead(200, { ...common, ...headers, ...length }).end(body)
  }
}
