import type { Manifest } from '../archive/bars.ts'
import { toRfc3339 } from '../clock.ts'
import { checkFit, type TimeSpan } from '../features/pipeline-fit.ts'
import { timeframesOf } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import { closeTimeMs } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { rangeOf } from './moment.ts'
import type { Params } from './operation.ts'
import type { Prepared, Rooms, WorkerSpec } from './spec.ts'
import { readChosenStrategy } from './strategy-text.ts'

type Requested = Readonly<components['schemas']['FeatureBuildParams']>
/** As the validator hands them on: defaults filled in. */
export type FeatureBuildParams = Requested & Required<Pick<Requested, 'adjustment'>>
export type FeatureBuildResult = Readonly<components['schemas']['FeatureBuildResult']>

/**
 * What the worker is given: everything that was left to a default is filled in. `dataset_sha256` then holds the
 * datasets symbol by symbol, each in the order of `timeframesOf`.
 */
export type EffectiveFeatureBuildParams = FeatureBuildParams &
  Required<Pick<FeatureBuildParams, 'symbols' | 'timeframes' | 'start' | 'end'>>

/** A dataset as it is now. */
type Pinned = { readonly manifest: Manifest; readonly sha256: string }

/** Open times, epoch ms, half-open; null is unbounded. */
type Range = { readonly start: number | null; readonly end: number | null }

const MINUTE_MS = 60_000
/** Larger datasets are not read before the operation runs: it would hold up the main thread. */
const maxReadBytes = 8 * 1024 * 1024

/** Builds the feature matrix of a strategy from stored bars. */
export const featureBuildSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Builds the feature matrix of a strategy from stored bars.',
  worker: 'feature-build.ts',
  resumable: false,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as FeatureBuildParams
  const range = rangeOf(params)
  const { strategy, warnings, yaml } = await readChosenStrategy(params, rooms)
  const timeframes = params.timeframes ?? [...strategy.timeframes]
  const recipe = recipeOf(strategy, timeframes)
  if (recipe.features.length === 0) {
    const message = `${strategy.name} has no features: it decides by rules, which read indicators directly`
    throw new Problem('params-invalid', message, {
      hint: 'Give a strategy with nn_inputs.',
      errors: [{ pointer: '/body/params/strategy', code: 'no_features', message }],
    })
  }
  const fit = fitOf(params)
  checkFit(recipe, fit)
  const symbols = params.symbols ?? [...strategy.symbols]
  const read = timeframesOf(recipe)
  const pinned: Pinned[] = []
  for (const symbol of symbols) {
    for (const timeframe of read) pinned.push(await pin(symbol, timeframe, params, rooms))
  }
  const base = pinned.filter((_, index) => index % read.length === 0)
  const empty = checkRange(base, range, { pointer: '/body/params/start', name: 'requested range' }, rooms)
  if (fit !== null) checkRange(base, fit, { pointer: '/body/params/fit', name: 'range to fit on' }, rooms)
  const span = spanOf(base.map(({ manifest }) => manifest))
  return {
    params: {
      ...params,
      symbols,
      timeframes,
      start: params.start ?? span.start,
      end: params.end ?? span.end,
    },
    warnings: [...warnings, ...empty.map(message => `${message}: it gives no rows`)],
    steps: { total: pinned.length, unit: 'dataset' },
    seed: null,
    strategy_sha256: await rooms.strategies.snapshot(yaml),
    dataset_sha256: pinned.map(({ sha256 }) => sha256),
  }
}

/** The range to fit on, epoch ms, or null. @throws {Problem} 'params-invalid' */
export function fitOf({ fit }: Pick<Requested, 'fit'>): TimeSpan | null {
  if (fit === undefined) return null
  const { start, end } = rangeOf(fit, '/body/params/fit')
  return { start: start ?? 0, end: end ?? 0 }
}

async function pin(
  symbol: string,
  timeframe: string,
  { adjustment }: FeatureBuildParams,
  { bars }: Rooms,
): Promise<Pinned> {
  const pinned = await bars.pin(symbol, timeframe, adjustment)
  if (pinned !== null) return pinned
  throw new Problem('bars-missing', `no bars of ${symbol} ${timeframe} are stored`, {
    hint: 'Start a data_download, or a data_resample from shorter bars; or import a file: PUT /api/v1/datasets/{symbol}/{timeframe}.',
  })
}

/**
 * That a range holds base bars, of one symbol at least.
 * @returns which of several symbols have none
 * @throws {Problem} 'bars-missing' when none has any
 */
function checkRange(
  base: readonly Pinned[],
  range: Range,
  { pointer, name }: { readonly pointer: string; readonly name: string },
  rooms: Rooms,
): string[] {
  const empty = base.filter(pinned => !hasBars(pinned, range, rooms)).map(({ manifest }) => manifest)
  const messages = empty.map(({ symbol, timeframe }) => `${symbol} ${timeframe} has no bars in the ${name}`)
  const [message] = messages
  if (message === undefined || empty.length < base.length) return messages
  const stored = empty.map(
    ({ symbol, first_time, last_time }) => `${symbol} from ${first_time} to ${last_time}`,
  )
  throw new Problem('bars-missing', message, {
    hint: `The stored bars open: ${stored.slice(0, 5).join('; ')}${stored.length > 5 ? '; …' : ''}.`,
    errors: [{ pointer, code: 'range', message }],
  })
}

/** Whether a bar opens in the range; true also where finding out takes long. */
function hasBars({ manifest, sha256 }: Pinned, { start, end }: Range, rooms: Rooms): boolean {
  const [from, to] = [start ?? Number.NEGATIVE_INFINITY, end ?? Number.POSITIVE_INFINITY]
  const touched = manifest.partitions.filter(({ first_ms, last_ms }) => first_ms < to && last_ms >= from)
  if (touched.length === 0) return false
  if (touched.some(({ first_ms, last_ms }) => first_ms >= from || last_ms < to)) return true
  // The range lies between the first and the last bar of one segment.
  if (manifest.size_bytes > maxReadBytes) return true
  return rooms.bars.read(manifest.symbol, manifest.timeframe, sha256, { start, end }).length > 0
}

/** From the first base bar of any symbol to behind the last one. */
function spanOf(base: readonly Manifest[]): { start: string; end: string } {
  const first = base.map(({ first_time }) => Date.parse(first_time))
  const last = base.map(({ last_time, timeframe }) => closeTimeMs(Date.parse(last_time), timeframe))
  return { start: toRfc3339(Math.min(...first)), end: toRfc3339(Math.max(...last)) }
}
