import { findReferenceFault } from './indicator-names.ts'
import type { Fault } from './schema-errors.ts'
import type { StrategyDistance, StrategyRules } from './strategy.ts'
import { isRecord } from './written.ts'
import type { Path } from './yaml-source.ts'

/** The distances rules may have, each by the keys under `decisions.rules` that it is written at. */
export const distancePaths = [
  ['stop_loss'],
  ['take_profit'],
  ['entry', 'limit'],
  ['entry', 'stop'],
] as const satisfies readonly Path[]

/** What is wrong with a distance: two of them, none, half of one, or one by an unknown indicator. */
export function findDistanceFaults(at: Path, written: unknown, names: readonly string[]): Fault[] {
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

/** @param written checked */
export function resolveDistance(
  written: Readonly<Partial<Record<'percent' | 'multiple', number>>> & { readonly indicator?: string },
): StrategyDistance {
  const { percent, indicator = '', multiple = Number.NaN } = written
  return percent === undefined ? { indicator, multiple } : { percent }
}

/** The distances that checked rules have, with the name a reader knows each by. */
export function distancesOf({
  stop_loss,
  take_profit,
  entry,
}: StrategyRules): readonly (readonly [name: string, distance: StrategyDistance])[] {
  const distances = [
    ['stop_loss', stop_loss],
    ['take_profit', take_profit],
    ['entry.limit', 'limit' in entry ? entry.limit : null],
    ['entry.stop', 'stop' in entry ? entry.stop : null],
  ] as const
  return distances.flatMap(([name, distance]) => (distance === null ? [] : [[name, distance] as const]))
}
