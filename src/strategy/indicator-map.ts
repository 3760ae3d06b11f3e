import { listNames, maxIndicators, namesOf } from './indicator-names.ts'
import { resolveIndicator } from './indicator-params.ts'
import { reservedNames } from './lexer.ts'
import type { Fault } from './schema-errors.ts'
import { findCircles, priceSources, resolveOrder } from './sources.ts'
import type { StrategyIndicator } from './strategy.ts'
import { entriesOf, isRecord } from './written.ts'

const reserved = [...new Set([...reservedNames, ...priceSources])]

/**
 * Checks the indicators against the registry and each other, and fills in their defaults.
 * @param written the map of the strategy; what has faults is left out of the result
 */
export function resolveIndicators(written: unknown): {
  readonly indicators: Readonly<Record<string, StrategyIndicator>>
  readonly faults: readonly Fault[]
} {
  const resolved: [string, StrategyIndicator][] = []
  const faults: Fault[] = []
  const names = listNames(written)
  for (const [id, indicator] of entriesOf(written, maxIndicators)) {
    const path = ['indicators', id]
    if (reserved.includes(id)) {
      const message = `'${id}' is a word of the rule language or a source: choose another id`
      faults.push({ path, part: 'key', code: 'reserved', message })
    }
    // The schema has reported an indicator that is not a map.
    if (!isRecord(indicator)) continue
    const own = namesOf(id, indicator.type)
    const result = resolveIndicator(path, indicator, { names, own })
    faults.push(...result.faults)
    if (result.indicator !== null) resolved.push([id, result.indicator])
  }
  const indicators = Object.fromEntries(resolved)
  const circles = findCircles(indicators)
  return circles.length === 0
    ? { indicators: resolveOrder(indicators), faults }
    : { indicators, faults: [...faults, ...circles] }
}
