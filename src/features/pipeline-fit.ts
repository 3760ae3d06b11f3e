import { isQuantileSet } from '../fuzzy/quantile-set.ts'
import { type QuantileTerms, quantileTerms } from '../fuzzy/quantile-terms.ts'
import { formatTime } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import type { Feature } from './feature-id.ts'
import { type FittedNormaliser, fitNormaliser, type Normalization } from './normaliser.ts'
import { type FeatureRecipe, setOf } from './pipeline-recipe.ts'

/** Open times from `start` to before `end`, epoch ms. */
export type TimeSpan = { readonly start: number; readonly end: number }

/** What of a feature is fitted: a scale, the numbers of its term, or `none`. */
export type Fitting = Normalization | 'quantile'

/** What of a feature is fitted; `none` for raw values as they are and memberships whose numbers are written. */
export function fittingOf(recipe: Pick<FeatureRecipe, 'fuzzySets'>, { source }: Feature): Fitting {
  if (source.kind === 'raw') return source.normalization
  return isQuantileSet(setOf(recipe, source.fuzzy_set)) ? 'quantile' : 'none'
}

/**
 * A range is never guessed: fitted on all bars, a feature would tell every row about the future.
 * @throws {Problem} 'params-invalid' when a feature is fitted and there is no range, or an empty one
 */
export function checkFit(recipe: FeatureRecipe, fit: TimeSpan | null): void {
  const first = recipe.features.find(feature => fittingOf(recipe, feature) !== 'none')
  if (fit !== null && !(fit.start < fit.end)) {
    const message = `the fitted range is empty: ${formatTime(fit.start)} is not before ${formatTime(fit.end)}`
    throw new Problem('params-invalid', message)
  }
  if (fit !== null || first === undefined) return
  const fitting = fittingOf(recipe, first)
  const what = fitting === 'quantile' ? 'is a term of a quantile set' : `is normalised (${fitting})`
  const message = `${first.id} ${what} and needs a range to fit on`
  throw new Problem('params-invalid', message, {
    hint: 'Give fit: { start, end }, the part of the bars a model is trained on.',
    errors: [{ pointer: '/body/params/fit', code: 'required', message }],
  })
}

/** Fits one feature. @param valuesIn gives the values to fit on; not called where nothing is fitted, or is already */
export type Fitter = (feature: Feature, valuesIn: () => Float64Array) => FittedNormaliser | null

/**
 * Fits the features of a recipe one by one, null for those of which nothing is fitted. The terms of a quantile set on
 * one timeframe read the same values and are fitted together: the first of them brings the values for all.
 * @throws {Problem} 'params-invalid' when the values do not allow it
 */
export function createFitter(recipe: Pick<FeatureRecipe, 'fuzzySets'>): Fitter {
  const sets = new Map<string, QuantileTerms>()
  return (feature, valuesIn) => {
    const { source, timeframe } = feature
    const fitting = fittingOf(recipe, feature)
    if (fitting === 'none') return null
    if (source.kind === 'raw') {
      const values = valuesIn()
      return fitNormaliser(values, source.normalization, { from: 0, to: values.length })
    }
    const place = `${timeframe} ${source.fuzzy_set}`
    const known = sets.get(place) ?? fitTerms(recipe, feature, valuesIn())
    sets.set(place, known)
    const term = known.terms.find(({ name }) => name === source.term)
    if (term === undefined) throw new TypeError(`the recipe has not been checked: no term ${source.term}`)
    const { type, parameters } = term
    return { normalization: 'quantile', type, parameters, fitted_on: known.fitted_on }
  }
}

function fitTerms(
  recipe: Pick<FeatureRecipe, 'fuzzySets'>,
  { source, timeframe }: Feature,
  values: Float64Array,
): QuantileTerms {
  const set = source.kind === 'fuzzy' ? setOf(recipe, source.fuzzy_set) : null
  if (source.kind === 'raw' || set === null || !isQuantileSet(set))
    throw new TypeError('only quantile sets have terms to fit')
  const of = `'${set.indicator}' on ${timeframe}, which the quantile set '${source.fuzzy_set}' is fitted on,`
  return quantileTerms(values, { terms: set.terms, shape: set.shape, from: 0, to: values.length, of })
}

/**
 * What is fitted of every feature, on the values of all symbols together: a model knows one scale, and takes it to
 * symbols it has not seen.
 * @param valuesIn the values of a feature in the range, a column per symbol
 * @throws {Problem} 'params-invalid' when a feature has no value in the range, or too few different ones
 */
export function fitNormalisers(
  recipe: FeatureRecipe,
  fit: TimeSpan | null,
  valuesIn: (feature: Feature, span: TimeSpan) => readonly Float64Array[],
): Readonly<Record<string, FittedNormaliser>> {
  if (fit === null) return {}
  const fitFeature = createFitter(recipe)
  const fitted: [string, FittedNormaliser][] = []
  for (const feature of recipe.features) {
    const found = fitFeature(feature, () => requireValues(feature, fit, joinColumns(valuesIn(feature, fit))))
    if (found !== null) fitted.push([feature.id, found])
  }
  return Object.fromEntries(fitted)
}

function requireValues({ id }: Feature, fit: TimeSpan, values: Float64Array): Float64Array {
  if (values.some(Number.isFinite)) return values
  const message = `${id} has no value from ${formatTime(fit.start)} to ${formatTime(fit.end)} to fit on`
  throw new Problem('params-invalid', message, {
    hint: 'Fit on a range that the bars cover and that begins after the warm-up of the indicator.',
    errors: [{ pointer: '/body/params/fit', code: 'range', message }],
  })
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
