import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Problem } from '../problems.ts'
import { checkHost } from './host.ts'

/** Everything else needs the key, also addresses that do not exist. */
const open = [
  /^\/$/,
  /^\/favicon\.(ico|svg)$/,
  /^\/health\//,
  /^\/problems\//,
  /^\/api\/v1\/(docs|redoc)(\/|$)/,
  /^\/api\/v1\/openapi\.(yaml|json)$/,
]

/** Whether a request may be served. @param path without query  @throws {Problem} 'unauthorized', or as `checkHost` */
export type Authorize = (request: IncomingMessage, path: string) => void

/** @param apiKey null where the operator set none: whoever asks on this machine is served then */
export function createAuthorize(apiKey: string | null): Authorize {
  if (apiKey === null) return (request, path) => checkHost(request, path, false)
  const expected = digest(apiKey)
  return (request, path) => {
    checkHost(request, path, true)
    if (open.some(pattern => pattern.test(path))) return
    const given = keyOf(request.headers)
    // Hashed first: equal lengths, so that the comparison takes the same time for every wrong key.
    if (given !== null && timingSafeEqual(digest(given), expected)) return
    throw new Problem(
      'unauthorized',
      given === null ? 'The request carries no API key.' : 'The API key is not the one of this server.',
    )
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

function keyOf(headers: IncomingHttpHeaders): string | null {
  const bearer = /^Bearer (.*)$/i.exec(headers.authorization ?? '')?.[1]?.trim()
  if (bearer !== undefined) return bearer
  const key = headers['x-api-key']
  return typeof key === 'string' ? key : null
}
