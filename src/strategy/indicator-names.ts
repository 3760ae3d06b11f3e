import type { OutputSpec } from '../indicators/indicator.ts'
import { findIndicator } from '../indicators/registry.ts'
import { suggest } from './nearest.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import { entriesOf, fieldOf } from './written.ts'
import type { Path } from './yaml-source.ts'

/** More are a fault of the schema; the others are then left unread. */
export const maxIndicators = strategySchema.properties.indicators.maxProperties

/**
 * The names under which an indicator may be read: its id, which stands for the first output, and `id.output`
 * where there are several.
 * @param type as written; what is no indicator type has its id alone
 */
export function namesOf(id: string, type: unknown): readonly string[] {
  const outputs = (typeof type === 'string' ? findIndicator(type)?.outputs : undefined) ?? []
  return outputs.length > 1 ? [id, ...outputs.map(({ name }) => `${id}.${name}`)] : [id]
}

/** The id of the indicator that a name reads. */
export function indicatorOf(name: string): string {
  return name.split('.', 1)[0] ?? name
}

/** Every name of `namesOf` of the indicators as written, also of those with faults: whoever reads them is right to. */
export function listNames(indicators: unknown): readonly string[] {
  return entriesOf(indicators, maxIndicators).flatMap(([id, written]) =>
    namesOf(id, fieldOf(written, 'type')),
  )
}

/** What a name of `namesOf` stands for, or null when the type is unknown. */
export function findOutput(name: string, type: unknown): OutputSpec | null {
  const outputs = (typeof type === 'string' ? findIndicator(type)?.outputs : undefined) ?? []
  const output = name.split('.')[1]
  return (output === undefined ? outputs[0] : outputs.find(known => known.name === output)) ?? null
}

/** The fault of a name that is none of `names`, or null. What is not a text is the schema's to report. */
export function findReferenceFault(path: Path, name: unknown, names: readonly string[]): Fault | null {
  if (typeof name !== 'string' || names.includes(name)) return null
  const hint = names.length === 0 ? 'there are no indicators' : suggest(name, names)
  const message = `there is no indicator '${name.slice(0, 64)}': ${hint}`
  return { path, part: 'value', code: 'unknown_reference', message }
}
