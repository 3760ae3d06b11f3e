import type { Fault } from './schema-errors.ts'
import { isRecord } from './written.ts'
import type { Path } from './yaml-source.ts'

/** Which keys go with which value of another key, the option. Keys that no value names go with all. */
export type OptionKeys = {
  /** Name of the option, as a reader knows it. */
  readonly option: string
  /** The value it has. */
  readonly value: unknown
  readonly keys: Readonly<Record<string, readonly string[]>>
  /** Of `keys`, those that cannot be left out. */
  readonly required?: readonly string[]
}

/** Keys of a map that do not go with its option, and those that the option needs and the map lacks. */
export function findOptionFaults(path: Path, written: unknown, table: OptionKeys): readonly Fault[] {
  const { option, value, keys, required = [] } = table
  if (!isRecord(written) || typeof value !== 'string' || !Object.hasOwn(keys, value)) return []
  const allowed = keys[value] ?? []
  const faults: Fault[] = []
  for (const key of Object.keys(written)) {
    const values = Object.keys(keys).filter(other => keys[other]?.includes(key))
    if (values.length === 0 || allowed.includes(key)) continue
    const message = `'${key}' goes with ${option} ${values.join(' or ')}, not with ${value}`
    faults.push({ path: [...path, key], part: 'key', code: 'conflict', message })
  }
  for (const key of allowed) {
    if (!required.includes(key) || written[key] !== undefined) continue
    const message = `'${key}' is missing: ${option} ${value} needs it`
    faults.push({ path: [...path, key], part: 'value', code: 'required', message })
  }
  return faults
}
