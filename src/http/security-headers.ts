import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'

export type Headers = Readonly<Record<string, string>>

/** For everything that is not a page: nothing may be loaded, nobody may frame it. */
const strictPolicy = { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] }

/**
 * What helmet sets, computed once: the headers depend on nothing in a request. Those that only make sense on https
 * would break pages served over plain http in a LAN: they stay off.
 * @param policy content security policy, directive → sources
 */
export function securityHeaders(policy: Readonly<Record<string, Iterable<string>>> = strictPolicy): Headers {
  const set = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...policy } },
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  set(request, response, () => undefined)
  return Object.fromEntries(
    Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
  )
}
