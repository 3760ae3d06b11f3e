import type { FieldError } from '../problems.ts'
import { nearest, suggest } from '../strategy/nearest.ts'
import type { TermDefinition } from './fuzzy-set.ts'
import type { MembershipSpec } from './membership.ts'
import { triangular } from './piecewise.ts'
import { findMembership, findParameterFaults, memberships, membershipTypes, signatureOf } from './registry.ts'

/** A fuzzy set as a strategy states it, its shorthands written out. */
export type FuzzySetDefinition = {
  /** Indicator id, or `id.output`. Whether it exists is the strategy's to check. */
  readonly indicator: string
  /** In the order they were written. */
  readonly terms: readonly TermDefinition[]
}

/** What a definition means, or everything that is wrong with it. */
export type Parsed<T> =
  | { readonly kind: 'valid'; readonly value: T }
  | { readonly kind: 'invalid'; readonly faults: readonly FieldError[] }

/** Names a term cannot have: the set's own key, and the keys of a membership written one level too high. */
const reservedNames = ['indicator', 'type', 'parameters']

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/** More unknown keys of one membership are one mistake, not as many. */
const maxUnknownKeys = 14

/** Longest text quoted in a message. */
const maxQuoted = 60

/**
 * Reads `{ indicator, <term>: <membership>, … }`. A membership is `[a, b, c]`, a triangle, or
 * `{ type, parameters: […] }`. All faults are reported at once; the codes `name`, `reserved` and `unknown_key` are
 * about the key a pointer ends in, the others about its value.
 * @param pointer JSON pointer of the definition, put in front of the pointers of the faults
 */
export function parseFuzzySet(definition: unknown, pointer: string): Parsed<FuzzySetDefinition> {
  if (!isMap(definition)) {
    const message = `${show(definition)} should be a map of an indicator and its terms`
    return { kind: 'invalid', faults: [{ pointer, code: 'type', message }] }
  }
  const { indicator, ...written } = definition
  const faults = findIndicatorFaults(definition, pointer)
  if (Object.keys(written).length === 0)
    faults.push({ pointer, code: 'empty', message: 'a fuzzy set needs at least one term' })
  const terms: TermDefinition[] = []
  for (const [name, membership] of Object.entries(written)) {
    const at = `${pointer}/${escapeKey(name)}`
    const nameFaults = findNameFaults(name, at)
    faults.push(...nameFaults)
    // What stands under a reserved key was never meant to be a membership.
    if (nameFaults.some(fault => fault.code === 'reserved')) continue
    const parsed = parseTerm(name, membership, at)
    if (parsed.kind === 'valid') terms.push(parsed.value)
    else faults.push(...parsed.faults)
  }
  if (faults.length > 0 || typeof indicator !== 'string') return { kind: 'invalid', faults }
  return { kind: 'valid', value: { indicator, terms } }
}

/** What is wrong with what a set reads. Whether there is such an indicator is the strategy's to check. */
export function findIndicatorFaults(
  definition: Readonly<Record<string, unknown>>,
  pointer: string,
): FieldError[] {
  const { indicator, ...others } = definition
  const at = `${pointer}/indicator`
  if (indicator === undefined) {
    const misspelt = Object.keys(others).find(key => nearest(key, ['indicator']) !== null)
    const hint = misspelt === undefined ? 'a fuzzy set reads one' : `is ${show(misspelt)} meant to be it?`
    return [{ pointer: at, code: 'required', message: `'indicator' is missing: ${hint}` }]
  }
  if (typeof indicator === 'string' && indicator !== '') return []
  const message = `${show(indicator)} should be the id of an indicator, or id.output`
  return [{ pointer: at, code: 'type', message }]
}

/** Reads one membership in either notation. @param pointer JSON pointer of the membership */
export function parseTerm(name: string, membership: unknown, pointer: string): Parsed<TermDefinition> {
  if (Array.isArray(membership)) return parseShorthand(name, membership, pointer)
  if (!isMap(membership)) {
    const message = `${name}: ${show(membership)} should be [a, b, c] or { type, parameters }`
    return { kind: 'invalid', faults: [{ pointer, code: 'type', message }] }
  }
  const { type, parameters } = membership
  const spec = typeof type === 'string' ? findMembership(type) : undefined
  const faults = [
    ...findUnknownKeys(membership, pointer),
    ...(spec === undefined ? [explainType(type, pointer)] : []),
    ...findParametersFaults(spec, parameters, pointer),
  ]
  if (faults.length > 0 || spec === undefined || !Array.isArray(parameters))
    return { kind: 'invalid', faults: faults.map(fault => nameTerm(name, fault)) }
  return { kind: 'valid', value: { name, type: spec.type, parameters: parameters.map(Number) } }
}

