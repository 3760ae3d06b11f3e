import type { FieldError } from '../problems.ts'
import { nearest, suggest } from '../strategy/nearest.ts'
import {
  escapeKey,
  type FuzzySetDefinition,
  findIndicatorFaults,
  findNameFaults,
  isMap,
  type Parsed,
  parseFuzzySet,
  show,
} from './parse.ts'
import { type QuantileShape, quantileShapes } from './quantile-terms.ts'

/** A fuzzy set that is fitted: its names are written, its numbers are quantiles of the values it is fitted on. */
export type QuantileSetDefinition = {
  /** Indicator id, or `id.output`. */
  readonly indicator: string
  readonly type: 'quantile'
  readonly shape: QuantileShape
  /** Lowest first. */
  readonly terms: readonly string[]
}

/** A fuzzy set as a strategy states it: with its numbers, or to be fitted. */
export type SetDefinition = FuzzySetDefinition | QuantileSetDefinition

const keys = ['indicator', 'type', 'terms', 'shape']

/** Whether the numbers of a set are fitted. */
export function isQuantileSet(
  set: Pick<FuzzySetDefinition, 'terms'> | Pick<QuantileSetDefinition, 'type' | 'terms'>,
): set is QuantileSetDefinition {
  return 'type' in set
}

/** Names of the terms, in the order of the features. */
export function termNamesOf(set: SetDefinition): readonly string[] {
  return isQuantileSet(set) ? set.terms : set.terms.map(({ name }) => name)
}

/**
 * Whether a definition, right or wrong, means a fitted set: it has the type, or nearly, or it lists names where a term
 * would have numbers.
 */
export function meansQuantiles(definition: unknown): definition is Readonly<Record<string, unknown>> {
  if (!isMap(definition)) return false
  const { type, terms } = definition
  if (typeof type === 'string') return nearest(type, ['quantile']) !== null
  return Array.isArray(terms) && terms.length > 0 && terms.every(term => typeof term === 'string')
}

/** Reads a set of either kind. @param pointer as `parseFuzzySet`'s */
export function parseSet(definition: unknown, pointer: string): Parsed<SetDefinition> {
  return meansQuantiles(definition)
    ? parseQuantileSet(definition, pointer)
    : parseFuzzySet(definition, pointer)
}

/** Reads `{ indicator, type: quantile, terms: [<name>, …], shape }`, all faults at once. */
function parseQuantileSet(
  definition: Readonly<Record<string, unknown>>,
  pointer: string,
): Parsed<QuantileSetDefinition> {
  const { indicator, type, terms, shape = quantileShapes[0] } = definition
  const faults = [
    ...findIndicatorFaults(definition, pointer),
    ...findTypeFaults(type, `${pointer}/type`),
    ...findTermsFaults(terms, `${pointer}/terms`),
    ...findShapeFaults(shape, `${pointer}/shape`),
    ...findUnknownKeys(definition, pointer),
  ]
  const known = quantileShapes.find(name => name === shape)
  if (faults.length > 0 || typeof indicator !== 'string' || !Array.isArray(terms) || known === undefined)
    return { kind: 'invalid', faults }
  return { kind: 'valid', value: { indicator, type: 'quantile', shape: known, terms: terms.map(String) } }
}

function findTypeFaults(type: unknown, pointer: string): FieldError[] {
  if (type === 'quantile') return []
  if (type !== undefined)
    return [{ pointer, code: 'enum', message: `${show(type)} is not known: did you mean 'quantile'?` }]
  const message = "'type' is missing: a list of names is fitted with type: quantile"
  return [{ pointer, code: 'required', message }]
}

function findTermsFaults(terms: unknown, pointer: string): FieldError[] {
  if (terms === undefined) {
    const message = "'terms' is missing: the names of the terms, lowest first"
    return [{ pointer, code: 'required', message }]
  }
  if (!Array.isArray(terms)) {
    const message = `${show(terms)} should be a list of names, lowest first: their numbers are fitted`
    return [{ pointer, code: 'type', message }]
  }
  if (terms.length < 2) {
    const message = 'at least two terms are needed to share out values'
    return [{ pointer, code: 'count', message }]
  }
  return terms.flatMap((name: unknown, i): readonly FieldError[] => {
    const at = `${pointer}/${i}`
    if (typeof name !== 'string')
      return [{ pointer: at, code: 'type', message: `${show(name)} should be the name of a term` }]
    if (terms.indexOf(name) === i) return findNameFaults(name, at)
    return [{ pointer: at, code: 'duplicate', message: `the term ${show(name)} occurs twice` }]
  })
}

function findShapeFaults(shape: unknown, pointer: string): FieldError[] {
  if (quantileShapes.some(name => name === shape)) return []
  if (typeof shape !== 'string')
    return [
      { pointer, code: 'type', message: `${show(shape)} should be one of ${quantileShapes.join(', ')}` },
    ]
  const message = `there is no shape ${show(shape)}: ${suggest(shape, quantileShapes)}`
  return [{ pointer, code: 'enum', message }]
}

function findUnknownKeys(definition: Readonly<Record<string, unknown>>, pointer: string): FieldError[] {
  return Object.entries(definition)
    .filter(([key]) => !keys.includes(key))
    .map(([key, value]) => {
      const isTerm = Array.isArray(value) || isMap(value)
      const hint = isTerm ? "terms are named in 'terms', and their numbers are fitted" : suggest(key, keys)
      return {
        pointer: `${pointer}/${escapeKey(key)}`,
        code: 'unknown_key',
        message: `a fitted set has no key ${show(key)}: ${hint}`,
      }
    })
}
