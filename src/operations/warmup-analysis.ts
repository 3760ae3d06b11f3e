import { strategyColumns } from '../lookahead/strategy-columns.ts'
import { warmupLengths } from '../lookahead/warmup.ts'
import { BarsBuilder } from '../market/bars-builder.ts'
import type { components } from '../openapi.gen.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { planBatches, summaryOf } from './lookahead-batch.ts'
import { type AnalysedRun, prepareAnalysis } from './lookahead-run.ts'
import type { Params } from './operation.ts'
import type { FanOutSpec, Prepared, Rooms } from './spec.ts'

type Requested = Readonly<components['schemas']['WarmupAnalysisParams']>
/** As the validator hands them on: defaults filled in. */
export type WarmupAnalysisParams = Requested & Required<Pick<Requested, 'adjustment' | 'decisions' | 'seed'>>
/** What runs. `lengths` rise. */
export type EffectiveWarmupParams = Omit<WarmupAnalysisParams, 'symbol'> &
  AnalysedRun &
  Required<Pick<Requested, 'lengths'>>
export type WarmupAnalysisResult = Readonly<components['schemas']['WarmupAnalysisResult']>

const MINUTE_MS = 60_000

/** Each part computes the strategy on all bars once, and on short windows for each length. */
const lengthsPerBatch = 4

/** Finds out whether a strategy is given enough history. */
export const warmupAnalysisSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Finds out whether a strategy is given enough history.',
  timeoutMs: 12 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
  plan: (params, ended) => {
    const { strategy: _, strategy_yaml: _text, ...warmup } = params as EffectiveWarmupParams
    return planBatches({ warmup }, { count: warmup.lengths.length, size: lengthsPerBatch }, ended)
  },
  children: partsOf,
  reduce: children => summaryOf(children, 'warmup'),
  adoptsArtifacts: true,
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const { symbol: _, ...params } = given as WarmupAnalysisParams
  const { run, strategy, ...pinned } = await prepareAnalysis(given as WarmupAnalysisParams, rooms)
  const lengths = params.lengths ?? declaredLengths(strategy, run)
  const effective: EffectiveWarmupParams = {
    ...params,
    ...run,
    lengths: [...lengths].sort((a, b) => a - b),
  }
  return {
    ...pinned,
    params: effective,
    steps: { total: partsOf(effective), unit: 'child' },
    seed: params.seed,
  }
}

function partsOf(params: Params): number {
  return Math.ceil((params as EffectiveWarmupParams).lengths.length / lengthsPerBatch) + 1
}

/** What is declared needs no bars to be known. */
function declaredLengths(
  strategy: Strategy,
  { symbols, timeframe, timeframes }: AnalysedRun,
): readonly number[] {
  const source = strategyColumns(strategy, { timeframe, timeframes })
  const none = new BarsBuilder().build()
  const bars = Object.fromEntries(timeframes.map(name => [name, none]))
  return warmupLengths(source([{ symbol: symbols[0] ?? '', bars }]), Number.POSITIVE_INFINITY)
}
