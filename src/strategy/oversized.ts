import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import type { Path } from './yaml-source.ts'

/** Entries of the longest list or map that a strategy can have. */
const maxEntries = strategySchema.properties.nn_inputs.maxItems

/**
 * Lists and maps longer than any of a strategy. They are refused before anything else looks at them: validators take
 * long to find fault with each of their entries.
 */
export function findOversized(value: unknown): readonly Fault[] {
  const faults: Fault[] = []
  // Aliases repeat parts: each is looked at once.
  const seen = new Set<unknown>()
  const visit = (part: unknown, path: Path): void => {
    if (typeof part !== 'object' || part === null || seen.has(part)) return
    seen.add(part)
    const isList = Array.isArray(part)
    const entries = Object.entries(part)
    if (entries.length > maxEntries) {
      const message = `${path.at(-1) ?? 'the strategy'} has ${entries.length} entries, but at most ${maxEntries} are read`
      faults.push({ path, part: 'key', code: 'count', message })
    }
    for (const [key, entry] of entries.slice(0, maxEntries))
      visit(entry, [...path, isList ? Number(key) : key])
  }
  visit(value, [])
  return faults
}
