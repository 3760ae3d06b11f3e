import type { SetDefinition } from '../fuzzy/quantile-set.ts'
import type { IndicatorSpec, OutputSpec } from '../indicators/indicator.ts'
import type { IndicatorParams } from '../indicators/params.ts'
import { findIndicator } from '../indicators/registry.ts'
import { sourceNames } from '../indicators/source.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { Feature } from './feature-id.ts'

/** An indicator as it runs: its type and every parameter, defaults filled in. */
export type RecipeIndicator = IndicatorParams & { readonly type: string }

/** What the pipeline needs to know of a strategy, checked: every reference in it exists, none leads to itself. */
export type FeatureRecipe = {
  /** The timeframe whose bars become rows. */
  readonly base: Timeframe
  /** By id. */
  readonly indicators: Readonly<Record<string, RecipeIndicator>>
  /** By name: what a set reads, an indicator's id or `id.output`, and its terms. */
  readonly fuzzySets: Readonly<Record<string, SetDefinition>>
  /** In canonical order. */
  readonly features: readonly Feature[]
}

/** What is known of a feature without any bars. */
export type FeatureHistory = {
  /** Bars of its own timeframe before its first value; of `first_session` indicators the least number. */
  readonly lookback: number
  /** Bars of its own timeframe after which more history changes nothing that matters; null: no bound. */
  readonly stableAfter: number | null
}

/** An output of an indicator of a recipe. */
export type ReferredOutput = {
  readonly id: string
  readonly indicator: RecipeIndicator
  readonly spec: IndicatorSpec
  readonly output: OutputSpec
}

/** Timeframes a recipe reads: the base first, then those of its features in their order. */
export function timeframesOf({ base, features }: FeatureRecipe): readonly Timeframe[] {
  return [...new Set([base, ...features.map(({ timeframe }) => timeframe)])]
}

/** What a feature looks at: an indicator's id, or `id.output`. */
export function referenceOf(recipe: Pick<FeatureRecipe, 'fuzzySets'>, { source }: Feature): string {
  return source.kind === 'raw' ? source.indicator : setOf(recipe, source.fuzzy_set).indicator
}

/** The fuzzy set of that name. @throws {TypeError} when there is none: the recipe has not been checked */
export function setOf({ fuzzySets }: Pick<FeatureRecipe, 'fuzzySets'>, name: string): SetDefinition {
  const set = Object.hasOwn(fuzzySets, name) ? fuzzySets[name] : undefined
  if (set === undefined) throw new TypeError(`the recipe has not been checked: no set ${name}`)
  return set
}

/** The output a reference stands for. @throws {TypeError} when there is none: the recipe has not been checked */
export function resolveReference(
  recipe: Pick<FeatureRecipe, 'indicators'>,
  reference: string,
): ReferredOutput {
  const [id = '', name] = reference.split('.')
  const indicator = Object.hasOwn(recipe.indicators, id) ? recipe.indicators[id] : undefined
  const spec = indicator === undefined ? undefined : findIndicator(indicator.type)
  const output = name === undefined ? spec?.outputs[0] : spec?.outputs.find(known => known.name === name)
  if (indicator === undefined || spec === undefined || output === undefined)
    throw new TypeError(`the recipe has not been checked: there is no ${reference}`)
  return { id, indicator, spec, output }
}

/** The output of another indicator that this one reads instead of prices, or null. */
export function sourceReference({
  indicator,
  spec,
}: Pick<ReferredOutput, 'indicator' | 'spec'>): string | null {
  const { source } = indicator
  if (spec.params.source?.type !== 'source' || typeof source !== 'string') return null
  return sourceNames.some(name => name === source) ? null : source
}

/** Look-back and settling of a feature, those of the indicators it reads through added up. */
export function historyOf(recipe: FeatureRecipe, feature: Feature): FeatureHistory {
  return historyOfReference(recipe, referenceOf(recipe, feature))
}

/** As `historyOf`, of an indicator's id or `id.output`. */
export function historyOfReference(
  recipe: Pick<FeatureRecipe, 'indicators'>,
  reference: string,
): FeatureHistory {
  const referred = resolveReference(recipe, reference)
  const { indicator, spec, output } = referred
  const lookback = spec.lookback(indicator, output.name)
  const stableAfter = spec.stableAfter(indicator)
  const source = sourceReference(referred)
  if (source === null) return { lookback, stableAfter }
  const before = historyOfReference(recipe, source)
  return {
    lookback: lookback + before.lookback,
    stableAfter:
      stableAfter === null || before.stableAfter === null ? null : stableAfter + before.stableAfter,
  }
}
