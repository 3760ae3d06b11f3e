import { findIndicator } from '../indicators/registry.ts'
import { sourceNames } from '../indicators/source.ts'
import { indicatorOf } from './indicator-names.ts'
import type { Fault } from './schema-errors.ts'
import type { StrategyIndicator } from './strategy.ts'

/** Names of numbers of a bar that `source` may have; an indicator may not be called so. */
export const priceSources: readonly string[] = sourceNames

/** The id of the indicator that this one reads instead of prices, or null. */
export function sourceIdOf(indicator: StrategyIndicator): string | null {
  const { type, source } = indicator
  if (findIndicator(type)?.params.source?.type !== 'source' || typeof source !== 'string') return null
  return priceSources.includes(source) ? null : indicatorOf(source)
}

/** Indicators that read themselves, directly or through others: one fault per circle, at its first indicator. */
export function findCircles(indicators: Readonly<Record<string, StrategyIndicator>>): readonly Fault[] {
  const faults: Fault[] = []
  const done = new Set<string>()
  for (const start of Object.keys(indicators)) {
    const chain: string[] = []
    let id: string | null = start
    while (id !== null && !done.has(id) && !chain.includes(id)) {
      chain.push(id)
      const indicator: StrategyIndicator | undefined = Object.hasOwn(indicators, id)
        ? indicators[id]
        : undefined
      id = indicator === undefined ? null : sourceIdOf(indicator)
    }
    if (id !== null && chain.includes(id)) {
      const circle = [...chain.slice(chain.indexOf(id)), id].join(' → ')
      const message = `the sources lead in a circle: ${circle}`
      faults.push({ path: ['indicators', id, 'source'], part: 'value', code: 'circular', message })
    }
    for (const member of chain) done.add(member)
  }
  return faults
}

/**
 * The indicators with each after those that it reads, otherwise in the order written.
 * @param indicators without circles
 */
export function resolveOrder(
  indicators: Readonly<Record<string, StrategyIndicator>>,
): Readonly<Record<string, StrategyIndicator>> {
  const ordered = new Map<string, StrategyIndicator>()
  const place = (id: string): void => {
    const indicator = Object.hasOwn(indicators, id) ? indicators[id] : undefined
    if (indicator === undefined || ordered.has(id)) return
    const source = sourceIdOf(indicator)
    if (source !== null) place(source)
    ordered.set(id, indicator)
  }
  for (const id of Object.keys(indicators)) place(id)
  return Object.fromEntries(ordered)
}
