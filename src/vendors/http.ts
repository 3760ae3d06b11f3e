import { setGlobalProxyFromEnv } from 'node:http'
import { Problem } from '../problems.ts'
import {
  monotonicMs,
  type PacedVendor,
  pause,
  postponeTurns,
  signOfLifeMs,
  throwIfAborted,
  waitForTurn,
} from './pacing.ts'
import type { VendorContext, VendorsSettings } from './vendor.ts'

/** What to ask. The path is the vendor's own, never a user's: parts a user chose belong through `encodeURIComponent`. */
type VendorRequest = {
  readonly vendor: PacedVendor
  /** Where the vendor lives, no slash at its end: `https://example.com`. The setting `baseUrl` replaces it. */
  readonly home: string
  /** Begins with a slash. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>>
}

/** Of one answer; more is refused. */
const maxAnswerBytes = 64 * 1_048_576

/** Waiting before the first further try: random up to this, doubled with each try up to the maximum. */
export const firstBackoffMs = 500
export const maxBackoffMs = 30_000

/** The vendor answered with a status that no further try changes (3xx, 4xx). What it means, the vendor's file knows. */
export class VendorRefusal extends Problem {
  readonly status: number
  readonly body: string

  constructor(request: VendorRequest, status: number, body: string) {
    super('vendor-unavailable', `${request.vendor} refused ${request.path} with HTTP ${status}`, { hint })
    this.name = 'VendorRefusal'
    this.status = status
    this.body = body
  }
}

/** Thrown by a reader whose text is not what the vendor sends when it is well, such as half a file. Worth a retry. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer'
}

/** Why a try failed in a way the next may not, and how long the vendor wants to be left alone (null: it is silent). */
type Failure = { readonly reason: string; readonly retryAfterMs: number | null }

const hint =
  'Try again later; what was stored before stays. The operator sets the address, pause, timeout and retries of a vendor.'
const userAgent = 'Mozilla/5.0 (compatible; ktrdr)'

/**
 * Asks a vendor, in its turn, again and again until it answers well or the configured tries or time are used up.
 * Tried again: no connection, timeout, 408, 418, 425, 429, 5xx, and a text that `read` cannot read. Between tries it
 * waits at random up to a time that doubles, and at least as long as `Retry-After` says. The total time counts from the
 * first try, the waits included; the first wait for a turn does not count. `Retry-After` holds for all threads, also
 * when this one gives up over it: who would have to wait for it longer than the total time is refused at once.
 * @param read turns the body (UTF-8) into what it says. A SyntaxError (`JSON.parse`) or `UnreadableAnswer` means that
 *   the text is broken; a Problem is thrown on; anything else is a bug
 * @param random 0 ≤ r < 1, spreads the waits
 * @throws {Problem} 'vendor-unavailable' after the last try; `VendorRefusal` for any other status
 * @throws AbortError as soon as `context.signal` is aborted
 */
export async function askVendor<T>(
  request: VendorRequest,
  context: VendorContext,
  read: (text: string) => T,
  random: () => number = Math.random,
): Promise<T> {
  applyProxy(context.settings.proxy)
  const { retries, retryTotalMs } = context.settings
  const takeTurn = (patienceMs: number) =>
    waitForTurn(context.pacing, request.vendor, context.settings[request.vendor].intervalMs, {
      ...context,
      patience: { ms: patienceMs, now: context.now },
    })
  await takeTurn(retryTotalMs)
  const endMs = monotonicMs() + retryTotalMs
  for (let tries = 1; ; tries++) {
    const answer = await tryOnce(request, context, read, endMs - monotonicMs())
    if ('value' in answer) return answer.value
    const { reason, retryAfterMs } = answer.failure
    const backoffMs = random() * Math.min(maxBackoffMs, firstBackoffMs * 2 ** (tries - 1))
    const waitMs = Math.max(retryAfterMs ?? 0, backoffMs)
    if (retryAfterMs !== null) postponeTurns(context.pacing, request.vendor, retryAfterMs)
    if (tries > retries) throw unavailable(request, tries, reason)
    if (monotonicMs() + waitMs >= endMs) {
      const wait = `and a further try after ${seconds(waitMs)} would exceed the ${seconds(retryTotalMs)} allowed`
      throw unavailable(request, tries, `${reason}, ${wait}`)
    }
    await pause(waitMs, `${request.vendor}: ${reason}; trying again in ${seconds(waitMs)}`, context)
    await takeTurn(endMs - monotonicMs())
  }
}

/** One try, its body read. @param leftMs of the total */
async function tryOnce<T>(
  request: VendorRequest,
  context: VendorContext,
  read: (text: string) => T,
  leftMs: number,
): Promise<{ value: T } | { failure: Failure }> {
  const timeoutMs = Math.max(1, Math.floor(Math.min(context.settings.timeoutMs, leftMs)))
  const timeout = AbortSignal.timeout(timeoutMs)
  const reason = `waiting for the answer of ${request.vendor}`
  context.onWait(reason)
  const signs = setInterval(() => context.onWait(reason), signOfLifeMs)
  let answer: { status: number; headers: Headers; text: string }
  try {
    answer = await fetchText(request, context, timeout)
  } catch (error) {
    throwIfAborted(context.signal)
    if (error instanceof Problem) throw error
    return failed(timeout.aborted ? `no full answer within ${seconds(timeoutMs)}` : networkReason(error))
  } finally {
    clearInterval(signs)
  }
  const { status, headers, text } = answer
  if (isPassing(status)) {
    return failed(`HTTP ${status}`, retryAfterMsOf(headers, context.now()))
  }
  if (status < 200 || status > 299) throw new VendorRefusal(request, status, text)
  try {
    return { value: read(text) }
  } catch (error) {
    if (error instanceof UnreadableAnswer || error instanceof SyntaxError)
      return failed(`an answer that cannot be read (${brief(error.message)})`)
    throw error
  }
}

async function fetchText(request: VendorRequest, context: VendorContext, timeout: AbortSignal) {
  const response = await fetch(urlOf(request, context.settings), {
    headers: { 'user-agent': userAgent, accept: '*/*' },
    // Vendors are named and configured; where they send us is neither.
    redirect: 'manual',
    signal: AbortSignal.any([context.signal, timeout]),
  })
  const { status, headers } = response
  return { status, headers, text: await readBounded(response, request) }
}

/** @throws {Problem} 'vendor-unavailable' beyond `maxAnswerBytes` */
async function readBounded(response: Response, request: VendorRequest): Promise<string> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > maxAnswerBytes) {
      const detail = `${request.vendor} answered ${request.path} with more than ${maxAnswerBytes} bytes`
      throw new Problem('vendor-unavailable', detail, { hint: 'Ask for a shorter range.' })
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function urlOf({ vendor, home, path, query = {} }: VendorRequest, settings: VendorsSettings): URL {
  const { baseUrl } = settings[vendor]
  const url = new URL((baseUrl === '' ? home : baseUrl) + path)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
  return url
}

/** Binance answers 418 to an address that goes on asking after 429. */
function isPassing(status: number): boolean {
  return status === 408 || status === 418 || status === 425 || status === 429 || status >= 500
}

/**
 * `Retry-After` in milliseconds from now, seconds or a date; null when absent or neither. A date is measured against
 * the vendor's own `Date`, where it sends one, so that a clock that is wrong here does not matter.
 * Source: RFC 9110, 10.2.3.
 */
export function retryAfterMsOf(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const untilMs = Date.parse(text)
  if (!/^[A-Za-z]/.test(text) || Number.isNaN(untilMs)) return null
  const sentMs = Date.parse(headers.get('date') ?? '')
  return Math.max(0, untilMs - (Number.isNaN(sentMs) ? nowMs : sentMs))
}

function failed(reason: string, retryAfterMs: number | null = null): { failure: Failure } {
  return { failure: { reason, retryAfterMs } }
}

/** `fetch` says "fetch failed" and keeps the reason in `cause`. Its code only: a message may hold an address. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error || isErrorLike(error) ? error.cause : undefined
  const code = isErrorLike(cause) ? cause.code : undefined
  return typeof code === 'string' ? `no connection (${code})` : 'the connection broke'
}

/** Errors of `fetch` may come from another realm, where `instanceof` fails. */
function isErrorLike(value: unknown): value is { readonly cause?: unknown; readonly code?: unknown } {
  return typeof value === 'object' && value !== null
}

function unavailable({ vendor, path }: VendorRequest, tries: number, reason: string): Problem {
  const times = tries === 1 ? 'once' : `${tries} times`
  return new Problem('vendor-unavailable', `${vendor} was asked ${times} for ${path}; last: ${reason}`, {
    hint,
  })
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}

function brief(message: string): string {
  return message.length > 120 ? `${message.slice(0, 120)}…` : message
}

/** The proxies of this thread and how to do without them: Node keeps them per thread, so this has to as well. */
let appliedProxy = { settings: '', undo: () => {} }

/**
 * Sends this thread's requests (`fetch` and `node:http`) through the configured proxies, `NO_PROXY` honoured; call
 * it before the first request. (`NODE_USE_ENV_PROXY` is read when the process starts and does nothing here.)
 */
function applyProxy(proxy: VendorsSettings['proxy']): void {
  const settings = JSON.stringify(proxy)
  if (settings === appliedProxy.settings) return
  appliedProxy.undo()
  const undo =
    proxy.http === null && proxy.https === null
      ? () => {}
      : setGlobalProxyFromEnv({
          ...(proxy.http === null ? {} : { HTTP_PROXY: proxy.http }),
          ...(proxy.https === null ? {} : { HTTPS_PROXY: proxy.https }),
          ...(proxy.no === null ? {} : { NO_PROXY: proxy.no }),
        })
  appliedProxy = { settings, undo }
}
