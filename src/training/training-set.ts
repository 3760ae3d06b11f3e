import { assembleFeatures, type DroppedBars, type FeatureColumn } from '../features/feature-matrix.ts'
import { type FeatureTable, stackSymbols } from '../features/feature-table.ts'
import type { FittedNormaliser } from '../features/normaliser.ts'
import { joinFeatures, type SymbolBars } from '../features/pipeline.ts'
import { normaliseInChunks, type SessionBars } from '../features/pipeline-columns.ts'
import { createFitter } from '../features/pipeline-fit.ts'
import type { FeatureRecipe } from '../features/pipeline-recipe.ts'
import { keepSessions } from '../features/pipeline-sessions.ts'
import { recipeOf } from '../features/pipeline-strategy.ts'
import { type Labels, makeLabels } from '../labels/label.ts'
import { type LabelReport, reportLabels } from '../labels/label-report.ts'
import { firstBarAt, sliceBars } from '../market/bars.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { ModelStrategy } from '../strategy/strategy.ts'
import { splitFold, type TrainingFold } from './fold-split.ts'
import { joinSamples, type Samples } from './samples.ts'
import { type Split, splitSamples } from './splits.ts'
import { findUncovered } from './uncovered-rows.ts'
import { keepWindows, knownBars } from './windows.ts'

export type TrainingSetRequest = {
  readonly strategy: ModelStrategy
  /** Stand for the strategy's own where they are given. */
  readonly timeframes?: readonly Timeframe[]
  /** Bars of every timeframe that features read; those before `start` warm up. */
  readonly symbols: readonly SymbolBars[]
  /** Open times of the base bars, epoch ms, half-open; null is unbounded. Nothing after `end` is seen, by labels neither. */
  readonly start: number | null
  readonly end: number | null
  /** What is tested, instead of the shares of the strategy's split. */
  readonly fold?: TrainingFold
  /** Called every few milliseconds with the steps done, three per symbol; it may throw to stop the work. */
  readonly checkpoint?: (done: number, total: number, phase: string) => void
}

/** What is known of the bars of one symbol. */
export type SymbolFacts = {
  readonly symbol: string
  /** Base bars before `end`. */
  readonly bars: SessionBars
  /** Index of the first one in the range. */
  readonly from: number
  readonly dropped: DroppedBars
  /** Of the bars in the range. */
  readonly labels: LabelReport
  /** Labelled rows that are no samples because rows are missing in the window before them. */
  readonly without_window: number
}

/** What a model is trained and measured on. */
export type TrainingSet = {
  readonly samples: Samples
  /** Row numbers of `samples`. */
  readonly split: Split
  /** Every bar with features, with or without a label: what windows are cut from. */
  readonly table: FeatureTable
  /** In the order of `samples.symbols`. */
  readonly symbols: readonly SymbolFacts[]
  readonly recipe: FeatureRecipe
  /** By feature id, fitted on the rows of the training part and no others. */
  readonly normalisers: Readonly<Record<string, FittedNormaliser>>
  readonly warnings: readonly string[]
}

/** A symbol on the way: features before normalisation, and labels of the bars that may become samples. */
type Raw = {
  readonly symbol: string
  readonly bars: SessionBars
  readonly from: number
  readonly columns: readonly FeatureColumn[]
  /** 0 where every feature is known, else NaN. */
  readonly known: Float64Array
  readonly labels: Labels
  readonly report: LabelReport
  readonly withoutWindow: number
}

/**
 * Features and labels of every symbol on its own bars, joined by symbol and bar, split, and normalised by what the
 * training part knows.
 * @throws {Problem} 'params-invalid' when nothing or too little is left to learn from, 'bars-missing'
 */
