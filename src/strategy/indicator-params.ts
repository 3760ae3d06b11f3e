import type { IndicatorSpec, ParamSpec } from '../indicators/indicator.ts'
import { findIndicator, indicatorTypes } from '../indicators/registry.ts'
import { nearest, suggest } from './nearest.ts'
import { type Fault, show } from './schema-errors.ts'
import type { StrategyIndicator } from './strategy.ts'
import type { Path } from './yaml-source.ts'

/**
 * Checks one indicator against the registry and fills in its defaults.
 * @param path where the indicator stands in the strategy
 * @param written the indicator as written, with its `type`
 */
export function resolveIndicator(
  path: Path,
  written: Readonly<Record<string, unknown>>,
): { readonly indicator: StrategyIndicator | null; readonly faults: readonly Fault[] } {
  const { type, ...given } = written
  // The schema has reported a type that is absent or not a text.
  if (typeof type !== 'string') return { indicator: null, faults: [] }
  const spec = findIndicator(type)
  if (spec === undefined) {
    const message = `there is no indicator type ${show(type)}: ${suggest(type, indicatorTypes)}`
    return {
      indicator: null,
      faults: [{ path: [...path, 'type'], part: 'value', code: 'unknown_indicator', message }],
    }
  }
  const faults = findFaults(spec, path, given)
  if (faults.length > 0) return { indicator: null, faults }
  const params: Record<string, number | string> = {}
  for (const [name, param] of Object.entries(spec.params)) {
    const value = given[name]
    params[name] = typeof value === 'number' || typeof value === 'string' ? value : param.default
  }
  return { indicator: { type, ...params }, faults: [] }
}

function findFaults(
  spec: IndicatorSpec,
  path: Path,
  given: Readonly<Record<string, unknown>>,
): readonly Fault[] {
  const faults: Fault[] = []
  const known = Object.keys(spec.params)
  for (const [name, value] of Object.entries(given)) {
    const param = Object.hasOwn(spec.params, name) ? spec.params[name] : undefined
    if (param === undefined) {
      const guess = nearest(name, known)
      const hint = guess === null ? `its parameters are ${known.join(', ')}` : `did you mean '${guess}'?`
      const message = `${spec.type} has no parameter ${show(name)}: ${hint}`
      faults.push({ path: [...path, name], part: 'key', code: 'unknown_parameter', message })
      continue
    }
    const fault = findValueFault(param, value)
    if (fault !== null) {
      faults.push({
        path: [...path, name],
        part: 'value',
        code: fault.code,
        message: `${name}: ${fault.message}`,
      })
    }
  }
  return faults
}

function findValueFault(param: ParamSpec, value: unknown): { code: string; message: string } | null {
  if (param.type === 'integer') {
    if (typeof value !== 'number') return { code: 'type', message: `${show(value)} should be a whole number` }
    if (!Number.isInteger(value)) return { code: 'type', message: `${value} should be a whole number` }
    if (value >= param.min && value <= param.max) return null
    return { code: 'range', message: `${value} is outside ${param.min} to ${param.max}` }
  }
  if (typeof value !== 'string') return { code: 'type', message: `${show(value)} should be a text` }
  if (param.enum.includes(value)) return null
  return { code: 'enum', message: `${show(value)} is not known: ${suggest(value, param.enum)}` }
}
