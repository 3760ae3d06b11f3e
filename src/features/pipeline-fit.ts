import { formatTime } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import type { Feature } from './feature-id.ts'
import { type FittedNormaliser, fitNormaliser, type Normalization } from './normaliser.ts'
import type { FeatureRecipe } from './pipeline-recipe.ts'

/** Open times from `start` to before `end`, epoch ms. */
export type TimeSpan = { readonly start: number; readonly end: number }

/** How a feature is normalised; `none` for memberships. */
export function normalizationOf({ source }: Feature): Normalization {
  return source.kind === 'raw' ? source.normalization : 'none'
}

/**
 * A range is never guessed: fitted on all bars, a normaliser would tell every row about the future.
 * @throws {Problem} 'params-invalid' when a feature is normalised and there is no range, or an empty one
 */
export function checkFit({ features }: FeatureRecipe, fit: TimeSpan | null): void {
  const normalised = features.filter(feature => normalizationOf(feature) !== 'none')
  const [first] = normalised
  if (fit !== null && !(fit.start < fit.end)) {
    const message = `the fitted range is empty: ${formatTime(fit.start)} is not before ${formatTime(fit.end)}`
    throw new Problem('params-invalid', message)
  }
  if (fit !== null || first === undefined) return
  const message = `${first.id} is normalised (${normalizationOf(first)}) and needs a range to fit on`
  throw new Problem('params-invalid', message, {
    hint: 'Give fit: { start, end }, the part of the bars a model is trained on.',
    errors: [{ pointer: '/body/params/fit', code: 'required', message }],
  })
}

/**
 * One normaliser per normalised feature, fitted on the values of all symbols together: a model knows one scale, and
 * takes it to symbols it has not seen.
 * @param valuesIn the values of a feature in the range, a column per symbol
 * @throws {Problem} 'params-invalid' when a feature has no value in the range
 */
export function fitNormalisers(
  { features }: FeatureRecipe,
  fit: TimeSpan | null,
  valuesIn: (feature: Feature, span: TimeSpan) => readonly Float64Array[],
): Readonly<Record<string, FittedNormaliser>> {
  const fitted: [string, FittedNormaliser][] = []
  for (const feature of features) {
    const normalization = normalizationOf(feature)
    if (normalization === 'none' || fit === null) continue
    const values = joinColumns(valuesIn(feature, fit))
    if (!values.some(Number.isFinite)) {
      const message = `${feature.id} has no value from ${formatTime(fit.start)} to ${formatTime(fit.end)} to fit on`
      throw new Problem('params-invalid', message, {
        hint: 'Fit on a range that the bars cover and that begins after the warm-up of the indicator.',
        errors: [{ pointer: '/body/params/fit', code: 'range', message }],
      })
    }
    fitted.push([feature.id, fitNormaliser(values, normalization, { from: 0, to: values.length })])
  }
  return Object.fromEntries(fitted)
}

function joinColumns(columns: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(columns.reduce((sum, column) => sum + column.length, 0))
  let at = 0
  for (const column of columns) {
    joined.set(column, at)
    at += column.length
  }
  return joined
}
