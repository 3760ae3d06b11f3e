import type { PinnedBars } from '../archive/bars-history.ts'
import { timeframesOf } from '../features/pipeline-recipe.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import type { Strategy } from '../strategy/strategy.ts'
import { rangeOf } from './moment.ts'
import type { Prepared, Rooms } from './spec.ts'
import { splitWarnings } from './split-warnings.ts'
import { checkRange, pinSymbols, spanOf } from './stored-bars.ts'
import { readChosenStrategy } from './strategy-text.ts'

type Requested = Readonly<components['schemas']['LookaheadAnalysisParams']>

/** What a look-ahead and a warm-up analysis are both given: a strategy and the bars it is looked at on. */
export type AnalysisParams = Pick<
  Requested,
  'strategy' | 'strategy_yaml' | 'symbol' | 'symbols' | 'timeframe' | 'timeframes' | 'start' | 'end'
> &
  Required<Pick<Requested, 'adjustment'>>

/** With everything filled in that was left to a default; `timeframes` are all that are read, the base first. */
export type AnalysedRun = Required<Pick<Requested, 'symbols' | 'timeframe' | 'timeframes' | 'start' | 'end'>>

/** As many as `symbols` takes; a strategy may name more. */
const maxSymbols = 50

/** The datasets of a run, symbol by symbol. @param sha256s as they were pinned */
export function analysedDatasets(
  { symbols, timeframes }: Pick<AnalysedRun, 'symbols' | 'timeframes'>,
  sha256s: readonly string[],
): readonly PinnedBars[] {
  return symbols.flatMap((symbol, row) =>
    timeframes.map((timeframe, column) => ({
      symbol,
      timeframe,
      sha256: sha256s[row * timeframes.length + column] ?? '',
    })),
  )
}

/**
 * Checks what an analysis is given and pins what it depends on.
 * @throws {Problem} 'params-invalid', 'strategy-not-found', 'strategy-invalid', 'bars-missing'
 */
export async function prepareAnalysis(
  params: AnalysisParams,
  rooms: Rooms,
): Promise<
  Pick<Prepared, 'warnings' | 'strategy_sha256' | 'dataset_sha256'> & {
    readonly run: AnalysedRun
    readonly strategy: Strategy
  }
> {
  const range = rangeOf(params)
  const { strategy, warnings, yaml } = await readChosenStrategy(params, rooms)
  const symbols = symbolsOf(params, strategy)
  const timeframes = timeframesRead(params, strategy)
  const pinned = await pinSymbols(symbols, timeframes, params, rooms)
  const base = pinned.filter((_, index) => index % timeframes.length === 0)
  const empty = checkRange(base, range, { pointer: '/body/params/start', name: 'requested range' }, rooms)
  const span = spanOf(base)
  const run: AnalysedRun = {
    symbols,
    timeframe: timeframes[0] ?? strategy.base_timeframe,
    timeframes,
    start: params.start ?? span.start,
    end: params.end ?? span.end,
  }
  return {
    run,
    strategy,
    warnings: [
      ...warnings,
      ...empty.map(message => `${message}: nothing is decided on it.`),
      ...splitWarnings(
        pinned.map(({ manifest }) => manifest),
        { ...params, ...run },
      ),
    ],
    strategy_sha256: await rooms.strategies.snapshot(yaml),
    dataset_sha256: pinned.map(({ sha256 }) => sha256),
  }
}

function symbolsOf({ symbol, symbols }: AnalysisParams, strategy: Strategy): string[] {
  if (symbol !== undefined && symbols !== undefined)
    throw refused('symbol', 'not_allowed', 'give either symbol or symbols, not both')
  const chosen = symbols ?? (symbol === undefined ? [...strategy.symbols] : [symbol])
  if (chosen.length <= maxSymbols) return chosen
  const message = `${strategy.name} names ${chosen.length} symbols, but an analysis takes at most ${maxSymbols}: say which`
  throw refused('symbols', 'required', message)
}

/** The base first. */
function timeframesRead({ timeframe, timeframes }: AnalysisParams, strategy: Strategy): Timeframe[] {
  const { name } = strategy
  if (strategy.kind === 'rules') {
    const base = timeframe ?? strategy.base_timeframe
    if (timeframes !== undefined && timeframes.join() !== base)
      throw refused('timeframes', 'not_allowed', `${name} decides by rules on one timeframe: give timeframe`)
    return [base]
  }
  const read = [...timeframesOf(recipeOf(strategy, timeframes))]
  if (timeframe !== undefined && timeframe !== read[0])
    throw refused('timeframe', 'not_allowed', `${name} decides by a model on ${read[0]}: give timeframes`)
  return read
}

/** A refusal of one parameter. */
export function refused(parameter: string, code: string, message: string): Problem {
  return new Problem('params-invalid', message, {
    errors: [{ pointer: `/body/params/${parameter}`, code, message }],
  })
}
