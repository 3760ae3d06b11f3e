import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import { createIdFactory } from '../ids.ts'

declare module 'node:http' {
  interface IncomingMessage {
    /** Given by the guard to every request. */
    requestId: string
    /** True for HEAD, which is handled as the GET it asks about. */
    headOnly: boolean
  }
}

/** Content type given to bodies of a type or a character set this server does not know; every route refuses it. */
export const unknownBody = 'application/octet-stream'

/** Of imports; like CSV it stays a stream. */
export const parquetBody = 'application/vnd.apache.parquet'

const knownBodies: Readonly<Record<string, string>> = {
  'application/json': 'application/json',
  'application/yaml': 'application/yaml',
  'application/x-yaml': 'application/yaml',
  'text/yaml': 'application/yaml',
  'text/x-yaml': 'application/yaml',
  'text/csv': 'text/csv',
  'application/vnd.apache.parquet': parquetBody,
}

/** Prepares a request before anything looks at it. */
export type Guard = (request: IncomingMessage) => void

/**
 * First of all, for every request: gives it an id, turns HEAD into GET (Node sends no body to HEAD by itself), takes
 * the path out of an absolute address and makes its content type one of a few strings. The validator compiles and keeps a validator per content type it
 * sees, parameters included: with those of clients, memory and processor could be exhausted from outside.
 */
export function createGuard(clock: Clock): Guard {
  const nextId = createIdFactory('req_', clock)
  return request => {
    const given = request.headers['x-request-id']
    const isUsable = typeof given === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(given)
    request.requestId = isUsable ? given : nextId()
    request.headOnly = request.method === 'HEAD'
    if (request.headOnly) request.method = 'GET'
    if (request.url?.startsWith('/') === false) setPath(request)
    setContentType(request)
  }
}

/** As proxies are asked: `GET http://host/path`. The address counts, not the header (RFC 9112, 3.2.2). */
function setPath(request: IncomingMessage): void {
  const [, host, rest = ''] = /^https?:\/\/([^/?#@]+)(.*)$/i.exec(request.url ?? '') ?? []
  if (host === undefined) return
  request.headers.host = host
  request.url = rest.startsWith('/') ? rest : `/${rest}`
}

function setContentType(request: IncomingMessage): void {
  const { headers } = request
  const bodyExpected = request.method !== 'GET' && request.method !== 'DELETE'
  if (!bodyExpected && !hasBody(request)) delete headers['content-type']
  else if (headers['content-type'] !== undefined) headers['content-type'] = normalise(headers['content-type'])
  else if (hasBody(request)) headers['content-type'] = unknownBody
}

/** Whether the request carries a body, by its framing headers. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function normalise(contentType: string): string {
  const [mediaType = '', ...parameters] = contentType.split(';').map(part => part.trim().toLowerCase())
  const charset = parameters.find(part => part.startsWith('charset='))?.slice('charset='.length)
  if (charset !== undefined && !/^"?(utf-?8|us-ascii)"?$/.test(charset)) return unknownBody
  return Object.hasOwn(knownBodies, mediaType) ? (knownBodies[mediaType] ?? unknownBody) : unknownBody
}
