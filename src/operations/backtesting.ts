import type { PinnedBars } from '../archive/bars-history.ts'
import type { Adjustment } from '../market/corporate-action.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { type FieldError, Problem } from '../problems.ts'
import { type RuleStrategy, requireRules, type Strategy } from '../strategy/strategy.ts'
import { findCompatFaults } from './backtest-compat.ts'
import { sizingOf, type TradedStrategy } from './backtest-config.ts'
import { fault, findParamFaults, findRunFaults } from './backtest-faults.ts'
import { readChosenEnsemble } from './chosen-ensemble.ts'
import { readChosenModel } from './chosen-model.ts'
import { rangeOf } from './moment.ts'
import type { Params } from './operation.ts'
import type { Prepared, Rooms, WorkerSpec } from './spec.ts'
import { splitWarnings } from './split-warnings.ts'
import { checkRange, countBars, type Pinned, pinStored, pinSymbols, spanOf } from './stored-bars.ts'
import { readChosenStrategy } from './strategy-text.ts'

type Requested = Readonly<components['schemas']['BacktestingParams']>
type Engine = Readonly<components['schemas']['BacktestEngine']>
/** Without these a request has another meaning: they have no default. */
type WithoutDefault =
  | 'strategy'
  | 'strategy_yaml'
  | 'model'
  | 'ensemble'
  | 'symbol'
  | 'symbols'
  | 'timeframe'
  | 'start'
  | 'end'
  | 'sizing'
  | 'engine'
/** As the validator hands them on: defaults filled in. */
export type BacktestingParams = Pick<Requested, Exclude<WithoutDefault, 'engine'>> &
  Required<Omit<Requested, WithoutDefault>> & {
    readonly engine: Engine & Required<Pick<Engine, 'compat' | 'fill_on' | 'intrabar'>>
  }
export type BacktestingResult = Readonly<components['schemas']['BacktestingResult']>

/** What the worker is given: everything that was left to a default is filled in. */
export type EffectiveBacktestingParams = Omit<BacktestingParams, 'symbol'> &
  Required<Pick<BacktestingParams, 'symbols' | 'timeframe' | 'start' | 'end' | 'sizing'>>

const MINUTE_MS = 60_000
/** As many as `symbols` takes; a strategy may name more. */
const maxSymbols = 50

/** Runs a strategy, or a trained model, over stored bars. */
export const backtestingSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Runs a strategy over stored bars.',
  worker: 'backtesting.ts',
  resumable: false,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {
    equity: { bar: 'bar', equity: 'currency' },
    speed: { bar: 'bar', bars_per_second: 'bar/s' },
  },
  sharesBars: (params, sha256s) => {
    const { base, finer } = datasetsOf(params as EffectiveBacktestingParams, sha256s)
    return [...base, ...finer]
  },
  prepare,
}

/**
 * The datasets a backtest reads, in the order of its symbols each.
 * @param sha256s as they were pinned: those of the timeframe, then those of `engine.intrabar_timeframe`, if any
 */
export function datasetsOf(
  { symbols, timeframe, engine }: Pick<EffectiveBacktestingParams, 'symbols' | 'timeframe' | 'engine'>,
  sha256s: readonly string[],
): { readonly base: readonly PinnedBars[]; readonly finer: readonly PinnedBars[] } {
  const name = (timeframe: Timeframe, offset: number) =>
    symbols.map((symbol, i) => ({ symbol, timeframe, sha256: sha256s[offset + i] ?? '' }))
  const { intrabar_timeframe: shorter } = engine
  return { base: name(timeframe, 0), finer: shorter === undefined ? [] : name(shorter, symbols.length) }
}

/**
 * The datasets of one symbol that a model reads beside those of `datasetsOf`, in the order of `others`.
 * @param k of the symbol among the symbols
 */
export function otherDatasetsOf(
  { symbols, engine }: Pick<EffectiveBacktestingParams, 'symbols' | 'engine'>,
  { others, k }: { readonly others: readonly Timeframe[]; readonly k: number },
  sha256s: readonly string[],
): readonly (PinnedBars & { readonly timeframe: Timeframe })[] {
  const before = symbols.length * (engine.intrabar_timeframe === undefined ? 1 : 2) + k * others.length
  return others.map((timeframe, i) => ({
    symbol: symbols[k] ?? '',
    timeframe,
    sha256: sha256s[before + i] ?? '',
  }))
}

/** What decides, before it is known what it decides on. */
export type ChosenStrategy = {
  readonly strategy: TradedStrategy
  readonly yaml: string
  readonly warnings: readonly string[]
  /** Those to trade where the request names none. */
  readonly symbols: readonly string[]
  readonly timeframe: Timeframe
  /** Timeframes that are read beside it. */
  readonly others: readonly Timeframe[]
}

type PreparedBacktest = Prepared & { readonly params: EffectiveBacktestingParams }

/**
 * Checks a backtest of a strategy with rules and pins what it depends on; a fan-out does so with the backtest it varies.
 * @throws {Problem} 'params-invalid', 'strategy-not-found', 'strategy-invalid', 'bars-missing'
 */
