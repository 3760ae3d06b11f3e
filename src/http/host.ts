import type { IncomingMessage } from 'node:http'
import { Problem } from '../problems.ts'

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d*)?$/i

/**
 * Without a key, only requests for a loopback name are served: a web page whose own name was made to resolve to this
 * machine (DNS rebinding) sends that name. Probes of health may come by any name.
 * @param path without query
 * @throws {Problem} 'invalid-request' when HTTP/1.1 comes without a host, 'host-refused'
 */
export function checkHost(request: IncomingMessage, path: string, hasKey: boolean): void {
  const { host } = request.headers
  if (host === undefined) {
    if (request.httpVersion === '1.0') return
    const message = 'HTTP/1.1 requires the header Host'
    throw new Problem('invalid-request', `${message}.`, {
      errors: [{ pointer: '/header/host', code: 'required', message }],
    })
  }
  if (hasKey || loopbackHost.test(host) || path.startsWith('/health/')) return
  throw new Problem(
    'host-refused',
    `This server has no API key and does not answer for the host '${host.slice(0, 100)}'.`,
  )
}
