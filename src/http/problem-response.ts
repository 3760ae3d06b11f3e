import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ErrorRequestHandler, Request, Response } from 'express'
import { errorFields, type Log } from '../log.ts'
import type { components } from '../openapi.gen.ts'
import { problemBody } from '../problem-body.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { asProblem } from '../system-problems.ts'
import type { OpenApiDocument } from './contract.ts'
import { explainFaults, type ValidatorFault } from './request-faults.ts'

/** Seconds after which to ask again, for refusals that pass by themselves. */
const retryAfterSeconds: Partial<Record<ProblemCode, number>> = {
  'queue-full': 2,
  'too-many-streams': 10,
  draining: 10,
  'database-unavailable': 5,
}

/** Refusals of a body that is still being sent. */
const closing: ReadonlySet<ProblemCode> = new Set(['body-too-large', 'request-timeout'])
/** Closed at once, a client that is still sending would see a reset instead of the answer. */
export const lingerMs = 1_000
export const problemType = 'application/problem+json; charset=utf-8'

type ProblemAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: components['schemas']['Problem']
}

/** What an answer needs to know of a request. */
type Asking = Pick<IncomingMessage, 'requestId' | 'url' | 'method'>

/** How any thrown value is answered. Only an expected failure tells the client anything; a bug is logged and hidden. */
export function answerProblem(error: unknown, request: Asking, log: Log): ProblemAnswer {
  const problem = error instanceof Problem ? error : unexpected(error, request, log)
  const instance = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const body = problemBody(problem.toData(), { instance, requestId: request.requestId })
  const retryAfter = retryAfterSeconds[problem.code]
  return {
    status: body.status,
    headers: {
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
      ...(problem.code === 'unauthorized' ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(closing.has(problem.code) ? { Connection: 'close' } : {}),
    },
    body,
  }
}

/** Answers a problem outside Express. @param headers what every answer carries */
export function sendProblem(
  error: unknown,
  {
    request,
    response,
    headers,
    log,
  }: { request: IncomingMessage; response: ServerResponse; headers: Record<string, string>; log: Log },
): void {
  const answer = answerProblem(error, request, log)
  const body = JSON.stringify(answer.body)
  response.writeHead(answer.status, {
    ...headers,
    ...answer.headers,
    'Content-Type': problemType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  response.end(body)
}

/** THE error middleware: the last of the chain, the only place where an error becomes an answer. */
export function problemMiddleware(log: Log, document: OpenApiDocument): ErrorRequestHandler {
  return (error, request, response, _next) => {
    if (response.destroyed) {
      log.debug('http.client_left', { requestId: request.requestId, ...errorFields(error) })
      return
    }
    const answer = answerProblem(toProblem(error, request, document), request, log)
    if (response.headersSent) {
      // Half an answer is out: only cutting the connection tells the client that it is not whole.
      response.destroy()
      return
    }
    const allow = (error as Thrown).headers?.Allow
    if (typeof allow === 'string') response.set('Allow', withHead(allow))
    response.set(answer.headers).set('Cache-Control', 'no-store').status(answer.status)
    response.type('application/problem+json')
    if (answer.headers.Connection === 'close') endAndClose(request, response, JSON.stringify(answer.body))
    else response.json(answer.body)
  }
}

/** Sends the whole answer, then takes for a moment what the client is still sending, and closes the connection. */
function endAndClose(request: Request, response: Response, body: string): void {
  response.set({
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store, no-transform',
  })
  response.write(body)
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, lingerMs)
  request.once('end', end).once('close', end).resume()
}

/** What the validator, the body parsers and Express throw: errors with a status. */
type Thrown = {
  readonly status?: number
  readonly type?: string
  readonly message?: string
  readonly limit?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly errors?: readonly ValidatorFault[]
}

function toProblem(error: unknown, request: Request, document: OpenApiDocument): unknown {
  if (error instanceof Problem || typeof error !== 'object' || error === null) return error
  const thrown = error as Thrown
  const code = codeOf(thrown)
  if (code === null) return error
  if (code !== 'invalid-request') return new Problem(code, detailOf(code, thrown, request))
  const errors = explainFaults(thrown.errors ?? [], request, document)
  const detail = errors.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ')
  return new Problem(code, detail === '' ? `The request cannot be read: ${thrown.message}` : detail, {
    errors,
  })
}

function codeOf(thrown: Thrown): ProblemCode | null {
  if (thrown.type === 'entity.parse.failed') return 'malformed-json'
  const codes: Readonly<Record<number, ProblemCode>> = {
    400: 'invalid-request',
    404: 'not-found',
    405: 'method-not-allowed',
    406: 'not-acceptable',
    413: 'body-too-large',
    415: 'unsupported-media-type',
  }
  return codes[thrown.status ?? 500] ?? null
}

function detailOf(code: ProblemCode, thrown: Thrown, request: Request): string {
  const place = `${request.method} ${request.path}`
  if (code === 'not-found') return `There is nothing at ${request.path}.`
  if (code === 'method-not-allowed') return `${request.path} does not support ${request.method}.`
  if (code === 'body-too-large') return `The body of ${place} may have at most ${thrown.limit ?? 0} bytes.`
  if (code === 'unsupported-media-type') return `The content type of the body does not fit ${place}.`
  return thrown.message ?? place
}

/** HEAD is answered wherever GET is. */
const withHead = (allow: string) => (/\bGET\b/.test(allow) ? `${allow}, HEAD` : allow)

/** Logged in any case: a full disk is for the operator to mend. */
function unexpected(error: unknown, request: Asking, log: Log): Problem {
  const known = asProblem(error)
  log.error(known === null ? 'http.internal' : 'http.storage_full', {
    requestId: request.requestId,
    method: request.method,
    url: request.url,
    ...errorFields(error),
  })
  if (known !== null) return known
  return new Problem('internal', 'The server made a mistake; its log has the details under the request_id.')
}
