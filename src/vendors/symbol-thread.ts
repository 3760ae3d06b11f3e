import { workerData } from 'node:worker_threads'
import { answerWith } from '../archive/thread-answer.ts'
import { systemClock } from '../clock.ts'
import { Problem } from '../problems.ts'
import { vendors } from './registry.ts'
import type { SymbolTask } from './symbol-search.ts'

const { vendor, exchange, settings, pacing } = workerData as SymbolTask
/** A client waits for this: no longer than for other answers. */
const patienceMs = 30_000

await answerWith(async () => {
  const context = {
    settings,
    pacing,
    signal: AbortSignal.timeout(patienceMs),
    now: systemClock.now,
    onWait: () => undefined,
  }
  try {
    return (await vendors[vendor].listSymbols?.(exchange, context)) ?? []
  } catch (error) {
    if (error instanceof Problem) throw inQuery(error)
    if (!context.signal.aborted) throw error
    throw new Problem(
      'vendor-unavailable',
      `${vendor} did not list its symbols within ${patienceMs / 1000} s`,
    )
  }
})

/** Vendors point at the parameters of an operation; here the exchange stands in the query. */
function inQuery({ code, message, hint, errors }: Problem): Problem {
  const moved = errors.map(error => ({
    ...error,
    pointer: error.pointer.replace('/body/params/', '/query/'),
  }))
  return new Problem(code, message, { ...(hint === undefined ? {} : { hint }), errors: moved })
}
