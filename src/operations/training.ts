import type { PinnedBars } from '../archive/bars-history.ts'
import { type FeatureRecipe, timeframesOf } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import type { ModelStrategy, Strategy } from '../strategy/strategy.ts'
import { rangeOf } from './moment.ts'
import type { Params } from './operation.ts'
import type { Prepared, Rooms, WorkerSpec } from './spec.ts'
import { splitWarnings } from './split-warnings.ts'
import { checkRange, type Pinned, pinSymbols, spanOf } from './stored-bars.ts'
import { readChosenStrategy } from './strategy-text.ts'
import { readFold } from './training-fold.ts'

type Requested = Readonly<components['schemas']['TrainingParams']>
/** As the validator hands them on: defaults filled in. */
export type TrainingParams = Requested &
  Required<Pick<Requested, 'adjustment' | 'leakage_check' | 'checkpoint_every_seconds'>>
export type TrainingResult = Readonly<components['schemas']['TrainingResult']>

/**
 * What the worker is given: everything that was left to a default is filled in. `dataset_sha256` then holds the
 * datasets symbol by symbol, each in the order of `timeframes`.
 */
export type EffectiveTrainingParams = TrainingParams &
  Required<Pick<TrainingParams, 'symbols' | 'timeframes' | 'start' | 'end' | 'seed'>>

const MINUTE_MS = 60_000
/** As many as `symbols` takes; a strategy may name more. */
const maxSymbols = 100

/** Trains the model of a strategy on stored bars. */
export const trainingSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Trains the model of a strategy on stored bars.',
  worker: 'training.ts',
  resumable: true,
  timeoutMs: 10 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {
    epochs: {
      epoch: 'epoch',
      train_loss: 'loss',
      train_accuracy: 'fraction',
      val_loss: 'loss',
      val_accuracy: 'fraction',
      learning_rate: 'number',
      duration: 's',
      timestamp: 'ms',
      macro_f1: 'fraction',
      balanced_accuracy: 'fraction',
      mcc: 'number',
      brier: 'number',
      ece: 'fraction',
      gradient_norm: 'number',
      samples_per_second: 'row/s',
    },
  },
  sharesBars: (params, sha256s) => trainingDatasets(params as EffectiveTrainingParams, sha256s),
  prepare: prepareTraining,
}

/** A training that was checked, and the datasets whose bars are its rows. */
export type PreparedTraining = Prepared & {
  readonly params: EffectiveTrainingParams
  readonly base: readonly Pinned[]
}

/**
 * Checks a training and pins what it depends on.
 * @throws {Problem} 'params-invalid', 'strategy-not-found', 'strategy-invalid', 'bars-missing'
 */
export async function prepareTraining(given: Params, rooms: Rooms): Promise<PreparedTraining> {
  const params = given as TrainingParams
  const range = rangeOf(params)
  if (params.fold !== undefined) readFold(params.fold)
  const { strategy: parsed, warnings, yaml } = await readChosenStrategy(params, rooms)
  const strategy = requireModel(parsed)
  const symbols = params.symbols ?? [...strategy.symbols]
  checkSymbols(symbols, strategy.name)
  const recipe = recipeOf(strategy, params.timeframes)
  const timeframes = timeframesRead(recipe, params.timeframes ?? strategy.timeframes)
  const pinned = await pinSymbols(symbols, timeframes, params, rooms)
  const base = pinned.filter(({ manifest }) => manifest.timeframe === recipe.base)
  const empty = checkRange(base, range, { pointer: '/body/params/start', name: 'requested range' }, rooms)
  const span = spanOf(base)
  const effective: EffectiveTrainingParams = {
    ...params,
    symbols,
    timeframes,
    start: params.start ?? span.start,
    end: params.end ?? span.end,
    seed: params.seed ?? strategy.training.seed,
  }
  const manifests = pinned.map(({ manifest }) => manifest)
  return {
    params: effective,
    warnings: [
      ...warnings,
      ...empty.map(message => `${message}: it gives no rows`),
      ...splitWarnings(manifests, effective),
    ],
    steps: null,
    seed: effective.seed,
    strategy_sha256: await rooms.strategies.snapshot(yaml),
    dataset_sha256: pinned.map(({ sha256 }) => sha256),
    base,
  }
}

/** The timeframes that are read, in the order they were given: it is part of the order of features. */
function timeframesRead(recipe: FeatureRecipe, given: readonly Timeframe[]): Timeframe[] {
  const read = timeframesOf(recipe)
  return given.filter(timeframe => read.includes(timeframe))
}

/** The datasets of a training, symbol by symbol. @param sha256s as they were pinned */
export function trainingDatasets(
  { symbols, timeframes }: Pick<EffectiveTrainingParams, 'symbols' | 'timeframes'>,
  sha256s: readonly string[],
): readonly (PinnedBars & { readonly timeframe: Timeframe })[] {
  const names = symbols.flatMap(symbol => timeframes.map(timeframe => ({ symbol, timeframe })))
  return names.map((name, i) => ({ ...name, sha256: sha256s[i] ?? '' }))
}

/** @throws {Problem} 'strategy-invalid' when the strategy decides by rules */
export function requireModel(strategy: Strategy): ModelStrategy {
  if (strategy.kind === 'model') return strategy
  const message = `${strategy.name} decides by rules: there is no model to train`
  throw new Problem('strategy-invalid', message, {
    hint: 'Give a strategy with model, nn_inputs and training; GET /api/v1/strategies says which have them.',
    errors: [{ pointer: '/model', code: 'required', message }],
  })
}

function checkSymbols(symbols: readonly string[], name: string): void {
  if (symbols.length <= maxSymbols) return
  const message = `${name} names ${symbols.length} symbols, but a training takes at most ${maxSymbols}: say which`
  throw new Problem('params-invalid', message, {
    errors: [{ pointer: '/body/params/symbols', code: 'required', message }],
  })
}
