import type { Feature } from '../features/feature-id.ts'
import { fitFeatures, joinFeatures, type SymbolBars } from '../features/pipeline.ts'
import { type Checkpoint, normaliseInChunks } from '../features/pipeline-columns.ts'
import { fittingOf, type TimeSpan } from '../features/pipeline-fit.ts'
import {
  type FeatureRecipe,
  referenceOf,
  resolveReference,
  timeframesOf,
} from '../features/pipeline-recipe.ts'
import { Problem } from '../problems.ts'
import { declaredHistory, indicatorColumnId, indicatorColumns } from './indicator-columns.ts'
import { columnId, type MarketView, type NamedColumn } from './named-column.ts'

/**
 * Indicators on the bars of every timeframe that features name, the features joined to the base bars, and, where they
 * are fitted, once more on the scale, or in the term, that `fit` gives. These are made from their range: views that end
 * before its end have no fitted columns, and without a range there are none.
 */
export function featureColumns(
  recipe: FeatureRecipe,
  view: MarketView,
  { fit, checkpoint }: { readonly fit: TimeSpan | null; readonly checkpoint: Checkpoint },
): readonly NamedColumn[] {
  const normalised =
    fit !== null && isFitKnown(recipe, view, fit) ? fitFeatures(recipe, view, fit, checkpoint) : {}
  return view.flatMap(symbol => {
    const native = timeframesOf(recipe).flatMap(timeframe => {
      const features = recipe.features.filter(feature => feature.timeframe === timeframe)
      const ids = features.map(feature => resolveReference(recipe, referenceOf(recipe, feature)).id)
      const place = { symbol: symbol.symbol, timeframe, bars: barsOf(symbol, timeframe), checkpoint }
      return indicatorColumns(recipe, ids, place)
    })
    const { base, columns } = joinFeatures(recipe, symbol, checkpoint)
    const joined = recipe.features.map(
      (feature, i): NamedColumn =>
        joinedColumn(recipe, feature, { symbol, base, values: columns[i]?.values ?? new Float64Array(0) }),
    )
    const scaled = joined.flatMap((column, i): NamedColumn[] => {
      const normaliser = normalised[recipe.features[i]?.id ?? '']
      if (normaliser === undefined || !(column.values instanceof Float64Array)) return []
      const values = normaliseInChunks(column.values, normaliser, checkpoint)
      const name = recipe.features[i]?.id ?? ''
      const kind = normaliser.normalization === 'quantile' ? 'membership' : column.kind
      return [{ ...column, name, kind, values, depends_on: [columnId(column)] }]
    })
    return [...native, ...joined, ...scaled]
  })
}

function joinedColumn(
  recipe: FeatureRecipe,
  feature: Feature,
  { symbol, base, values }: { symbol: SymbolBars; base: NamedColumn['bars']; values: Float64Array },
): NamedColumn {
  const reference = referenceOf(recipe, feature)
  const place = { symbol: symbol.symbol, timeframe: feature.timeframe }
  const fitting = fittingOf(recipe, feature)
  return {
    ...place,
    name: fitting === 'none' ? feature.id : `${feature.id} before ${fitting}`,
    kind: feature.source.kind === 'fuzzy' && fitting === 'none' ? 'membership' : 'feature',
    bars: base,
    values,
    depends_on: [indicatorColumnId(recipe, reference, place)],
    history: declaredHistory(recipe, reference),
  }
}

/** Whether every symbol's bars reach to the end of the fitted range. */
function isFitKnown({ base }: FeatureRecipe, view: MarketView, { end }: TimeSpan): boolean {
  return view.every(symbol => {
    const { close_time, length } = barsOf(symbol, base)
    return length > 0 && (close_time[length - 1] as number) >= end
  })
}

function barsOf({ symbol, bars }: SymbolBars, timeframe: NamedColumn['timeframe']) {
  const found = bars[timeframe]
  if (found !== undefined) return found
  throw new Problem('bars-missing', `no bars of ${symbol} ${timeframe} were given`)
}
