import type { Manifest } from '../archive/bars.ts'
import { toRfc3339 } from '../clock.ts'
import { checkFit, type TimeSpan } from '../features/pipeline-fit.ts'
import { timeframesOf } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import { closeTimeMs } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { fault } from './data-download.ts'
import { momentMs, rangeOf } from './moment.ts'
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

const MINUTE_MS = 60_000

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
  rangeOf({
    ...(params.start === undefined ? {} : { start: params.start }),
    ...(params.end === undefined ? {} : { end: params.end }),
  })
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
  checkFit(recipe, fitOf(params))
  const symbols = params.symbols ?? [...strategy.symbols]
  const read = timeframesOf(recipe)
  const pinned: { manifest: Manifest; sha256: string }[] = []
  for (const symbol of symbols) {
    for (const timeframe of read) pinned.push(await pin(symbol, timeframe, params, rooms))
  }
  const base = pinned.filter((_, index) => index % read.length === 0).map(({ manifest }) => manifest)
  const span = spanOf(base)
  return {
    params: {
      ...params,
      symbols,
      timeframes,
      start: params.start ?? span.start,
      end: params.end ?? span.end,
    },
    warnings,
    steps: { total: pinned.length, unit: 'dataset' },
    seed: null,
    strategy_sha256: await rooms.strategies.snapshot(yaml),
    dataset_sha256: pinned.map(({ sha256 }) => sha256),
  }
}

/** The range to fit on, epoch ms, or null. @throws {Problem} 'params-invalid' */
export function fitOf({ fit }: Pick<Requested, 'fit'>): TimeSpan | null {
  if (fit === undefined) return null
  const start = momentMs(fit.start, '/body/params/fit/start') ?? 0
  const end = momentMs(fit.end, '/body/params/fit/end') ?? 0
  if (start < end) return { start, end }
  throw fault('/body/params/fit/start', 'range', `start (${fit.start}) must be before end (${fit.end})`)
}

async function pin(
  symbol: string,
  timeframe: string,
  { adjustment }: FeatureBuildParams,
  { bars }: Rooms,
): Promise<{ manifest: Manifest; sha256: string }> {
  const pinned = await bars.pin(symbol, timeframe, adjustment)
  if (pinned !== null) return pinned
  throw new Problem('bars-missing', `no bars of ${symbol} ${timeframe} are stored`, {
    hint: 'Start a data_download, or a data_resample from shorter bars; or import a file: PUT /api/v1/datasets/{symbol}/{timeframe}.',
  })
}

/** From the first base bar of any symbol to behind the last one. */
function spanOf(base: readonly Manifest[]): { start: string; end: string } {
  const first = base.map(({ first_time }) => Date.parse(first_time))
  const last = base.map(({ last_time, timeframe }) => closeTimeMs(Date.parse(last_time), timeframe))
  return { start: toRfc3339(Math.min(...first)), end: toRfc3339(Math.max(...last)) }
}
