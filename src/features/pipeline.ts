import { firstBarAt, formatTime, sliceBars } from '../market/bars.ts'
import { closeTimeMs, dayMs, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { asOfIndexes, takeAt } from './as-of-join.ts'
import type { Feature } from './feature-id.ts'
import {
  assembleFeatures,
  type DroppedBars,
  type FeatureColumn,
  type FeatureStart,
} from './feature-matrix.ts'
import { type FeatureTable, type SymbolMatrix, stackSymbols } from './feature-table.ts'
import type { FittedNormaliser } from './normaliser.ts'
import {
  type Checkpoint,
  IndicatorColumns,
  nativeColumn,
  normaliseInChunks,
  type SessionBars,
} from './pipeline-columns.ts'
import { checkFit, fitNormalisers, type TimeSpan } from './pipeline-fit.ts'
import { type FeatureRecipe, historyOf, timeframesOf } from './pipeline-recipe.ts'
import { keepSessions } from './pipeline-sessions.ts'

/** Bars of one symbol: of the base timeframe and of every other one that features name, each oldest first. */
export type SymbolBars = {
  readonly symbol: string
  readonly bars: Readonly<Partial<Record<Timeframe, SessionBars>>>
}

export type FeatureRequest = {
  readonly recipe: FeatureRecipe
  readonly symbols: readonly SymbolBars[]
  /** Open times of the base bars wanted, epoch ms, half-open; null is unbounded. Bars before it warm indicators up. */
  readonly start?: number | null
  readonly end?: number | null
  /** Open times of the base bars that normalisers are fitted on. Needed when a feature is normalised, or its term fitted. */
  readonly fit?: TimeSpan | null
  /** Called every few milliseconds with the steps done, one per symbol and timeframe; it may throw to stop the work. */
  readonly checkpoint?: (done: number, total: number, phase: string) => void
}

/** What became of the bars of one symbol. */
export type SymbolFeatures = {
  readonly symbol: string
  readonly rows: number
  readonly dropped: DroppedBars
  readonly features: readonly FeatureStart[]
}

export type FeatureBuild = {
  readonly table: FeatureTable
  /** In the order of the table. */
  readonly symbols: readonly SymbolFeatures[]
  /** By feature id; features of which nothing is fitted have none. */
  readonly normalisers: Readonly<Record<string, FittedNormaliser>>
  readonly warnings: readonly string[]
}

/**
 * Features as a model sees them: indicators on the bars of their own timeframe, memberships or normalised values of
 * them, joined to the base bars by close time, one row per base bar on which every feature has a value. A row depends
 * on what its bar's close knew, and on the range that normalisers were fitted on: without bars after the one and the
 * other it is the same, bit for bit.
 * @throws {Problem} 'params-invalid' when normalisers lack a range or the range lacks values, 'bars-missing' when a
 * symbol lacks bars of a timeframe
 */
export function buildFeatures(request: FeatureRequest): FeatureBuild {
  const { recipe, symbols, fit = null } = request
  if (recipe.features.length === 0) throw noFeatures()
  checkFit(recipe, fit)
  const steps = createSteps(recipe, symbols, request.checkpoint)
  const normalisers = fitFeatures(recipe, symbols, fit, steps.look)
  const warnings = Object.entries(normalisers).flatMap(([id, { warning }]) =>
    warning === undefined ? [] : [`${id}: ${warning}`],
  )
  const facts: SymbolFeatures[] = []
  const matrices = symbols.map((of): SymbolMatrix => {
    const { symbol } = of
    const columns = joinedColumns(request, of, { normalisers, steps })
    const { base } = columns
    const from = request.start == null ? 0 : firstBarAt(base, request.start)
    const matrix = assembleFeatures({ columns: columns.columns, bars: base, from, checkpoint: steps.look })
    facts.push({ symbol, rows: matrix.rows, dropped: matrix.dropped, features: matrix.features })
    warnings.push(...[...staleness(of, recipe, base), ...matrix.warnings].map(text => `${symbol}: ${text}`))
    return { symbol, matrix }
  })
  const table = stackSymbols(matrices)
  const order = table.symbols.map(({ symbol }) => symbol)
  facts.sort((a, b) => order.indexOf(a.symbol) - order.indexOf(b.symbol))
  return { table, symbols: facts, normalisers, warnings }
}

/**
 * The normalisers of `buildFeatures`, by feature id.
 * @param fit as `checkFit` accepts it
 * @throws {Problem} 'params-invalid' when the range lacks values
 */
export function fitFeatures(
  recipe: FeatureRecipe,
  symbols: readonly SymbolBars[],
  fit: TimeSpan | null,
  checkpoint: Checkpoint = () => {},
): FeatureBuild['normalisers'] {
  return fitNormalisers(recipe, fit, (feature, span) =>
    symbols.map(symbol => fitValues({ recipe }, symbol, { feature, span, checkpoint })),
  )
}

/** Every feature of one symbol on its base bars, in canonical order, as `nativeColumn` and with every bar. */
export function joinFeatures(
  recipe: FeatureRecipe,
  symbol: SymbolBars,
  checkpoint: Checkpoint = () => {},
): { readonly base: SessionBars; readonly columns: readonly FeatureColumn[] } {
  const steps = createSteps(recipe, [symbol], checkpoint)
  return joinedColumns({ recipe }, symbol, { normalisers: {}, steps })
}

type Steps = { readonly look: Checkpoint; next(phase: string): void }

/** Progress in steps of one timeframe of one symbol, and a look at the checkpoint between them. */
function createSteps(
  recipe: FeatureRecipe,
  symbols: readonly SymbolBars[],
  checkpoint: FeatureRequest['checkpoint'] = () => {},
): Steps {
  const total = symbols.length * timeframesOf(recipe).length
  let done = 0
  let phase = 'fitting normalisers'
  return {
    look: () => checkpoint(Math.max(0, done - 1), total, phase),
    next(name) {
      phase = name
      checkpoint(done++, total, phase)
    },
  }
}

/** Every feature of one symbol on its base bars, in canonical order. */
function joinedColumns(
  { recipe, end = null }: Pick<FeatureRequest, 'recipe' | 'end'>,
  symbol: SymbolBars,
  { normalisers, steps }: { normalisers: FeatureBuild['normalisers']; steps: Steps },
) {
  const base = sliceBars(barsOf(symbol, recipe.base), null, end)
  const columns = new Map<Feature, Float64Array>()
  for (const timeframe of timeframesOf(recipe)) {
    steps.next(`${symbol.symbol} ${timeframe}`)
    const join = createJoin(symbol, { timeframe, base, recipe, checkpoint: steps.look })
    for (const feature of recipe.features) {
      if (feature.timeframe !== timeframe) continue
      const joined = join(feature)
      const normaliser = normalisers[feature.id]
      columns.set(
        feature,
        normaliser === undefined ? joined : normaliseInChunks(joined, normaliser, steps.look),
      )
    }
  }
  return {
    base,
    columns: recipe.features.map(feature => ({
      id: feature.id,
      values: columns.get(feature) ?? new Float64Array(0),
      lookback: historyOf(recipe, feature).lookback,
    })),
  }
}

type JoinRequest = {
  readonly timeframe: Timeframe
  readonly base: SessionBars
  readonly recipe: FeatureRecipe
  readonly checkpoint: Checkpoint
}

/** Gives features of one timeframe on the base bars; what several of them share is calculated once. */
function createJoin(
  symbol: SymbolBars,
  { timeframe, base, recipe, checkpoint }: JoinRequest,
): (feature: Feature) => Float64Array {
  const isBase = timeframe === recipe.base
  const lastClose = base.length === 0 ? 0 : (base.close_time[base.length - 1] as number)
  const all = barsOf(symbol, timeframe)
  // Bars that open after the last base bar has closed cannot be seen.
  const bars = isBase ? keepSessions(base, all) : keepSessions(sliceBars(all, null, lastClose), all)
  const indicators = new IndicatorColumns(recipe, bars, checkpoint)
  const indexes = isBase ? null : asOfIndexes(base.close_time, bars.close_time)
  return feature => {
    const native = nativeColumn(recipe, feature, { indicators, checkpoint })
    checkpoint()
    return indexes === null ? native : takeAt(native, indexes)
  }
}

/** The base bars' values of one feature whose bars open in `span`. */
function fitValues(
  { recipe }: Pick<FeatureRequest, 'recipe'>,
  symbol: SymbolBars,
  { feature, span, checkpoint }: { feature: Feature; span: TimeSpan; checkpoint: Checkpoint },
): Float64Array {
  const base = sliceBars(barsOf(symbol, recipe.base), null, span.end)
  const join = createJoin(symbol, { timeframe: feature.timeframe, base, recipe, checkpoint })
  return join(feature).subarray(firstBarAt(base, span.start))
}

function barsOf({ symbol, bars }: SymbolBars, timeframe: Timeframe): SessionBars {
  const found = bars[timeframe]
  if (found !== undefined) return found
  throw new Problem('bars-missing', `no bars of ${symbol} ${timeframe} were given`)
}

/** Nothing is carried on silently: says which timeframe ended long before the base bars do. */
function staleness(symbol: SymbolBars, recipe: FeatureRecipe, base: SessionBars): string[] {
  if (base.length === 0) return []
  const end = base.close_time[base.length - 1] as number
  return timeframesOf(recipe).flatMap(timeframe => {
    const { close_time, length } = barsOf(symbol, timeframe)
    const last = length === 0 ? Number.NaN : (close_time[length - 1] as number)
    const patienceMs = Math.max(5 * dayMs, 2 * (closeTimeMs(last, timeframe) - last))
    if (timeframe === recipe.base || !(end - last > patienceMs)) return []
    return [
      `the ${timeframe} bars end at ${formatTime(last)}, long before the ${recipe.base} bars: their last value stands in all rows after it`,
    ]
  })
}

function noFeatures(): Problem {
  return new Problem('params-invalid', 'the strategy has no features: its rules read indicators directly', {
    hint: 'Write nn_inputs: each names a fuzzy_set or a raw_indicator.',
  })
}