/** What is wrong with the name of a term; it becomes the end of a feature id. */
export function findNameFaults(name: string, pointer: string): readonly FieldError[] {
  if (reservedNames.includes(name)) {
    const message = `a term cannot be called '${name}': write the name of the term, and under it the membership`
    return [{ pointer, code: 'reserved', message }]
  }
  if (namePattern.test(name)) return []
  const message = `${show(name)} is not a name: letters, digits and '_', starting with a letter, at most 64`
  return [{ pointer, code: 'name', message }]
}

function parseShorthand(
  name: string,
  parameters: readonly unknown[],
  pointer: string,
): Parsed<TermDefinition> {
  if (parameters.length !== 3) {
    const others = memberships.filter(spec => spec.parameters.length === parameters.length)
    const meant =
      others.length === 0
        ? ''
        : `; for ${others.map(spec => spec.type).join(' or ')} write { type, parameters }`
    const message = `${name}: a list is a triangle [a, b, c] of 3 numbers, not ${parameters.length}${meant}`
    return { kind: 'invalid', faults: [{ pointer, code: 'count', message }] }
  }
  const faults = findParameterFaults(triangular, parameters)
  if (faults.length === 0)
    return { kind: 'valid', value: { name, type: triangular.type, parameters: parameters.map(Number) } }
  return {
    kind: 'invalid',
    faults: faults.map(fault => nameTerm(name, { ...fault, pointer: `${pointer}${fault.pointer}` })),
  }
}

/** Why `type` names no membership. */
function explainType(type: unknown, pointer: string): FieldError {
  const at = `${pointer}/type`
  if (type === undefined) {
    const message = `'type' is missing: one of ${membershipTypes.join(', ')}`
    return { pointer: at, code: 'required', message }
  }
  if (typeof type !== 'string')
    return { pointer: at, code: 'type', message: `${show(type)} should be a text` }
  const message = `there is no membership type ${show(type)}: ${suggest(type, membershipTypes)}`
  return { pointer: at, code: 'unknown_membership', message }
}

/** @param spec undefined when the type is at fault itself */
function findParametersFaults(
  spec: MembershipSpec | undefined,
  parameters: unknown,
  pointer: string,
): readonly FieldError[] {
  const at = `${pointer}/parameters`
  const signature = spec === undefined ? '' : ` ${signatureOf(spec)}`
  if (parameters === undefined) {
    const message = `'parameters' is missing: a list of numbers${signature}`
    return [{ pointer: at, code: 'required', message }]
  }
  if (!Array.isArray(parameters)) {
    const message = `${show(parameters)} should be a list of numbers${signature}`
    return [{ pointer: at, code: 'type', message }]
  }
  if (spec === undefined) return []
  return findParameterFaults(spec, parameters).map(fault => ({ ...fault, pointer: `${at}${fault.pointer}` }))
}

function nameTerm(name: string, fault: FieldError): FieldError {
  return { ...fault, message: `${name}: ${fault.message}` }
}

function findUnknownKeys(membership: Readonly<Record<string, unknown>>, pointer: string): FieldError[] {
  const known = ['type', 'parameters']
  const unknown = Object.keys(membership).filter(key => !known.includes(key))
  if (unknown.length > maxUnknownKeys) {
    const message = `a membership has the keys ${known.join(' and ')}, not ${unknown.length} others`
    return [{ pointer, code: 'count', message }]
  }
  return unknown.map(key => ({
    pointer: `${pointer}/${escapeKey(key)}`,
    code: 'unknown_key',
    message: `a membership has no key ${show(key)}: ${suggest(key, known)}`,
  }))
}

/** A map of keys. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as it reads in a sentence. */
export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text
}

/** A key as a step of a JSON pointer. */
export function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
