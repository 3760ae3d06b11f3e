import { checkFit, type TimeSpan } from '../features/pipeline-fit.ts'
import { timeframesOf } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { rangeOf } from './moment.ts'
import type { Params } from './operation.ts'
import type { Prepared, Rooms, WorkerSpec } from './spec.ts'
import { splitWarnings } from './split-warnings.ts'
import { checkRange, pinSymbols, spanOf } from './stored-bars.ts'
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
  const pinned = await pinSymbols(symbols, read, params, rooms)
  const base = pinned.filter((_, index) => index % read.length === 0)
  const empty = checkRange(base, range, { pointer: '/body/params/start', name: 'requested range' }, rooms)
  if (fit !== null) checkRange(base, fit, { pointer: '/body/params/fit', name: 'range to fit on' }, rooms)
  const span = spanOf(base)
  const effective: EffectiveFeatureBuildParams = {
    ...params,
    symbols,
    timeframes,
    start: params.start ?? span.start,
    end: params.end ?? span.end,
  }
  const split = splitWarnings(
    pinned.map(({ manifest }) => manifest),
    effective,
  )
  return {
    params: effective,
    warnings: [...warnings, ...empty.map(message => `${message}: it gives no rows`), ...split],
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
