import type { PinnedBars } from '../archive/bars-history.ts'
import type { Adjustment } from '../market/corporate-action.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { type FieldError, Problem } from '../problems.ts'
import { type RuleStrategy, requireRules } from '../strategy/strategy.ts'
import { findCompatFaults } from './backtest-compat.ts'
import { sizingOf } from './backtest-config.ts'
import { fault, findParamFaults, findRunFaults } from './backtest-faults.ts'
import { rangeOf } from './moment.ts'
import type { Params } from './operation.ts'
import type { Prepared, Rooms, WorkerSpec } from './spec.ts'
import { splitWarnings } from './split-warnings.ts'
import { checkRange, countBars, type Pinned, pinStored, spanOf } from './stored-bars.ts'
import { readChosenStrategy } from './strategy-text.ts'

type Requested = Readonly<components['schemas']['BacktestingParams']>
type Engine = Readonly<components['schemas']['BacktestEngine']>
/** Without these a request has another meaning: they have no default. */
type WithoutDefault =
  | 'strategy'
  | 'strategy_yaml'
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

/** Runs a strategy over stored bars. */
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
 * Checks a backtest and pins what it depends on; a fan-out does so with the backtest it varies.
 * @throws {Problem} 'params-invalid', 'strategy-not-found', 'strategy-invalid', 'bars-missing'
 */
export async function prepareBacktest(
  params: BacktestingParams,
  rooms: Rooms,
): Promise<Prepared & { readonly params: EffectiveBacktestingParams; readonly strategy: RuleStrategy }> {
  refuse(findParamFaults(params))
  const range = rangeOf(params)
  const { strategy: parsed, warnings, yaml } = await readChosenStrategy(params, rooms)
  const strategy = requireRules(parsed)
  const symbols = symbolsOf(params, strategy)
  const timeframe = params.timeframe ?? strategy.base_timeframe
  refuse(findRunFaults(params, { strategy, timeframe }))
  refuse(
    findCompatFaults(params, { strategy, symbols }),
    'Give these fields what backtesting.py can do, or leave out engine.compat.',
  )
  const base = await pinAll(symbols, { timeframe, adjustment: params.adjustment }, rooms)
  const empty = checkRange(base, range, { pointer: '/body/params/start', name: 'requested range' }, rooms)
  const finer = await pinFiner(symbols, params, rooms)
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
  const manifests = [...base, ...finer].map(({ manifest }) => manifest)
  return {
    params: effective,
    strategy,
    warnings: [
      ...warnings,
      ...empty.map(message => `${message}: it is not traded.`),
      ...splitWarnings(manifests, effective),
    ],
    steps: bars === null ? null : { total: bars, unit: 'bar' },
    seed: null,
    strategy_sha256: await rooms.strategies.snapshot(yaml),
    dataset_sha256: [...base, ...finer].map(({ sha256 }) => sha256),
  }
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const { strategy: _, ...prepared } = await prepareBacktest(given as BacktestingParams, rooms)
  return prepared
}

function symbolsOf({ symbol, symbols }: BacktestingParams, strategy: RuleStrategy): string[] {
  if (symbols !== undefined) return symbols
  if (symbol !== undefined) return [symbol]
  if (strategy.symbols.length > maxSymbols) {
    const message = `${strategy.name} names ${strategy.symbols.length} symbols, but a backtest takes at most ${maxSymbols}: say which`
    refuse([{ ...fault('symbols', message), code: 'required' }])
  }
  return [...strategy.symbols]
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
