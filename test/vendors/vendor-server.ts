import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createPacing } from '../../src/vendors/pacing.ts'
import type { VendorContext, VendorSettings, VendorsSettings } from '../../src/vendors/vendor.ts'

/** A request as the server got it. */
export type SeenRequest = {
  readonly method: string
  /** Decoded path, without the query. */
  readonly path: string
  /** As it stood in the request line. */
  readonly rawUrl: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Monotonic milliseconds. */
  readonly atMs: number
}

/** One way to answer a request. */
export type Reply = (request: SeenRequest, response: ServerResponse) => void

/** A body: a text as it is, anything else as JSON; a function is given the request. */
export type Body = string | object | ((request: SeenRequest) => string | object)

const textOf = (body: Body, request: SeenRequest): string => {
  const value =
    typeof body === 'function' ? (body as (request: SeenRequest) => string | object)(request) : body
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The truth, or any other status with a body. */
export function answer(body: Body, status = 200, headers: Record<string, string> = {}): Reply {
  return (request, response) => response.writeHead(status, headers).end(textOf(body, request))
}

/** What goes wrong between a vendor and us. */
export const fault = {
  status: (status: number, body: Body = 'Internal Error'): Reply => answer(body, status),
  /** HTTP 429. @param retryAfter seconds, or a moment (sent as an HTTP date, whole seconds), or nothing */
  tooMany: (retryAfter?: number | Date): Reply =>
    answer('Too Many Requests', 429, {
      ...(retryAfter === undefined
        ? {}
        : { 'retry-after': typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString() }),
    }),
  /** HTTP 200 and only a part of the text, as if that were all. */
  truncated:
    (body: Body, share = 0.5): Reply =>
    (request, response) => {
      const text = textOf(body, request)
      response.writeHead(200).end(text.slice(0, Math.floor(text.length * share)))
    },
  /** Sends half of the text and then nothing, until the client hangs up. */
  silent:
    (body: Body = 'half of'): Reply =>
    (request, response) => {
      const text = textOf(body, request)
      response.writeHead(200).write(text.slice(0, text.length >> 1))
    },
  /** The connection is reset before an answer. */
  reset: (): Reply => (_request, response) => {
    const socket = response.socket
    if (socket !== null) socket.resetAndDestroy()
  },
  /** Half of the text, then the connection is reset. */
  cutOff:
    (body: Body): Reply =>
    (request, response) => {
      const text = textOf(body, request)
      response.writeHead(200, { 'content-length': String(Buffer.byteLength(text)) })
      response.write(text.slice(0, text.length >> 1), () => response.socket?.resetAndDestroy())
    },
}

/** A local server that plays vendors. Close it after each test. */
export type VendorServer = {
  /** No slash at its end. */
  readonly url: string
  /** All requests so far, in the order of their arrival. */
  readonly requests: readonly SeenRequest[]
  /**
   * How requests for a path are answered: the first with the first reply, and so on; the last reply stays for all
   * that follow. Registering a path again replaces its replies. Other paths get 404.
   */
  readonly on: (path: string, ...replies: readonly Reply[]) => void
  /** Resolves when `count` requests have arrived. */
  readonly sees: (count: number) => Promise<void>
  readonly close: () => Promise<void>
}

export async function startVendorServer(): Promise<VendorServer> {
  const requests: SeenRequest[] = []
  const routes = new Map<string, Reply[]>()
  const watchers = new Set<() => void>()
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://vendor')
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      rawUrl: incoming.url ?? '',
      query: url.searchParams,
      headers: incoming.headers,
      atMs: performance.now(),
    }
    requests.push(request)
    const queue = routes.get(request.path) ?? [answer('Not Found', 404)]
    const reply = queue.length > 1 ? queue.shift() : queue[0]
    reply?.(request, response)
    for (const watch of watchers) watch()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    on: (path, ...replies) => routes.set(path, [...replies]),
    sees: count =>
      new Promise(resolve => {
        const watch = () => {
          if (requests.length < count) return
          watchers.delete(watch)
          resolve()
        }
        watchers.add(watch)
        watch()
      }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A forward proxy: whole URLs over HTTP, `CONNECT` for HTTPS. */
export type ProxyServer = {
  readonly url: string
  /** `GET http://…` and `CONNECT host:port`, in the order of their arrival. */
  readonly passed: readonly string[]
  readonly close: () => Promise<void>
}

/** @param target every request ends at this server, whatever host was asked for: `http://host:port` */
export async function startProxyServer(target: string): Promise<ProxyServer> {
  const passed: string[] = []
  const { hostname, port } = new URL(target)
  const server = createServer((incoming, response) => {
    passed.push(`${incoming.method} ${incoming.url}`)
    const { pathname, search } = new URL(incoming.url ?? '/', 'http://none')
    fetch(`${target}${pathname}${search}`)
      .then(async reply => response.writeHead(reply.status).end(await reply.text()))
      .catch((error: unknown) => response.writeHead(502).end(String(error)))
  })
  const tunnels = new Set<Socket>()
  server.on('connect', (incoming, socket: Socket) => {
    passed.push(`CONNECT ${incoming.url}`)
    const tunnel = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const end of [tunnel, socket]) {
      tunnels.add(end)
      end.on('error', () => end.destroy())
    }
    tunnel.pipe(socket).pipe(tunnel)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    close: () =>
      new Promise(resolve => {
        for (const tunnel of tunnels) tunnel.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Settings that send every vendor to `url`, without pauses. */
export function makeSettings(url: string, change: Partial<VendorsSettings> = {}): VendorsSettings {
  const vendor: VendorSettings = { baseUrl: url, intervalMs: 0 }
  return {
    yahoo: vendor,
    stooq: { ...vendor, apiKey: null },
    ccxt: { ...vendor, exchange: 'binance' },
    csvFolder: null,
    timeoutMs: 10_000,
    retries: 3,
    retryTotalMs: 20_000,
    proxy: { http: null, https: null, no: null },
    ...change,
  }
}

/** A context as a worker would make it, and what it was told while waiting. */
export function makeContext(
  url: string,
  { now = () => Date.UTC(2026, 0, 5), ...change }: Partial<VendorContext> = {},
): VendorContext & { readonly waits: readonly string[] } {
  const waits: string[] = []
  return {
    settings: makeSettings(url),
    signal: new AbortController().signal,
    now,
    onWait: reason => void waits.push(reason),
    pacing: createPacing(),
    ...change,
    waits,
  }
}
