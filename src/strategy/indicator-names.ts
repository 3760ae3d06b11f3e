import { findIndicator } from '../indicators/registry.ts'

/**
 * The names under which a rule may read an indicator: its id, which stands for the first output, and `id.output`
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
