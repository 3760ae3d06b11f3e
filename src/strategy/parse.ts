import { Ajv2020 } from 'ajv/dist/2020.js'
import { priceFields } from '../market/bars.ts'
import { isTimeframe } from '../market/timeframe.ts'
import { type FieldError, Problem } from '../problems.ts'
import { ruleNames } from './compile.ts'
import { parseRule } from './expression.ts'
import { indicatorOf, namesOf } from './indicator-names.ts'
import { resolveIndicator } from './indicator-params.ts'
import { reservedNames } from './lexer.ts'
import { strategySchema } from './schema.gen.ts'
import { explainSchemaError, type Fault } from './schema-errors.ts'
import { ruleKinds, type Strategy, type StrategyIndicator } from './strategy.ts'
import { fieldOf, findTrainingDataFaults, isRecord } from './training-data.ts'
import { type Path, readYaml, type YamlSource } from './yaml-source.ts'

/** Faults listed before the rest is left out. */
const maxErrors = 100

/** More are a fault of the schema; the others are then left unread. */
const maxIndicators = strategySchema.properties.indicators.maxProperties

const matchesSchema = new Ajv2020({ allErrors: true, verbose: true }).compile(strategySchema)

/**
 * Reads a strategy and checks everything that can be known without data: syntax, keys, types, ranges,
 * indicator parameters and rules.
 * @returns the strategy as it will run, defaults filled in, and remarks that do not stop it
 * @throws {Problem} 'strategy-invalid' with all faults at once in the order of the text, each with pointer,
 * line and column
 */
export function parseStrategy(yamlText: string): {
  readonly strategy: Strategy
  readonly warnings: readonly string[]
} {
  const source = readYaml(yamlText)
  const errors: FieldError[] = []
  const report = (fault: Fault) => errors.push(toFieldError(fault, source.locate(fault.path, fault.part)))
  if (!matchesSchema(source.value)) {
    for (const error of (matchesSchema.errors ?? []).slice(0, maxErrors)) {
      const fault = explainSchemaError(error)
      if (fault !== null) report(fault)
    }
  }
  for (const fault of findTrainingDataFaults(fieldOf(source.value, 'training_data'))) report(fault)
  const indicators = resolveIndicators(source.value, report)
  const used = checkRules(source, errors)
  if (errors.length > 0) refuse(errors)
  const usedIds = new Set([...used].map(indicatorOf))
  return {
    strategy: buildStrategy(source.value, indicators),
    warnings: Object.keys(indicators)
      .filter(id => !usedIds.has(id))
      .map(id => `indicator '${id}' is not used by any rule`),
  }
}

function resolveIndicators(
  value: unknown,
  report: (fault: Fault) => void,
): Record<string, StrategyIndicator> {
  const resolved: [string, StrategyIndicator][] = []
  const written = fieldOf(value, 'indicators')
  for (const [id, indicator] of Object.entries(isRecord(written) ? written : {}).slice(0, maxIndicators)) {
    const path = ['indicators', id]
    if (reservedNames.includes(id)) {
      report({
        path,
        part: 'key',
        code: 'reserved',
        message: `'${id}' is a word of the rule language: choose another id`,
      })
    }
    // The schema has reported an indicator that is not a map.
    if (!isRecord(indicator)) continue
    const result = resolveIndicator(path, indicator)
    for (const fault of result.faults) report(fault)
    if (result.indicator !== null) resolved.push([id, result.indicator])
  }
  return Object.fromEntries(resolved)
}

/** Reports the faults of every rule and returns the names the rules use. */
function checkRules(source: YamlSource, errors: FieldError[]): ReadonlySet<string> {
  const used = new Set<string>()
  const written = fieldOf(source.value, 'indicators')
  // Also indicators with faults: a rule is right to name them.
  const ids = Object.entries(isRecord(written) ? written : {}).slice(0, maxIndicators)
  const names = [...ids.flatMap(([id, indicator]) => namesOf(id, fieldOf(indicator, 'type'))), ...priceFields]
  for (const kind of ruleKinds) {
    const text = fieldOf(fieldOf(fieldOf(source.value, 'decisions'), 'rules'), kind)
    if (typeof text !== 'string' || text === '') continue
    const path = ['decisions', 'rules', kind]
    const rule = parseRule(text, names)
    if (rule.ast !== null) ruleNames(rule.ast, used)
    for (const { code, message, column } of rule.errors) {
      // The schema has reported the length.
      if (code === 'too_long') continue
      const fault: Fault = { path, part: 'value', code, message: `${message} (column ${column} of ${kind})` }
      errors.push(toFieldError(fault, source.locateInText(path, column)))
    }
  }
  return used
}

function toFieldError(fault: Fault, position: { line: number; column: number }): FieldError {
  return { pointer: pointerTo(fault.path), code: fault.code, message: fault.message, ...position }
}

function refuse(errors: FieldError[]): never {
  errors.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  const first = errors[0]
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`
  throw new Problem(
    'strategy-invalid',
    `line ${first?.line}, column ${first?.column}: ${first?.message}${more}`,
    {
      errors: errors.slice(0, maxErrors),
    },
  )
}

/** Everything read here has passed the schema; the narrowing repeats it for the compiler. */
function buildStrategy(value: unknown, indicators: Readonly<Record<string, StrategyIndicator>>): Strategy {
  const text = (at: unknown, key: string): string => String(fieldOf(at, key))
  const trainingData = fieldOf(value, 'training_data')
  const timeframe = text(fieldOf(trainingData, 'timeframes'), 'timeframe')
  if (!isTimeframe(timeframe)) throw new TypeError(`the schema let the timeframe ${timeframe} pass`)
  const history = fieldOf(trainingData, 'history_required')
  const description = fieldOf(value, 'description')
  const rules = fieldOf(fieldOf(value, 'decisions'), 'rules')
  return {
    name: text(value, 'name'),
    ...(typeof description === 'string' ? { description } : {}),
    version: '3.0',
    training_data: {
      symbols: { mode: 'single', symbol: text(fieldOf(trainingData, 'symbols'), 'symbol') },
      timeframes: { mode: 'single', timeframe },
      history_required: typeof history === 'number' ? history : 0,
    },
    indicators,
    decisions: { rules: { enter_long: text(rules, 'enter_long'), exit_long: text(rules, 'exit_long') } },
  }
}

function pointerTo(path: Path): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
