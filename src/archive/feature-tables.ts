import { createHash } from 'node:crypto'
import { toRfc3339, toRfc3339OrNull } from '../clock.ts'
import type { FeatureTable } from '../features/feature-table.ts'
import { matrixBytes } from '../features/matrix-bytes.ts'
import type { FittedNormaliser } from '../features/normaliser.ts'
import type { FeatureBuild } from '../features/pipeline.ts'
import type { TimeSpan } from '../features/pipeline-fit.ts'
import { type FeatureRecipe, historyOf, referenceOf } from '../features/pipeline-recipe.ts'
import type { Column, Table } from './tables.ts'

/** Bytes hashed between two looks at the checkpoint, about 5 ms. */
const chunkBytes = 4 * 1024 * 1024

/** The artifact `features`: one row per row of the matrix, its values as they are, widened to float64. */
export function featuresTable(
  { rows, ids, values, time, close_time, symbols }: FeatureTable,
  checkpoint: () => void = () => {},
): Table {
  const symbol: string[] = []
  for (const span of symbols) for (let row = span.from; row < span.to; row++) symbol.push(span.symbol)
  const columns = ids.map((name, at): Column => {
    checkpoint()
    const column = new Float64Array(rows)
    for (let row = 0, cell = at; row < rows; row++, cell += ids.length) column[row] = values[cell] as number
    return { name, kind: 'number', values: column }
  })
  return {
    rows,
    columns: [
      { name: 'time', kind: 'time', values: time },
      { name: 'close_time', kind: 'time', values: close_time },
      { name: 'symbol', kind: 'text', values: symbol },
      ...columns,
    ],
  }
}

/** SHA-256 of the canonical bytes. */
export function canonicalSha256(table: FeatureTable, checkpoint: () => void = () => {}): string {
  const bytes = matrixBytes(table, checkpoint)
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    checkpoint()
    hash.update(bytes.subarray(at, at + chunkBytes))
  }
  return hash.digest('hex')
}

/** The artifact `feature_info.json`: what each column is, how it was normalised, and what became of the bars. */
export function describeFeatures(
  { table, symbols, normalisers, warnings }: FeatureBuild,
  { recipe, fit }: { readonly recipe: FeatureRecipe; readonly fit: TimeSpan | null },
): Readonly<Record<string, unknown>> {
  return {
    base_timeframe: recipe.base,
    rows: table.rows,
    fit: fit === null ? null : { start: toRfc3339(fit.start), end: toRfc3339(fit.end) },
    features: recipe.features.map(feature => {
      const { lookback, stableAfter } = historyOf(recipe, feature)
      return {
        ...feature,
        indicator: referenceOf(recipe, feature),
        lookback,
        stable_after: stableAfter,
        normaliser: describeNormaliser(normalisers[feature.id], fit),
      }
    }),
    symbols: table.symbols.map(({ symbol, from, to }, index) => ({
      symbol,
      rows: to - from,
      first_time: to > from ? toRfc3339OrNull(table.time[from] ?? null) : null,
      last_time: to > from ? toRfc3339OrNull(table.time[to - 1] ?? null) : null,
      dropped: symbols[index]?.dropped,
      features: symbols[index]?.features,
    })),
    warnings,
  }
}

/**
 * Fitted on the values of all symbols one after the other, so indices would say nothing: the range of open times does,
 * with the number of values found in it.
 */
function describeNormaliser(
  normaliser: FittedNormaliser | undefined,
  fit: TimeSpan | null,
): Readonly<Record<string, unknown>> | null {
  if (normaliser === undefined) return null
  const { fitted_on, ...rest } = normaliser
  if (fitted_on === null || fit === null) return { ...rest, fitted_on: null }
  const { values } = fitted_on
  return { ...rest, fitted_on: { start: toRfc3339(fit.start), end: toRfc3339(fit.end), values } }
}
