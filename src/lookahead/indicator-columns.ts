import type { ColumnCache } from '../features/column-cache.ts'
import { type Checkpoint, IndicatorColumns, type SessionBars } from '../features/pipeline-columns.ts'
import {
  type FeatureRecipe,
  historyOfReference,
  resolveReference,
  sourceReference,
} from '../features/pipeline-recipe.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { columnId, type DeclaredHistory, type NamedColumn } from './named-column.ts'

type Indicators = Pick<FeatureRecipe, 'indicators'>

/** Where columns are calculated. */
export type Place = { readonly symbol: string; readonly timeframe: Timeframe }

type Calculation = Place & {
  readonly bars: SessionBars
  readonly checkpoint: Checkpoint
  readonly cache?: ColumnCache
}

/** Every output of the indicators named, and of those they read, on the bars of one timeframe. */
export function indicatorColumns(
  recipe: Indicators,
  ids: readonly string[],
  { bars, symbol, timeframe, checkpoint, cache }: Calculation,
): readonly NamedColumn[] {
  const place = { symbol, timeframe }
  const columns = new IndicatorColumns(recipe, bars, checkpoint, cache ?? null)
  return withSources(recipe, ids).flatMap(id => {
    const referred = resolveReference(recipe, id)
    const source = sourceReference(referred)
    return referred.spec.outputs.map(({ name }): NamedColumn => {
      const reference = `${id}.${name}`
      return {
        ...place,
        name: outputName(recipe, reference),
        kind: 'indicator',
        bars,
        values: columns.read(reference),
        depends_on: source === null ? [] : [indicatorColumnId(recipe, source, place)],
        history: declaredHistory(recipe, reference),
      }
    })
  })
}

/** The id of the column that a reference (`id` or `id.output`) stands for. */
export function indicatorColumnId(recipe: Indicators, reference: string, place: Place): string {
  return columnId({ ...place, kind: 'indicator', name: outputName(recipe, reference) })
}

/** What is declared of a reference, those it reads through added up. */
export function declaredHistory(recipe: Indicators, reference: string): DeclaredHistory {
  const { lookback, stableAfter } = historyOfReference(recipe, reference)
  return { lookback, stableAfter, isLeast: endsWithSession(recipe, reference) }
}

/** `id` where the indicator has one output, else `id.output`. */
function outputName(recipe: Indicators, reference: string): string {
  const { id, spec, output } = resolveReference(recipe, reference)
  return spec.outputs.length === 1 ? id : `${id}.${output.name}`
}

function endsWithSession(recipe: Indicators, reference: string): boolean {
  const referred = resolveReference(recipe, reference)
  const source = sourceReference(referred)
  return referred.spec.warmUp === 'first_session' || (source !== null && endsWithSession(recipe, source))
}

/** Indicator ids, each after those it reads through. */
function withSources(recipe: Indicators, ids: readonly string[]): readonly string[] {
  const ordered = new Set<string>()
  const place = (reference: string) => {
    const referred = resolveReference(recipe, reference)
    const source = sourceReference(referred)
    if (source !== null) place(source)
    ordered.add(referred.id)
  }
  for (const id of ids) place(id)
  return [...ordered]
}
