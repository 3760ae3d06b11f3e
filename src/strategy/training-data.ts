import type { Fault } from './schema-errors.ts'
import type { Path } from './yaml-source.ts'

/** How one of `symbols` and `timeframes` is written. */
const selections = [
  { key: 'symbols', one: 'symbol', many: 'multi_symbol' },
  { key: 'timeframes', one: 'timeframe', many: 'multi_timeframe' },
] as const

/** What the schema cannot say about `training_data`: which keys go with which mode, and what runs today. */
export function findTrainingDataFaults(trainingData: unknown): readonly Fault[] {
  const faults: Fault[] = []
  for (const { key, one, many } of selections) {
    const written = fieldOf(trainingData, key)
    if (!isRecord(written)) continue
    const path: Path = ['training_data', key]
    const report = (name: string, part: 'key' | 'value', code: string, message: string) =>
      faults.push({ path: [...path, name], part, code, message })
    if (written.mode === many) {
      report(
        'mode',
        'value',
        'unsupported',
        `${many} is not supported yet by rule strategies: use mode single with one ${one}`,
      )
    }
    if (written.mode !== 'single') continue
    if (written[one] === undefined)
      report(one, 'value', 'required', `'${one}' is missing: mode single needs it`)
    if (written.list !== undefined)
      report('list', 'key', 'conflict', `'list' goes with mode ${many}, not with single`)
    const base = written.base_timeframe
    if (base !== undefined && written[one] !== undefined && base !== written[one]) {
      report(
        'base_timeframe',
        'value',
        'conflict',
        `with mode single 'base_timeframe' can only be ${String(written[one])}`,
      )
    }
  }
  return faults
}

/** A map of keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a key, or undefined where there is no map or no such key. */
export function fieldOf(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
}
