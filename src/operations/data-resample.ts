import type { Manifest } from '../archive/bars.ts'
import { canResample } from '../market/resample.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { fault } from './data-download.ts'
import { type Rooms, selfContained, type WorkerSpec } from './spec.ts'

type Requested = Readonly<components['schemas']['DataResampleParams']>
/** As the validator hands them on: defaults filled in. */
export type DataResampleParams = Requested & Required<Pick<Requested, 'replace'>>
export type DataResampleResult = Readonly<components['schemas']['DataResampleResult']>

const MINUTE_MS = 60_000

/** Makes datasets of longer bars from a stored one. */
export const dataResampleSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Makes datasets of longer bars from a stored one.',
  worker: 'data-resample.ts',
  resumable: false,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare: async (given, rooms) => {
    const params = given as DataResampleParams
    const { symbol, from, timeframes } = params
    timeframes.forEach((to, index) => {
      if (canResample(from, to)) return
      const message = `${from} bars cannot be put together to ${to} bars`
      throw fault(`/body/params/timeframes/${index}`, 'timeframe', message)
    })
    const manifest = await rooms.bars.manifest(symbol, from)
    if (manifest === null) throw new Problem('bars-missing', `no bars of ${symbol} ${from} are stored`)
    if (!params.replace) await checkTargets(params, rooms)
    return {
      ...selfContained(params, null),
      steps: { total: timeframes.length, unit: 'dataset' },
      dataset_sha256: [manifest.sha256],
    }
  },
}

async function checkTargets({ symbol, timeframes }: DataResampleParams, rooms: Rooms): Promise<void> {
  for (const [index, timeframe] of timeframes.entries()) {
    const stored = await rooms.bars.manifest(symbol, timeframe)
    if (stored !== null) refuseFetched(stored, `/body/params/timeframes/${index}`)
  }
}

/** Bars somebody fetched or imported are not thrown away in passing. @throws {Problem} 'params-invalid' */
export function refuseFetched(stored: Manifest, pointer = '/body/params/timeframes'): void {
  const { symbol, timeframe, source } = stored
  if (stored.resampled_from !== null) return
  const message = `${symbol} ${timeframe} is stored and came from '${source}'; replace: true replaces it`
  throw fault(pointer, 'conflict', message)
}
