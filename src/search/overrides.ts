import { resolveStrategy } from '../strategy/parse.ts'
import { show } from '../strategy/schema-errors.ts'
import { type RuleStrategy, requireRules } from '../strategy/strategy.ts'
import { type FieldValues, formatFieldPath, parseFieldPath, writeField } from './field-path.ts'

/** A strategy with other values, or why there is none. */
export type Overridden =
  | { readonly strategy: RuleStrategy; readonly reason: null }
  | { readonly strategy: null; readonly reason: string }

/**
 * The strategy with these values written in: what `parseStrategy` would make of its text with them, checked as strictly,
 * but without the text, so that thousands of trials start quickly.
 * @param written a strategy as people write it, as data: what `readYaml` gives for a text that `parseStrategy` accepts
 * @param values by path; a path may name a key that is left out of the text
 * @returns the strategy as it will run, or the first thing that does not go together
 * @throws {Problem} 'strategy-invalid' when the strategy decides by a model
 */
export function overrideStrategy(written: unknown, values: FieldValues): Overridden {
  const changed = writeFields(written, values)
  if (changed === undefined) return { strategy: null, reason: 'a path leads to no field' }
  const { strategy, faults } = resolveStrategy(changed)
  if (strategy !== null) return { strategy: requireRules(strategy), reason: null }
  const [fault] = faults
  const where = fault === undefined ? 'the strategy' : formatFieldPath(fault.path)
  return { strategy: null, reason: `${where}: ${fault?.message ?? `not valid with ${show(values)}`}` }
}

/** The data with values written in at their paths, or undefined where one cannot be. Nothing given is changed. */
export function writeFields(written: unknown, values: FieldValues): unknown {
  let changed = written
  for (const [text, value] of Object.entries(values)) {
    const path = parseFieldPath(text)
    changed = path === null ? undefined : writeField(changed, path, value)
    if (changed === undefined) return undefined
  }
  return changed
}
