import { type Feature, type FeatureInput, listFeatures } from '../features/feature-id.ts'
import { isNormalization } from '../features/normaliser.ts'
import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { findReferenceFault } from './indicator-names.ts'
import { strategySchema } from './schema.gen.ts'
import { type Fault, pathOf } from './schema-errors.ts'
import { isRecord } from './written.ts'

const maxInputs = strategySchema.properties.nn_inputs.maxItems

/** Inputs of a model. */
export const maxFeatures = 4096

type Context = {
  readonly timeframes: readonly Timeframe[]
  /** By fuzzy set. */
  readonly terms: Readonly<Record<string, readonly string[]>>
  /** Of indicators and their outputs. */
  readonly names: readonly string[]
}

/** Resolves the inputs to features in the canonical order; with faults neither result is to be used. */
export function resolveInputs(
  written: unknown,
  { timeframes, terms, names }: Context,
): {
  readonly inputs: readonly FeatureInput[]
  readonly features: readonly Feature[]
  readonly faults: readonly Fault[]
} {
  if (!Array.isArray(written)) return { inputs: [], features: [], faults: [] }
  const faults: Fault[] = []
  const places: number[] = []
  const inputs: FeatureInput[] = []
  written.slice(0, maxInputs).forEach((input: unknown, i) => {
    if (!isRecord(input)) return
    faults.push(...findSourceFaults(input, i, names))
    const read = readInput(input)
    if (read === null) return
    inputs.push(read)
    places.push(i)
  })
  const listed = listFeatures(inputs, { timeframes, terms }, '/nn_inputs')
  for (const { pointer, code, message } of listed.faults) {
    const [, index, ...rest] = pathOf(pointer)
    // No feature at all: what leaves the list empty has been reported where it stands.
    if (index === undefined) continue
    const at = places[Number(index)] ?? 0
    faults.push({ path: ['nn_inputs', at, ...rest], part: 'value', code, message: renumber(message, places) })
  }
  if (listed.features.length > maxFeatures) {
    const message = `the inputs give ${listed.features.length} features, but a model takes at most ${maxFeatures}`
    faults.push({ path: ['nn_inputs'], part: 'key', code: 'count', message })
  }
  return { inputs, features: listed.features, faults }
}

/** Messages name inputs by their pointer in the list that was read; faulty ones are not in it. */
function renumber(message: string, places: readonly number[]): string {
  return message.replaceAll(/\/nn_inputs\/(\d+)/g, (_, i) => `/nn_inputs/${places[Number(i)] ?? i}`)
}

function findSourceFaults(
  input: Readonly<Record<string, unknown>>,
  i: number,
  names: readonly string[],
): Fault[] {
  const { fuzzy_set, raw_indicator, normalization } = input
  const path = ['nn_inputs', i]
  const faults: Fault[] = []
  if (fuzzy_set === undefined && raw_indicator === undefined) {
    const message = "an input needs 'fuzzy_set' or 'raw_indicator'"
    faults.push({ path, part: 'value', code: 'required', message })
  }
  if (fuzzy_set !== undefined && raw_indicator !== undefined) {
    const message = "an input has either 'fuzzy_set' or 'raw_indicator': write two inputs"
    faults.push({ path: [...path, 'raw_indicator'], part: 'key', code: 'conflict', message })
  }
  if (fuzzy_set !== undefined && raw_indicator === undefined && normalization !== undefined) {
    const message = "'normalization' goes with raw_indicator: memberships are 0 to 1 already"
    faults.push({ path: [...path, 'normalization'], part: 'key', code: 'conflict', message })
  }
  const fault = findReferenceFault([...path, 'raw_indicator'], raw_indicator, names)
  return fault === null ? faults : [...faults, fault]
}

/** An input as features are listed from it, or null where that makes no sense. */
function readInput(input: Readonly<Record<string, unknown>>): FeatureInput | null {
  const { fuzzy_set, raw_indicator, normalization = 'none', timeframes: written } = input
  const timeframes = written === 'all' ? written : readTimeframes(written)
  if ((fuzzy_set === undefined) === (raw_indicator === undefined) || timeframes === null) return null
  if (typeof fuzzy_set === 'string') return { fuzzy_set, timeframes }
  if (typeof raw_indicator !== 'string' || typeof normalization !== 'string') return null
  return isNormalization(normalization) ? { raw_indicator, normalization, timeframes } : null
}

/** Null where one is none at all: the schema has reported it. */
function readTimeframes(written: unknown): readonly Timeframe[] | null {
  if (!Array.isArray(written)) return null
  const names = written.filter(name => typeof name === 'string' && isTimeframe(name))
  return names.length === written.length ? names.slice(0, 13) : null
}
