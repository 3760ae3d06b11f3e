import { findDistanceFaults, resolveDistance } from './distance.ts'
import { findOptionFaults } from './option-keys.ts'
import type { Fault } from './schema-errors.ts'
import type { GoodTill, StrategyEntry } from './strategy.ts'
import { fieldOf, type WrittenRules } from './written.ts'
import type { Path } from './yaml-source.ts'

const path: Path = ['decisions', 'rules', 'entry']

const keysOfType = {
  market: [],
  limit: ['limit', 'good_till'],
  stop: ['stop', 'good_till'],
  stop_limit: ['limit', 'stop', 'good_till'],
} as const satisfies Record<StrategyEntry['type'], readonly string[]>

/** Distances that the type of order does not have, lacks, or that are wrong themselves. */
export function findEntryFaults(rules: unknown, names: readonly string[]): readonly Fault[] {
  const entry = fieldOf(rules, 'entry')
  const options = { option: 'entry', value: fieldOf(entry, 'type'), keys: keysOfType }
  return [
    ...findOptionFaults(path, entry, { ...options, required: ['limit', 'stop'] }),
    ...['limit', 'stop'].flatMap(key => findDistanceFaults([...path, key], fieldOf(entry, key), names)),
  ]
}

/** @param written checked; absent: at the next open */
export function resolveEntry(written: WrittenRules['entry']): StrategyEntry {
  if (written === undefined) return { type: 'market' }
  const { type, limit = {}, stop = {} } = written
  const good_till = resolveGoodTill(written.good_till)
  switch (type) {
    case 'market':
      return { type }
    case 'limit':
      return { type, limit: resolveDistance(limit), good_till }
    case 'stop':
      return { type, stop: resolveDistance(stop), good_till }
    case 'stop_limit':
      return { type, stop: resolveDistance(stop), limit: resolveDistance(limit), good_till }
    default:
      return type satisfies never
  }
}

function resolveGoodTill(written: NonNullable<WrittenRules['entry']>['good_till']): GoodTill {
  if (typeof written === 'object') return written
  return written === 'session' ? 'session' : 'cancel'
}
