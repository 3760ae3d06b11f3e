import { toRfc3339 } from '../clock.ts'
import { checkFit, fittingOf } from '../features/pipeline-fit.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import type { components } from '../openapi.gen.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { fitOf } from './feature-build.ts'
import { planBatches, summaryOf } from './lookahead-batch.ts'
import { type AnalysedRun, prepareAnalysis, refused } from './lookahead-run.ts'
import type { Params } from './operation.ts'
import type { FanOutSpec, Prepared, Rooms } from './spec.ts'

type Requested = Readonly<components['schemas']['LookaheadAnalysisParams']>
/** As the validator hands them on: defaults filled in. */
export type LookaheadAnalysisParams = Requested & Required<Pick<Requested, 'adjustment' | 'cuts' | 'seed'>>
/** What runs. `fit` is there when the strategy has features that are fitted. */
export type EffectiveLookaheadParams = Omit<LookaheadAnalysisParams, 'symbol'> & AnalysedRun
export type LookaheadAnalysisResult = Readonly<components['schemas']['LookaheadAnalysisResult']>

const MINUTE_MS = 60_000

/** Each part computes the strategy once more than it has cuts. */
const cutsPerBatch = 10

/** Finds out whether a strategy knows anything too early. */
export const lookaheadAnalysisSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Finds out whether a strategy knows anything too early.',
  timeoutMs: 12 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
  plan: (params, ended) => {
    const { strategy: _, strategy_yaml: _text, ...lookahead } = params as EffectiveLookaheadParams
    return planBatches({ lookahead }, { count: lookahead.cuts, size: cutsPerBatch }, ended)
  },
  children: partsOf,
  reduce: children => summaryOf(children, 'lookahead'),
  adoptsArtifacts: true,
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const { symbol: _, ...params } = given as LookaheadAnalysisParams
  const { run, strategy, ...pinned } = await prepareAnalysis(given as LookaheadAnalysisParams, rooms)
  const fit = fitFor(params, run, strategy)
  const effective: EffectiveLookaheadParams = { ...params, ...run, ...(fit === undefined ? {} : { fit }) }
  return {
    ...pinned,
    params: effective,
    steps: { total: partsOf(effective), unit: 'child' },
    seed: params.seed,
  }
}

function partsOf(params: Params): number {
  return Math.ceil((params as EffectiveLookaheadParams).cuts / cutsPerBatch) + 1
}

/** The range given, or the share of the run that the strategy trains on; none where nothing is fitted. */
function fitFor(params: LookaheadAnalysisParams, run: AnalysedRun, strategy: Strategy): Requested['fit'] {
  if (strategy.kind === 'rules') {
    if (params.fit === undefined) return undefined
    throw refused('fit', 'not_allowed', `${strategy.name} decides by rules: there is nothing to fit`)
  }
  const recipe = recipeOf(strategy, run.timeframes)
  if (params.fit !== undefined) checkFit(recipe, fitOf(params))
  const isFitted = recipe.features.some(feature => fittingOf(recipe, feature) !== 'none')
  if (params.fit !== undefined || !isFitted) return params.fit
  const [start, end] = [Date.parse(run.start), Date.parse(run.end)]
  const trained = Math.floor(start + strategy.training.data_split.train * (end - start))
  return { start: run.start, end: toRfc3339(trained) }
}
