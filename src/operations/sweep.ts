import type { components } from '../openapi.gen.ts'
import type { BacktestingParams } from './backtesting.ts'
import type { Params } from './operation.ts'
import { paramsPointer, prepareSearch } from './research-prepare.ts'
import { reportOf } from './research-report.ts'
import type { FanOutSpec, Prepared, Rooms } from './spec.ts'
import { checkRange, type Pinned } from './stored-bars.ts'
import { countChildren, keepPlan, planSweep, splitSamples } from './sweep-plan.ts'
import type { VariedBacktest } from './trial-batch.ts'

type Requested = Readonly<components['schemas']['SweepParams']>
type WithoutDefault = 'backtest' | 'space'
/** As the validator hands them on: defaults filled in. */
export type SweepParams = Pick<Requested, WithoutDefault> &
  Required<Omit<Requested, WithoutDefault>> & { readonly backtest: BacktestingParams }
/** What runs: `trials` is the number of trials, or the most of them; constraints can be read without the strategy. */
export type EffectiveSweepParams = Omit<SweepParams, 'backtest'> & { readonly backtest: VariedBacktest }
export type SweepResult = Readonly<components['schemas']['SweepResult']>

const MINUTE_MS = 60_000

/** Runs a strategy with many values of its fields and finds the best. */
export const sweepSpec: FanOutSpec = {
  kind: 'fan-out',
  description: 'Runs a strategy with many values of its fields and finds the best, with what that is worth.',
  timeoutMs: 24 * 60 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare,
  plan: (params, ended) => planSweep(params as EffectiveSweepParams, ended),
  children: params => countChildren(params as EffectiveSweepParams),
  reduce: children => reportOf(children, 'sweep'),
  adoptsArtifacts: true,
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as SweepParams
  const prepared = await prepareSearch(params, rooms)
  const { yaml: _, base, backtest, constraints, trials, plan, ...pins } = prepared
  const effective: EffectiveSweepParams = { ...params, backtest, constraints, trials }
  checkSamples(effective, base, rooms)
  keepPlan(effective, plan)
  const steps = { total: countChildren(effective), unit: 'child' }
  return { params: effective, ...pins, steps, seed: params.seed }
}

/** That there are bars to search and bars that are held out. @throws {Problem} 'bars-missing' */
function checkSamples(params: EffectiveSweepParams, base: readonly Pinned[], rooms: Rooms): void {
  const { start, split, end } = splitSamples(params)
  const pointer = `${paramsPointer}/out_of_sample_fraction`
  const searched = { pointer, name: 'part of the range that is searched' }
  checkRange(base, { start, end: split ?? end }, searched, rooms)
  if (split === null) return
  checkRange(base, { start: split, end }, { pointer, name: 'held-out part of the range' }, rooms)
}
