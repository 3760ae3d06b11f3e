import type { Sizing } from '../backtest/backtest-config.ts'
import type { components } from '../openapi.gen.ts'
import { findOptionFaults } from './option-keys.ts'
import type { Fault } from './schema-errors.ts'
import { fieldOf } from './written.ts'
import type { Path } from './yaml-source.ts'

/** A size as it is written, in a strategy or in the parameters of an operation, once it matches the schema. */
export type WrittenSizing = components['schemas']['Sizing']

/** THE table of the keys each mode takes; it needs all of them. */
const keysOfMode = {
  all_in: [],
  fraction: ['fraction'],
  units: ['units'],
  value: ['value'],
  risk: ['risk_percent'],
  volatility_target: ['annual_volatility', 'lookback_bars'],
  kelly: ['cap', 'min_trades', 'fraction'],
} as const satisfies Record<Sizing['mode'], readonly (keyof WrittenSizing)[]>

const required = Object.values(keysOfMode).flat()

/** Keys that do not go with the mode of a size, and those it lacks. @param path where the size is written */
export function findSizingFaults(path: Path, sizing: unknown): readonly Fault[] {
  return findOptionFaults(path, sizing, {
    option: 'mode',
    value: fieldOf(sizing, 'mode'),
    keys: keysOfMode,
    required,
  })
}

/** @param written checked */
export function resolveSizing(written: Readonly<WrittenSizing>): Sizing {
  const { mode } = written
  const read = (key: (typeof required)[number]): number => {
    const value = written[key]
    if (value === undefined) throw new TypeError(`the size has not been checked: mode ${mode} needs ${key}`)
    return value
  }
  switch (mode) {
    case 'all_in':
      return { mode }
    case 'fraction':
      return { mode, fraction: read('fraction') }
    case 'units':
      return { mode, units: read('units') }
    case 'value':
      return { mode, value: read('value') }
    case 'risk':
      return { mode, risk_percent: read('risk_percent') }
    case 'volatility_target':
      return {
        mode,
        annual_volatility: read('annual_volatility'),
        lookback_bars: read('lookback_bars'),
      }
    case 'kelly':
      return { mode, cap: read('cap'), min_trades: read('min_trades'), fraction: read('fraction') }
    default:
      return mode satisfies never
  }
}
