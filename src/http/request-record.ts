import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../log.ts'
import type { Metrics } from './metrics.ts'

/** Where the validator notes which path of the contract a request matched. */
type Matched = { readonly openapi?: { readonly openApiRoute?: string } }

const clientLeft = 499

/**
 * Notes every answer: metrics by route template, never by address, and one line in the log: `info` for what changes
 * something or is refused, `debug` for reading.
 * @param logsDebug false saves building lines that nobody sees
 */
export function recordRequest(
  rooms: { readonly metrics: Metrics; readonly log: Log; readonly logsDebug: boolean },
  request: IncomingMessage & Matched,
  response: ServerResponse,
): void {
  const startedAt = performance.now()
  const done = rooms.metrics.begin()
  const { method = 'GET' } = request
  const shown = request.headOnly ? 'HEAD' : method
  response.once('close', () => {
    const seconds = (performance.now() - startedAt) / 1000
    // Nobody was there to be answered: nginx's number for it.
    const status = response.headersSent ? response.statusCode : clientLeft
    const route = request.openapi?.openApiRoute ?? (status === 404 ? 'unknown' : 'docs')
    const isStream = String(response.getHeader('content-type') ?? '').startsWith('text/event-stream')
    done({ method: shown, route: isStream ? null : route, status, seconds })
    const isRead = method === 'GET' && status < 400
    if (isRead && !rooms.logsDebug) return
    const line = {
      method: shown,
      route,
      status,
      duration_ms: Math.round(seconds * 10_000) / 10,
      request_id: request.requestId,
    }
    if (isRead) rooms.log.debug('http.request', line)
    else rooms.log.info('http.request', line)
  })
}
