import { symbolFault } from '../archive/layout.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { rangeOf } from './moment.ts'
import { selfContained, type WorkerSpec } from './spec.ts'

export type DataDownloadParams = Readonly<components['schemas']['DataDownloadParams']>
export type DataDownloadResult = Readonly<components['schemas']['DataDownloadResult']>

const MINUTE_MS = 60_000

/** Fetches bars from a vendor and stores them, one dataset after the other. */
export const dataDownloadSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Fetches bars from a vendor and stores them.',
  worker: 'data-download.ts',
  resumable: true,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  // Vendors limit how often they may be asked; more at once are not faster.
  maxConcurrent: 4,
  series: { pages: { bars: 'bar', bars_per_second: 'bar/s' } },
  prepare: async params => {
    const { symbols, timeframes, ...range } = params as DataDownloadParams
    rangeOf(range)
    for (const [index, symbol] of symbols.entries()) {
      const message = symbolFault(symbol)
      if (message === null) continue
      const errors = [{ pointer: `/body/params/symbols/${index}`, code: 'name', message }]
      throw new Problem('params-invalid', message, { errors })
    }
    return {
      ...selfContained(params, null),
      steps: { total: symbols.length * timeframes.length, unit: 'dataset' },
    }
  },
}
