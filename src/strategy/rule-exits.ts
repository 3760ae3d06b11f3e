import { findDistanceFaults, resolveDistance } from './distance.ts'
import { findEntryFaults, resolveEntry } from './rule-entry.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import { findSizingFaults, resolveSizing } from './sizing.ts'
import type { StrategyRules } from './strategy.ts'
import { fieldOf, isRecord, type WrittenRules } from './written.ts'
import type { Path } from './yaml-source.ts'

const path: Path = ['decisions', 'rules']
const sides = ['long', 'short'] as const

/** What ends a position without an exit rule. */
const otherExits = ['stop_loss', 'take_profit', 'max_bars']

/** Ways in without a way out, and entries, stops, targets and sizes that are half written. */
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
  return [
    ...faults,
    ...findEntryFaults(rules, names),
    ...findSizingFaults([...path, 'sizing'], rules.sizing),
    ...findRiskFaults(rules),
  ]
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
    entry: resolveEntry(written.entry),
    stop_loss:
      stop_loss === undefined
        ? null
        : { ...resolveDistance(stop_loss), trailing: stop_loss.trailing ?? trailing.default },
    take_profit: take_profit === undefined ? null : resolveDistance(take_profit),
    max_bars: written.max_bars ?? null,
    sizing: sizing === undefined ? null : resolveSizing(sizing),
  }
}

function findRiskFaults({ sizing, stop_loss }: Readonly<Record<string, unknown>>): Fault[] {
  if (fieldOf(sizing, 'mode') !== 'risk' || stop_loss !== undefined) return []
  const message = 'mode risk needs a stop_loss: without one there is no loss to measure'
  return [{ path: [...path, 'sizing', 'mode'], part: 'value', code: 'conflict', message }]
}
