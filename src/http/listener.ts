import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { createIdFactory } from '../ids.ts'
import type { Log } from '../log.ts'
import { Problem } from '../problems.ts'
import { answerProblem, lingerMs, problemType } from './problem-response.ts'
import type { Headers } from './security-headers.ts'

const headersTimeoutMs = 15_000
const importTimeoutMs = 30 * 60_000
/** How often Node looks whether a time is over: how late an answer 408 may come. */
const timeoutCheckMs = 5_000

type Rooms = { readonly clock: Clock; readonly log: Log; readonly headers: Headers }

/** Node's server, whose own refusals of what is not a proper request are problems too. */
export function createListener(rooms: Rooms, listener: RequestListener): Server {
  // A missing host is refused behind the guard, as any other fault.
  const server = createServer(
    { connectionsCheckingInterval: timeoutCheckMs, requireHostHeader: false },
    listener,
  )
  server.headersTimeout = headersTimeoutMs
  server.requestTimeout = importTimeoutMs
  answerClientErrors(server, rooms)
  return server
}

/** A request as far as it is known. */
type Unread = Pick<IncomingMessage, 'requestId' | 'url'>

function answerClientErrors(server: Server, { clock, log, headers }: Rooms): void {
  const nextId = createIdFactory('req_', clock)
  const newest = new WeakMap<Duplex, ServerResponse<IncomingMessage>>()
  const refused = new WeakSet<Duplex>()
  server.prependListener('request', (request, response) => newest.set(request.socket, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What follows the fault cannot be read either.
    if (refused.has(socket)) return
    refused.add(socket)
    const response = newest.get(socket)
    if (!socket.writable || error.code === 'ECONNRESET' || isUnderWay(response)) {
      socket.destroy(error)
      return
    }
    const request: Unread =
      response?.req.complete === false ? response.req : { requestId: nextId(), url: '/' }
    log.info('http.unreadable', { request_id: request.requestId, error: error.code ?? error.message })
    const common = { ...headers, 'X-Request-Id': request.requestId }
    socket.end(toText(answerProblem(toProblem(error), request, log), common))
    setTimeout(() => socket.destroy(), lingerMs).unref()
  })
}

/** Another answer would end up inside the one being sent, or be a second one to the same request. */
function isUnderWay(response: ServerResponse<IncomingMessage> | undefined): boolean {
  return response?.headersSent === true && !(response.writableFinished && response.req.complete)
}

function toProblem({ code, message }: NodeJS.ErrnoException): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers-too-large', 'Address and headers together are larger than this server reads.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request-timeout', 'The request did not arrive in time.')
  return new Problem('invalid-request', `The request is not HTTP as this server reads it: ${message}.`)
}

function toText(answer: ReturnType<typeof answerProblem>, common: Headers): string {
  const body = JSON.stringify(answer.body)
  const headers = {
    ...common,
    ...answer.headers,
    'Content-Type': problemType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines.join('')}\r\n${body}`
}
