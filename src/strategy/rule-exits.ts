import { findReferenceFault } from './indicator-names.ts'
import { findOptionFaults } from './option-keys.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import type { StrategyDistance, StrategyRules, StrategySizing } from './strategy.ts'
import { fieldOf, isRecord, type WrittenRules } from './written.ts'
import type { Path } from './yaml-source.ts'

const path: Path = ['decisions', 'rules']
const sides = ['long', 'short'] as const

/** What ends a position without an exit rule. */
const otherExits = ['stop_loss', 'take_profit', 'max_bars']

const keysOfMode = { all_in: [], fraction: ['fraction'], units: ['units'], risk: ['risk_percent'] }
const required = Object.values(keysOfMode).flat()

/** Ways in without a way out, and stops, targets and sizes that are half written. */
export function findExitFaults(rules: unknown, names: readonly string[]): readonly Fault[] {
  if (!isRecord(rules)) return []
  const faults: Fault[] = []
  const entries = sides.filter(side => rules[`enter_${side}`] !== undefined)
  if (entries.length === 0) {
    const message = "'enter_long' is missing: the rules need it, or enter_short"
    faults.push({ path: [...path, 'enter_long'], part: 'value', code: 'required', message })
  }
  for (const side of entries) {
    if (rules[`exit_${side}`] !== undefined || otherExits.some(key => rules[key] !== undefined)) continue
    const message = `'exit_${side}' is missing: enter_${side} needs it, or ${otherExits.join(', ')}`
    faults.push({ path: [...path, `exit_${side}`], part: 'value', code: 'required', message })
  }
  for (const key of ['stop_loss', 'take_profit'])
    faults.push(...findDistanceFaults([...path, key], rules[key], names))
  return [...faults, ...findSizingFaults(rules)]
}

/** @param written checked */
export function resolveRules(written: WrittenRules): StrategyRules {
  const { stop_loss, take_profit, sizing } = written
  const { trailing } = strategySchema.$defs.StrategyStopLoss.properties
  return {
    enter_long: written.enter_long ?? null,
    exit_long: written.exit_long ?? null,
    enter_short: written.enter_short ?? null,
    exit_short: written.exit_short ?? null,
    stop_loss:
      stop_loss === undefined
        ? null
        : { ...resolveDistance(stop_loss), trailing: stop_loss.trailing ?? trailing.default },
    take_profit: take_profit === undefined ? null : resolveDistance(take_profit),
    max_bars: written.max_bars ?? null,
    sizing: sizing === undefined ? null : resolveSizing(sizing),
  }
}

function findDistanceFaults(at: Path, written: unknown, names: readonly string[]): Fault[] {
  if (!isRecord(written)) return []
  const { percent, indicator, multiple } = written
  const report = (key: string, part: Fault['part'], code: string, message: string): Fault[] => [
    { path: [...at, key], part, code, message },
  ]
  if (percent !== undefined) {
    const other = indicator !== undefined ? 'indicator' : 'multiple'
    if (written[other] === undefined) return []
    return report(other, 'key', 'conflict', `'${other}' does not go with percent: write one distance`)
  }
  if (indicator === undefined && multiple === undefined)
    return report('percent', 'value', 'required', 'a distance is missing: percent, or indicator and multiple')
  if (indicator === undefined)
    return report('indicator', 'value', 'required', "'indicator' is missing: multiple of what?")
  const fault = findReferenceFault([...at, 'indicator'], indicator, names)
  const missing =
    multiple === undefined
      ? report('multiple', 'value', 'required', "'multiple' is missing: how many times the indicator?")
      : []
  return fault === null ? missing : [fault, ...missing]
}

function findSizingFaults(rules: Readonly<Record<string, unknown>>): Fault[] {
  const { sizing, stop_loss } = rules
  const mode = fieldOf(sizing, 'mode')
  const at: Path = [...path, 'sizing']
  const faults = [
    ...findOptionFaults(at, sizing, { option: 'mode', value: mode, keys: keysOfMode, required }),
  ]
  if (mode === 'risk' && stop_loss === undefined) {
    const message = 'mode risk needs a stop_loss: without one there is no loss to measure'
    faults.push({ path: [...at, 'mode'], part: 'value', code: 'conflict', message })
  }
  return faults
}

function resolveDistance(
  written: Readonly<Partial<Record<'percent' | 'multiple', number>>> & { readonly indicator?: string },
): StrategyDistance {
  const { percent, indicator = '', multiple = Number.NaN } = written
  return percent === undefined ? { indicator, multiple } : { percent }
}

function resolveSizing(written: NonNullable<WrittenRules['sizing']>): StrategySizing {
  const { mode, fraction = Number.NaN, units = Number.NaN, risk_percent = Number.NaN } = written
  switch (mode) {
    case 'all_in':
      return { mode }
    case 'fraction':
      return { mode, fraction }
    case 'units':
      return { mode, units }
    case 'risk':
      return { mode, risk_percent }
    default:
      return mode satisfies never
  }
}
