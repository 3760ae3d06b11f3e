import type { Timeframe } from '../market/timeframe.ts'
import type { FieldError } from '../problems.ts'
import { suggest } from '../strategy/nearest.ts'
import type { Normalization } from './normaliser.ts'

/** Where a feature comes from: one term of a fuzzy set, or the indicator itself. */
export type FeatureSource =
  | { readonly kind: 'fuzzy'; readonly fuzzy_set: string; readonly term: string }
  | { readonly kind: 'raw'; readonly indicator: string; readonly normalization: Normalization }

/** One column of the feature matrix. */
export type Feature = {
  readonly id: string
  readonly timeframe: Timeframe
  readonly source: FeatureSource
}

/** One entry of a strategy's `nn_inputs`. `all` stands for the timeframes of `training_data`, in their order. */
export type FeatureInput = { readonly timeframes: 'all' | readonly Timeframe[] } & (
  | { readonly fuzzy_set: string }
  | {
      /** Indicator id, or `id.output`. */
      readonly raw_indicator: string
      /** `none` when left out. */
      readonly normalization?: Normalization
    }
)

/** What inputs refer to. */
export type FeatureContext = {
  /** Timeframes of `training_data`, in their order. */
  readonly timeframes: readonly Timeframe[]
  /** Names of the terms of every fuzzy set, in their order. */
  readonly terms: Readonly<Record<string, readonly string[]>>
}

/**
 * `1h_rsi_zone_low` for a membership, `1h_adx_14.adx_raw` for an indicator as it is. Two sources can have one id
 * (`rsi` + `fast_low`, `rsi_fast` + `low`): `listFeatures` refuses such a list.
 */
export function featureId(timeframe: Timeframe, source: FeatureSource): string {
  return source.kind === 'fuzzy'
    ? `${timeframe}_${source.fuzzy_set}_${source.term}`
    : `${timeframe}_${source.indicator}_raw`
}

/**
 * All features in their canonical order: for each input, for each of its timeframes, for each term. This is the order
 * of the columns of a matrix and of the inputs of a model. With faults the list is not to be used.
 * @param pointer JSON pointer of the inputs, in front of the pointers of the faults (`/nn_inputs`)
 */
export function listFeatures(
  inputs: readonly FeatureInput[],
  context: FeatureContext,
  pointer: string,
): { readonly features: readonly Feature[]; readonly faults: readonly FieldError[] } {
  const features: Feature[] = []
  const faults: FieldError[] = []
  const places = new Map<string, string>()
  inputs.forEach((input, i) => {
    const at = `${pointer}/${i}`
    faults.push(...findInputFaults(input, context, at))
    for (const timeframe of input.timeframes === 'all' ? context.timeframes : input.timeframes) {
      for (const source of sourcesOf(input, context)) {
        const id = featureId(timeframe, source)
        const place = `${describe(source)} of ${at}`
        const first = places.get(id)
        if (first === undefined) places.set(id, place)
        else faults.push(collision(at, id, [first, place]))
        features.push({ id, timeframe, source })
      }
    }
  })
  if (features.length === 0 && faults.length === 0)
    faults.push({ pointer, code: 'empty', message: 'the inputs give no feature: at least one is needed' })
  return { features, faults }
}

function sourcesOf(input: FeatureInput, { terms }: FeatureContext): FeatureSource[] {
  if ('fuzzy_set' in input) {
    const { fuzzy_set } = input
    const names = Object.hasOwn(terms, fuzzy_set) ? (terms[fuzzy_set] ?? []) : []
    return names.map(term => ({ kind: 'fuzzy', fuzzy_set, term }))
  }
  return [{ kind: 'raw', indicator: input.raw_indicator, normalization: input.normalization ?? 'none' }]
}

function findInputFaults(input: FeatureInput, context: FeatureContext, at: string): FieldError[] {
  const faults: FieldError[] = []
  if ('fuzzy_set' in input && !Object.hasOwn(context.terms, input.fuzzy_set)) {
    const hint = suggest(input.fuzzy_set, Object.keys(context.terms))
    const message = `there is no fuzzy set '${input.fuzzy_set}': ${hint}`
    faults.push({ pointer: `${at}/fuzzy_set`, code: 'unknown_reference', message })
  }
  if (input.timeframes === 'all') return faults
  input.timeframes.forEach((timeframe, i) => {
    if (context.timeframes.includes(timeframe)) return
    const message = `${timeframe} is not a timeframe of training_data: ${suggest(timeframe, context.timeframes)}`
    faults.push({ pointer: `${at}/timeframes/${i}`, code: 'unknown_reference', message })
  })
  return faults
}

function collision(pointer: string, id: string, [first, second]: readonly [string, string]): FieldError {
  const message =
    first === second
      ? `the feature ${id} occurs twice: ${first}`
      : `the feature ${id} has two sources, ${first} and ${second}: drop one, or rename a fuzzy set or a term`
  return { pointer, code: 'duplicate_feature', message }
}

function describe(source: FeatureSource): string {
  return source.kind === 'fuzzy'
    ? `term '${source.term}' of '${source.fuzzy_set}'`
    : `'${source.indicator}' as it is`
}