export function buildTrainingSet(request: TrainingSetRequest): TrainingSet {
  const { strategy, checkpoint = () => {} } = request
  const recipe = recipeOf(strategy, request.timeframes)
  const sorted = request.symbols.toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1))
  const look = (done: number, phase: string) => () => checkpoint(done, sorted.length * 3, phase)
  const raws = sorted.map((symbol, i) => readSymbol(request, { recipe, symbol, look, done: 2 * i }))
  const choose = look(2 * sorted.length, 'choosing rows')
  const timed = timesOf(raws, choose)
  const { data_split } = strategy.training
  const { fold } = request
  const split = fold === undefined ? splitSamples(timed, data_split) : splitFold(timed, fold, data_split)
  const normalisers = fitOnTraining(recipe, raws, { timed, train: split.train, checkpoint: choose })
  const parts = raws.map((raw, i) => {
    const stop = look(2 * sorted.length + i, `normalising ${raw.symbol}`)
    const columns = raw.columns.map(column => normaliseColumn(column, normalisers, stop))
    const matrix = assembleFeatures({ columns, bars: raw.bars, from: raw.from, checkpoint: stop })
    return { symbol: raw.symbol, bars: raw.bars, features: matrix, labels: raw.labels }
  })
  const samples = joinSamples(parts, choose)
  const table = stackSymbols(parts.map(({ symbol, features }) => ({ symbol, matrix: features })))
  const fitted = Object.entries(normalisers).flatMap(([id, { warning }]) =>
    warning === undefined ? [] : [`${id}: ${warning}`],
  )
  const incomplete = parts.flatMap(({ symbol, features }) =>
    features.warnings.map(text => `${symbol}: ${text}`),
  )
  const symbols = raws.map(({ symbol, bars, from, report, withoutWindow }, i) => ({
    ...{ symbol, bars, from, labels: report, without_window: withoutWindow },
    dropped: parts[i]?.features.dropped ?? { pre_roll: 0, warm_up: 0, incomplete: 0 },
  }))
  const uncovered = findUncovered(recipe, samples, { train: split.train, checkpoint: choose })
  const warnings = [...fitted, ...uncovered, ...incomplete]
  return { samples, split, table, symbols, recipe, normalisers, warnings }
}

type Reading = {
  readonly recipe: FeatureRecipe
  readonly symbol: SymbolBars
  readonly look: (done: number, phase: string) => () => void
  readonly done: number
}

function readSymbol(
  { strategy, start, end }: TrainingSetRequest,
  { recipe, symbol, look, done }: Reading,
): Raw {
  const { symbol: name } = symbol
  const whole = symbol.bars[recipe.base]
  if (whole === undefined) throw new Problem('bars-missing', `no bars of ${name} ${recipe.base} were given`)
  const bars = keepSessions(sliceBars(whole, null, end), whole)
  const from = start === null ? 0 : firstBarAt(bars, start)
  const cut = { symbol: name, bars: { ...symbol.bars, [recipe.base]: bars } }
  const { columns } = joinFeatures(recipe, cut, look(done, `features of ${name}`))
  const checkpoint = look(done + 1, `labels of ${name}`)
  const made = makeLabels(strategy.training.labels, bars, checkpoint)
  const { model } = strategy
  const length = model.type === 'mlp' ? 1 : model.architecture.sequence_length
  const known = knownBars(columns, bars.length, checkpoint)
  const { labels, without: withoutWindow } = keepWindows(made, known, { from, length })
  const report = reportRange(made, from)
  return { symbol: name, bars, from, columns, known, labels, report, withoutWindow }
}

function reportRange(labels: Labels, from: number): LabelReport {
  const { value, t0, t1, ret } = labels
  const part = { value: value.subarray(from), t0: t0.subarray(from), t1: t1.subarray(from) }
  return reportLabels({ ...labels, ...part, ret: ret.subarray(from), weight: null })
}

/** The samples there will be, without their features. */
function timesOf(raws: readonly Raw[], checkpoint: () => void): Samples {
  const parts = raws.map(({ symbol, bars, from, known, labels }) => {
    const columns = [{ id: 'known', values: known, lookback: 0 }]
    return { symbol, bars, features: assembleFeatures({ columns, bars, from, checkpoint }), labels }
  })
  return joinSamples(parts, checkpoint)
}

/** @param train row numbers of `timed` */
function fitOnTraining(
  recipe: FeatureRecipe,
  raws: readonly Raw[],
  { timed, train, checkpoint }: { timed: Samples; train: Int32Array; checkpoint: () => void },
): TrainingSet['normalisers'] {
  const { symbol, bar } = timed
  const fitted: [string, FittedNormaliser][] = []
  const fitFeature = createFitter(recipe)
  recipe.features.forEach((feature, at) => {
    checkpoint()
    const found = fitFeature(feature, () =>
      Float64Array.from(
        train,
        row => raws[symbol[row] as number]?.columns[at]?.values[bar[row] as number] ?? Number.NaN,
      ),
    )
    if (found !== null) fitted.push([feature.id, found])
  })
  return Object.fromEntries(fitted)
}

function normaliseColumn(
  column: FeatureColumn,
  normalisers: TrainingSet['normalisers'],
  checkpoint: () => void,
): FeatureColumn {
  const normaliser = normalisers[column.id]
  if (normaliser === undefined) return column
  return { ...column, values: normaliseInChunks(column.values, normaliser, checkpoint) }
}
