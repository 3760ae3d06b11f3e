import { priceFields } from '../market/bars.ts'
import { ruleNames } from './compile.ts'
import { parseRule } from './expression.ts'
import type { Fault } from './schema-errors.ts'
import { ruleKinds } from './strategy.ts'
import { fieldOf } from './written.ts'

/**
 * Reads the text of every rule.
 * @param names of indicators and their outputs
 * @returns the names the rules use, and the faults
 */
export function checkRuleTexts(
  rules: unknown,
  names: readonly string[],
): { readonly used: ReadonlySet<string>; readonly faults: readonly Fault[] } {
  const used = new Set<string>()
  const faults: Fault[] = []
  for (const kind of ruleKinds) {
    const text = fieldOf(rules, kind)
    if (typeof text !== 'string' || text === '') continue
    const path = ['decisions', 'rules', kind]
    const rule = parseRule(text, [...names, ...priceFields])
    if (rule.ast !== null) ruleNames(rule.ast, used)
    for (const { code, message, column } of rule.errors) {
      // The schema has reported the length.
      if (code === 'too_long') continue
      const where = `${message} (column ${column} of ${kind})`
      faults.push({ path, part: 'value', code, message: where, textColumn: column })
    }
  }
  return { used, faults }
}
