import type { RequestHandler } from 'express'
import { MemoryStore, rateLimit } from 'express-rate-limit'
import { isLoopback } from '../config.ts'
import { Problem } from '../problems.ts'

/** Streams are bounded by their number, and probes of health must always be answered. */
const exempt = [/\/events$/, /^\/health\//]

export type RateLimiter = { readonly middleware: RequestHandler; close(): void }

/** Requests per client address. @param perMinute 0 is off; this machine itself is never limited */
export function createRateLimiter(perMinute: number): RateLimiter {
  if (perMinute === 0) return { middleware: (_request, _response, next) => next(), close: () => undefined }
  const store = new MemoryStore()
  const middleware = rateLimit({
    windowMs: 60_000,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    store,
    // The checks it makes at run time only print to the console.
    validate: false,
    skip: request =>
      isLoopback(request.socket.remoteAddress ?? '') || exempt.some(pattern => pattern.test(request.path)),
    handler: (_request, _response, next) => {
      next(
        new Problem('rate-limited', `This server answers ${perMinute} requests per minute to one address.`),
      )
    },
  })
  return { middleware, close: () => store.shutdown() }
}
