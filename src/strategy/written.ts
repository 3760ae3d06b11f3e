import type { components } from '../openapi.gen.ts'

type Schemas = components['schemas']

/** A strategy as people write it, once it matches the schema: defaults are not filled in. */
export type WrittenStrategy = Schemas['Strategy']
export type WrittenTrainingData = Schemas['StrategyTrainingData']
export type WrittenDecisions = Schemas['StrategyDecisions']
export type WrittenRules = Schemas['StrategyRules']
export type WrittenModel = Schemas['StrategyModel']
export type WrittenTraining = Schemas['StrategyTraining']
export type WrittenLabels = Schemas['StrategyLabels']

/** A map of keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a key, or undefined where there is no map or no such key. */
export function fieldOf(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** The value at the end of some keys, or undefined where one is missing. */
export function valueAt(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce(fieldOf, value)
}

/** The entries of a map, none of anything else, at most `limit`. */
export function entriesOf(value: unknown, limit: number): readonly (readonly [string, unknown])[] {
  return isRecord(value) ? Object.entries(value).slice(0, limit) : []
}