export function prepareBacktest(
  params: BacktestingParams,
  rooms: Rooms,
): Promise<PreparedBacktest & { readonly strategy: RuleStrategy }> {
  return prepareRules(params, rooms, requireRules)
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as BacktestingParams
  if (params.model === undefined && params.ensemble === undefined) {
    const { strategy: _, ...prepared } = await prepareRules(params, rooms, requireNoModel)
    return prepared
  }
  refuse(findParamFaults(params))
  rangeOf(params)
  return pinBacktest(params, await readChosen(params, rooms), rooms)
}

function readChosen(params: BacktestingParams, rooms: Rooms): Promise<ChosenStrategy> {
  const { model = '', ensemble } = params
  return ensemble === undefined
    ? readChosenModel({ ...params, model }, rooms)
    : readChosenEnsemble({ ...params, ensemble }, rooms)
}

async function prepareRules(
  params: BacktestingParams,
  rooms: Rooms,
  demand: (strategy: Strategy) => RuleStrategy,
): Promise<PreparedBacktest & { readonly strategy: RuleStrategy }> {
  refuse(findParamFaults(params))
  rangeOf(params)
  const { strategy: parsed, warnings, yaml } = await readChosenStrategy(params, rooms)
  const strategy = demand(parsed)
  const { symbols, base_timeframe } = strategy
  const timeframe = params.timeframe ?? base_timeframe
  const chosen = { strategy, yaml, warnings, symbols, timeframe, others: [] }
  return { ...(await pinBacktest(params, chosen, rooms)), strategy }
}

async function pinBacktest(
  params: BacktestingParams,
  chosen: ChosenStrategy,
  rooms: Rooms,
): Promise<PreparedBacktest> {
  const { strategy, timeframe } = chosen
  const range = rangeOf(params)
  const symbols = symbolsOf(params, chosen)
  refuse(findRunFaults(params, { strategy, timeframe }))
  refuse(
    findCompatFaults(params, { strategy, symbols }),
    'Give these fields what backtesting.py can do, or leave out engine.compat.',
  )
  const base = await pinSymbols(symbols, [timeframe], params, rooms)
  const empty = checkRange(base, range, { pointer: '/body/params/start', name: 'requested range' }, rooms)
  const more = [
    ...(await pinFiner(symbols, params, rooms)),
    // Symbol by symbol, as `otherDatasetsOf` names them.
    ...(await pinSymbols(symbols, chosen.others, params, rooms)),
  ]
  const { symbol: _, ...given } = params
  const effective: EffectiveBacktestingParams = {
    ...given,
    symbols,
    timeframe,
    sizing: sizingOf(params, strategy),
    start: params.start ?? spanOf(base).start,
    end: params.end ?? spanOf(base).end,
  }
  const [first, ...others] = base
  const bars = first === undefined || others.length > 0 ? null : countBars(first, range, rooms)
  const manifests = [...base, ...more].map(({ manifest }) => manifest)
  return {
    params: effective,
    warnings: [
      ...chosen.warnings,
      ...empty.map(message => `${message}: it is not traded.`),
      ...splitWarnings(manifests, effective),
    ],
    steps: bars === null ? null : { total: bars, unit: 'bar' },
    seed: null,
    strategy_sha256: await rooms.strategies.snapshot(chosen.yaml),
    dataset_sha256: [...base, ...more].map(({ sha256 }) => sha256),
  }
}

/** @throws {Problem} 'strategy-invalid' when the strategy decides by a model: it has to be trained before */
function requireNoModel(strategy: Strategy): RuleStrategy {
  if (strategy.kind === 'rules') return strategy
  const { name } = strategy
  const message = `${name} decides by a model: a backtest needs one that was trained`
  throw new Problem('strategy-invalid', message, {
    hint: `Train it, POST /api/v1/operations ${JSON.stringify({ type: 'training', params: { strategy: name } })}, and give the model instead of the strategy: GET /api/v1/models?strategy=${name} lists those that are there.`,
    errors: [{ pointer: '/body/params/model', code: 'required', message }],
  })
}

function symbolsOf({ symbol, symbols }: BacktestingParams, chosen: ChosenStrategy): string[] {
  if (symbols !== undefined) return symbols
  if (symbol !== undefined) return [symbol]
  if (chosen.symbols.length > maxSymbols) {
    const message = `${chosen.strategy.name} names ${chosen.symbols.length} symbols, but a backtest takes at most ${maxSymbols}: say which`
    refuse([{ ...fault('symbols', message), code: 'required' }])
  }
  return [...chosen.symbols]
}

async function pinAll(
  symbols: readonly string[],
  wanted: { readonly timeframe: Timeframe; readonly adjustment: Adjustment; readonly pointer?: string },
  rooms: Rooms,
): Promise<Pinned[]> {
  const pinned: Pinned[] = []
  for (const symbol of symbols) pinned.push(await pinStored(rooms, { ...wanted, symbol }))
  return pinned
}

async function pinFiner(
  symbols: readonly string[],
  { adjustment, engine }: BacktestingParams,
  rooms: Rooms,
): Promise<readonly Pinned[]> {
  const { intrabar_timeframe: timeframe } = engine
  const pointer = '/body/params/engine/intrabar_timeframe'
  return timeframe === undefined ? [] : pinAll(symbols, { timeframe, adjustment, pointer }, rooms)
}

/** @throws {Problem} 'params-invalid' with all of them, unless there are none */
function refuse(errors: readonly FieldError[], hint?: string): void {
  const [first] = errors
  if (first === undefined) return
  throw new Problem('params-invalid', first.message, { errors, ...(hint === undefined ? {} : { hint }) })
}
