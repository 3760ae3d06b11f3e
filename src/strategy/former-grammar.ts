import type { Fault } from './schema-errors.ts'
import { fieldOf } from './written.ts'

/** The one fault of a file of version 1 or 2, told by its list of indicators; null for any other. */
export function findFormerGrammar(value: unknown): Fault | null {
  if (!Array.isArray(fieldOf(value, 'indicators'))) return null
  return {
    path: ['indicators'],
    part: 'key',
    code: 'former_grammar',
    message:
      'a list of indicators is version 1 or 2 of the grammar: migrate the file first, version 3 has a map of them by id',
  }
}
