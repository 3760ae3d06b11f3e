import { toRfc3339 } from '../clock.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import type { Dimension } from '../search/axis.ts'
import { planTrials, type SearchMethod, type TrialPlan } from '../search/plan.ts'
import { requireSpace } from '../search/require-space.ts'
import { roundSize } from '../search/tpe.ts'
import { readYaml } from '../strategy/yaml-source.ts'
import { type BacktestingParams, type EffectiveBacktestingParams, prepareBacktest } from './backtesting.ts'
import type { Prepared, Rooms } from './spec.ts'
import { type Pinned, pinStored, spanOf } from './stored-bars.ts'
import { readChosenStrategy } from './strategy-text.ts'
import type { VariedBacktest } from './trial-batch.ts'

/** Where the parameters stand in a request. */
export const paramsPointer = '/body/params'

/** A backtest that was checked and pinned to be run in many variants. */
export type PreparedResearch = Pick<Prepared, 'warnings' | 'strategy_sha256' | 'dataset_sha256'> & {
  /** The strategy as it was written. */
  readonly yaml: string
  readonly backtest: VariedBacktest
  /** The datasets of the timeframe that is traded. */
  readonly base: readonly Pinned[]
}

/**
 * Checks the field `backtest` of a request and pins what it depends on. Its range ends where the bars end: it is
 * divided by time, which must not be time without bars. Without a sizing in the request it has none: the strategy's own
 * may be what is varied.
 * @throws {Problem} with pointers below `/body/params/backtest`
 */
export async function prepareResearch(requested: BacktestingParams, rooms: Rooms): Promise<PreparedResearch> {
  const { yaml } = await inField('backtest', () => readChosenStrategy(requested, rooms))
  const pinned = await inField('backtest', () => prepareBacktest(requested, rooms))
  const base = await pinBase(pinned.params, rooms)
  const { sizing, ...backtest } = boundedBacktest(pinned.params, base)
  const { warnings, strategy_sha256, dataset_sha256 } = pinned
  const varied = requested.sizing === undefined ? backtest : { ...backtest, sizing }
  return { yaml, base, backtest: varied, warnings, strategy_sha256, dataset_sha256 }
}

/** What is searched, as a request has it. */
type RequestedSearch = {
  readonly backtest: BacktestingParams
  readonly space: readonly components['schemas']['SearchDimension'][]
  readonly constraints: readonly string[]
  readonly method: SearchMethod
  readonly trials: number
  readonly seed: number
}

/** A search that was checked. */
export type PreparedSearch = PreparedResearch & {
  /** They can be read without the strategy. */
  readonly constraints: string[]
  /** Planning so many gives the same trials again. */
  readonly trials: number
  /** Of `tpe`, the first round. */
  readonly plan: TrialPlan
}

/**
 * Checks the backtest of a request, as `prepareResearch`, and what is varied of it.
 * @throws {Problem} with pointers below `/body/params`
 */
export async function prepareSearch(requested: RequestedSearch, rooms: Rooms): Promise<PreparedSearch> {
  const { method, trials, seed, constraints } = requested
  const dimensions = requested.space.map(readDimension)
  refuseFixedSizing(requested.backtest, requested.space)
  const prepared = await prepareResearch(requested.backtest, rooms)
  const space = requireSpace(readYaml(prepared.yaml).value, { dimensions, constraints }, paramsPointer)
  const plan = planTrials(space, { method, trials, seed })
  const planned = plan.trials.length
  const texts = space.constraints.map(({ text }) => text)
  // A round is not all of a search, and shares of a smaller hypercube are others.
  const isMost = method === 'tpe' || method === 'latin_hypercube'
  return {
    ...prepared,
    warnings: [...prepared.warnings, ...remarkOnFew({ method, trials, planned }, texts)],
    plan,
    constraints: texts,
    trials: isMost ? trials : planned,
  }
}

/** @param planned of `tpe`, trials of the first round */
function remarkOnFew(
  { method, trials, planned }: { method: SearchMethod; trials: number; planned: number },
  constraints: readonly string[],
): string[] {
  const asked = method === 'tpe' ? Math.min(trials, roundSize) : trials
  if (method === 'grid' || planned >= asked) return []
  const where = method === 'tpe' ? ' of the first round' : ''
  const found = `${planned} of ${asked} trials${where} that were asked for were found`
  if (constraints.length === 0) return [`Only ${found}: the space has too few points that differ.`]
  const listed = constraints.slice(0, 3).map(text => (text.length > 200 ? `${text.slice(0, 199)}…` : text))
  const more = constraints.length > 3 ? ` and ${constraints.length - 3} more` : ''
  const advice =
    method === 'latin_hypercube'
      ? 'make the ranges narrower, or use random, which uses a value as often as it is needed'
      : 'make the ranges narrower'
  return [
    `Only ${found}: of the points that were looked at, ${listed.join('; ')}${more} leave so few; ${advice}.`,
  ]
}

/** A list or a range, exactly one. @throws {Problem} 'params-invalid' */
function readDimension(given: components['schemas']['SearchDimension'], i: number): Dimension {
  const { path, values, min, max, ...rest } = given
  const isList = values !== undefined
  const others = [min, max, rest.step, rest.scale, rest.integer].some(value => value !== undefined)
  if (isList && !others) return { path, values }
  if (!isList && min !== undefined && max !== undefined) return { path, min, max, ...rest }
  const message = `${path}: give either values, or min and max, with step, scale and integer as you like`
  throw refusedField(`space/${i}`, 'conflict', message)
}

/** A sizing of the request would hide the strategy's. @throws {Problem} 'params-invalid' */
function refuseFixedSizing(backtest: BacktestingParams, space: readonly { readonly path: string }[]): void {
  const i = space.findIndex(({ path }) => path.startsWith('decisions.rules.sizing'))
  if (backtest.sizing === undefined || i === -1) return
  const message =
    'the sizing of the backtest stands before that of the strategy: varying the latter changes nothing'
  throw refusedField(`space/${i}/path`, 'conflict', message)
}

/** @param key of the field, below the parameters */
export function refusedField(key: string, code: string, message: string): Problem {
  return new Problem('params-invalid', message, {
    errors: [{ pointer: `${paramsPointer}/${key}`, code, message }],
  })
}

function boundedBacktest(
  params: EffectiveBacktestingParams,
  base: readonly Pinned[],
): EffectiveBacktestingParams {
  const span = spanOf(base)
  const later = (a: string, b: string) => toRfc3339(Math.max(Date.parse(a), Date.parse(b)))
  const earlier = (a: string, b: string) => toRfc3339(Math.min(Date.parse(a), Date.parse(b)))
  return { ...params, start: later(params.start, span.start), end: earlier(params.end, span.end) }
}

async function pinBase(
  { symbols, timeframe, adjustment }: EffectiveBacktestingParams,
  rooms: Rooms,
): Promise<readonly Pinned[]> {
  const pinned: Pinned[] = []
  for (const symbol of symbols) pinned.push(await pinStored(rooms, { symbol, timeframe, adjustment }))
  return pinned
}

/** What is wrong with the parameters of another operation stands under the field of the request that has them. */
export async function inField<T>(key: 'backtest' | 'training', read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const errors = error.errors.map(fault =>
      fault.pointer.startsWith(`${paramsPointer}/`)
        ? { ...fault, pointer: `${paramsPointer}/${key}${fault.pointer.slice(paramsPointer.length)}` }
        : fault,
    )
    throw new Problem(error.code, error.message, {
      errors,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}
