import { meansQuantiles, parseSet, type SetDefinition } from '../fuzzy/quantile-set.ts'
import { findReferenceFault } from './indicator-names.ts'
import { strategySchema } from './schema.gen.ts'
import { type Fault, pathOf, pointerTo } from './schema-errors.ts'
import { entriesOf, fieldOf, isRecord } from './written.ts'

const maxSets = strategySchema.properties.fuzzy_sets.maxProperties

/** Faults about the key a pointer ends in, not about its value; in a list it is the value. */
const keyCodes = ['name', 'reserved', 'unknown_key']

/** Terms of one set. */
export const maxTerms = 32

/**
 * Reads the fuzzy sets.
 * @param written the map of the strategy  @param names what a set may read
 * @returns the sets without faults, and the names of the terms of all that are maps
 */
export function resolveFuzzySets(
  written: unknown,
  names: readonly string[],
): {
  readonly sets: Readonly<Record<string, SetDefinition>>
  readonly terms: Readonly<Record<string, readonly string[]>>
  readonly faults: readonly Fault[]
} {
  const sets: [string, SetDefinition][] = []
  const terms: [string, readonly string[]][] = []
  const faults: Fault[] = []
  for (const [id, definition] of entriesOf(written, maxSets)) {
    const path = ['fuzzy_sets', id]
    if (!isRecord(definition)) terms.push([id, []])
    else {
      const all = namesOfTerms(definition)
      terms.push([id, all.slice(0, maxTerms)])
      if (all.length > maxTerms) {
        const message = `a fuzzy set has at most ${maxTerms} terms, not ${all.length}`
        faults.push({ path, part: 'key', code: 'count', message })
        continue
      }
    }
    const parsed = parseSet(definition, pointerTo(path))
    if (parsed.kind === 'valid') sets.push([id, parsed.value])
    else {
      for (const { pointer, code, message } of parsed.faults)
        faults.push({
          path: pathOf(pointer),
          part: keyCodes.includes(code) && typeof pathOf(pointer).at(-1) === 'string' ? 'key' : 'value',
          code,
          message,
        })
    }
    const indicator = fieldOf(definition, 'indicator')
    const fault = indicator === '' ? null : findReferenceFault([...path, 'indicator'], indicator, names)
    if (fault !== null) faults.push(fault)
  }
  return { sets: Object.fromEntries(sets), terms: Object.fromEntries(terms), faults }
}

/** Right or wrong: what reads a set with a fault is right to. */
function namesOfTerms(definition: Readonly<Record<string, unknown>>): readonly string[] {
  if (!meansQuantiles(definition)) return Object.keys(definition).filter(key => key !== 'indicator')
  const { terms } = definition
  return Array.isArray(terms) ? [...new Set(terms.filter(name => typeof name === 'string'))] : []
}
