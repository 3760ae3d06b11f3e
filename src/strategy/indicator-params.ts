import type { IndicatorSpec } from '../indicators/indicator.ts'
import type { ParamSpec } from '../indicators/params.ts'
import { findIndicator, findLabelTool, indicatorTypes } from '../indicators/registry.ts'
import { formerIndicatorTypes } from './former-names.ts'
import { nearest, suggest } from './nearest.ts'
import { type Fault, show } from './schema-errors.ts'
import type { StrategyIndicator } from './strategy.ts'
import type { Path } from './yaml-source.ts'

/**
 * Checks one indicator against the registry and fills in its defaults.
 * @param path where the indicator stands in the strategy
 * @param written the indicator as written, with its `type`
 * @param known `names`: those of every indicator, one of which `source` may be; `own`: those of this one
 */
export function resolveIndicator(
  path: Path,
  written: Readonly<Record<string, unknown>>,
  known: { readonly names: readonly string[]; readonly own: readonly string[] },
): { readonly indicator: StrategyIndicator | null; readonly faults: readonly Fault[] } {
  const { type, ...given } = written
  // The schema has reported a type that is absent or not a text.
  if (typeof type !== 'string') return { indicator: null, faults: [] }
  const spec = findIndicator(type)
  if (spec === undefined) {
    return { indicator: null, faults: [{ path: [...path, 'type'], part: 'value', ...explainUnknown(type) }] }
  }
  const faults = findFaults(spec, { path, given, ...known })
  if (faults.length > 0) return { indicator: null, faults }
  const params: Record<string, number | string | boolean> = {}
  for (const [name, param] of Object.entries(spec.params)) {
    const value = given[name]
    params[name] = isParamValue(value) ? value : param.default
  }
  const fault = spec.check(params)
  if (fault === null) return { indicator: { type, ...params }, faults: [] }
  // A default that does not go with what was written has no place of its own in the text.
  const at = fault.param in given ? [...path, fault.param] : path
  const message = `${fault.param}: ${fault.message}`
  return { indicator: null, faults: [{ path: at, part: 'value', code: 'conflict', message }] }
}

function isParamValue(value: unknown): value is number | string | boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
}

function explainUnknown(type: string): { readonly code: string; readonly message: string } {
  if (findLabelTool(type) !== undefined) {
    const message = `${type} repaints, its values depend on later bars: it can label, but not be an indicator`
    return { code: 'repaints', message }
  }
  const former = formerIndicatorTypes.get(type.toLowerCase())
  const hint = former === undefined ? suggest(type, indicatorTypes) : `did you mean '${former}'?`
  const message = `there is no indicator type ${show(type)}: ${hint}`
  return { code: 'unknown_indicator', message }
}

type Given = {
  readonly path: Path
  readonly given: Readonly<Record<string, unknown>>
  readonly names: readonly string[]
  readonly own: readonly string[]
}

/** What to do about keys that are often expected. */
const advice: ReadonlyMap<string, string> = new Map([
  ['timeframe', 'every indicator is calculated on each timeframe, and nn_inputs say which are read'],
  ['data_source', 'external series are not supported'],
])

/** More keys are a mistake as a whole, not each of them: no indicator takes nearly as many. */
const maxGiven = 32

function listParameters(known: readonly string[]): string {
  return known.length === 0 ? 'it takes none' : `its parameters are ${known.join(', ')}`
}

/** A source is a number of a bar or another indicator. */
function findSourceFault(
  value: unknown,
  { param, names, own }: { readonly param: ParamSpec & { type: 'source' } } & Pick<Given, 'names' | 'own'>,
): { code: string; message: string } | null {
  if (typeof value !== 'string') return { code: 'type', message: `${show(value)} should be a text` }
  if (own.includes(value)) return { code: 'circular', message: `${show(value)} is the indicator itself` }
  if (param.enum.includes(value) || names.includes(value)) return null
  const others = names.filter(name => !own.includes(name))
  return {
    code: 'enum',
    message: `${show(value)} is not known: ${suggest(value, [...param.enum, ...others])}`,
  }
}

function findFaults(spec: IndicatorSpec, { path, given, names, own }: Given): readonly Fault[] {
  const faults: Fault[] = []
  const known = Object.keys(spec.params)
  const count = Object.keys(given).length
  if (count > maxGiven) {
    const message = `${spec.type} has no ${count} parameters: ${listParameters(known)}`
    return [{ path, part: 'value', code: 'count', message }]
  }
  for (const [name, value] of Object.entries(given)) {
    const param = Object.hasOwn(spec.params, name) ? spec.params[name] : undefined
    if (param === undefined) {
      const guess = nearest(name, known)
      const hint = guess === null ? (advice.get(name) ?? listParameters(known)) : `did you mean '${guess}'?`
      const message = `${spec.type} has no parameter ${show(name)}: ${hint}`
      faults.push({ path: [...path, name], part: 'key', code: 'unknown_parameter', message })
      continue
    }
    const fault =
      param.type === 'source' ? findSourceFault(value, { param, names, own }) : findValueFault(param, value)
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
  if (param.type === 'integer' || param.type === 'number') {
    const kind = param.type === 'integer' ? 'a whole number' : 'a number'
    if (typeof value !== 'number') return { code: 'type', message: `${show(value)} should be ${kind}` }
    if (param.type === 'integer' && !Number.isInteger(value))
      return { code: 'type', message: `${value} should be ${kind}` }
    if (value >= param.min && value <= param.max) return null
    return { code: 'range', message: `${value} is outside ${param.min} to ${param.max}` }
  }
  if (param.type === 'boolean')
    return typeof value === 'boolean'
      ? null
      : { code: 'type', message: `${show(value)} should be true or false` }
  if (typeof value !== 'string') return { code: 'type', message: `${show(value)} should be a text` }
  if (param.enum.includes(value)) return null
  return { code: 'enum', message: `${show(value)} is not known: ${suggest(value, param.enum)}` }
}
