import { Ajv2020 } from 'ajv/dist/2020.js'
import { type FieldError, Problem } from '../problems.ts'
import { distancePaths } from './distance.ts'
import { findFormerGrammar } from './former-grammar.ts'
import { resolveFuzzySets } from './fuzzy-sets.ts'
import { resolveIndicators } from './indicator-map.ts'
import { listNames } from './indicator-names.ts'
import { findKindFaults, kindOf } from './kind.ts'
import { findLabelFaults, resolveLabels } from './labels.ts'
import { findModelFaults, resolveModel } from './model.ts'
import { findModelDecisionFaults, resolveModelDecisions } from './model-decisions.ts'
import { resolveInputs } from './nn-inputs.ts'
import { findOversized } from './oversized.ts'
import { findRemarks } from './remarks.ts'
import { findExitFaults, resolveRules } from './rule-exits.ts'
import { checkRuleTexts } from './rule-texts.ts'
import { strategySchema } from './schema.gen.ts'
import { explainSchemaError, type Fault, pointerTo } from './schema-errors.ts'
import type { Strategy } from './strategy.ts'
import { findTrainingFaults, resolveTraining } from './training.ts'
import { findTrainingDataFaults, listTimeframes, resolveTrainingData } from './training-data.ts'
import { fieldOf, valueAt, type WrittenStrategy } from './written.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

/** Faults listed before the rest is left out. */
const maxErrors = 100

const matchesSchema = new Ajv2020({
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
}).compile<WrittenStrategy>(strategySchema)

/**
 * Reads a strategy and checks everything that can be known without data: syntax, keys, types, ranges, references,
 * parameters, rules, and what does not go together.
 * @returns the strategy as it will run, defaults filled in, and remarks that do not stop it
 * @throws {Problem} 'strategy-invalid' with all faults at once in the order of the text, at most 100, each with
 * pointer, line and column; with a single one for a file of version 1 or 2 of the grammar
 */
export function parseStrategy(yamlText: string): {
  readonly strategy: Strategy
  readonly warnings: readonly string[]
} {
  const source = readYaml(yamlText)
  const { value } = source
  const oversized = findOversized(value)
  if (oversized.length > 0) refuse(oversized, source)
  const former = findFormerGrammar(value)
  if (former !== null)
    refuse([former], source, 'POST /api/v1/strategies/migrate answers the file in version 3.')
  const { written, parts, faults } = examine(value)
  if (faults.length > 0 || written === null) refuse(faults, source)
  const strategy = buildStrategy(written, parts)
  return { strategy, warnings: findRemarks(strategy, written, parts.names) }
}

/**
 * Checks and resolves a strategy that is data already, such as a parsed one with other values written in: exactly as
 * `parseStrategy` would, but some 40 µs instead of the 500 µs that the text takes.
 * @param value of the size of a strategy that `parseStrategy` accepts
 * @returns the strategy, or null and the faults, those of the schema first
 */
export function resolveStrategy(value: unknown): {
  readonly strategy: Strategy | null
  readonly faults: readonly Fault[]
} {
  const { written, parts, faults } = examine(value)
  return faults.length > 0 || written === null
    ? { strategy: null, faults }
    : { strategy: buildStrategy(written, parts), faults }
}

/** Everything that can be said of a strategy, right or wrong. `written` is null where the schema is not matched. */
function examine(value: unknown): {
  readonly written: WrittenStrategy | null
  readonly parts: Parts
  readonly faults: readonly Fault[]
} {
  const written = matchesSchema(value) ? value : null
  const schemaFaults = (matchesSchema.errors ?? [])
    .slice(0, maxErrors)
    .map(explainSchemaError)
    .filter(fault => fault !== null)
  const parts = resolveParts(value)
  const faults = [schemaFaults, ...parts.faults].flatMap(ofOne => ofOne.slice(0, maxErrors))
  return { written, parts, faults }
}

/** What is worked out of a strategy, right or wrong, and the faults met, by concern. */
type Parts = Pick<Strategy, 'indicators'> & {
  readonly sets: ReturnType<typeof resolveFuzzySets>['sets']
  readonly inputs: ReturnType<typeof resolveInputs>
  /** Of indicators and outputs that rules and distances read. */
  readonly names: ReadonlySet<string>
  readonly faults: readonly (readonly Fault[])[]
}

function resolveParts(value: unknown): Parts {
  const [trainingData, decisions] = [fieldOf(value, 'training_data'), fieldOf(value, 'decisions')]
  const names = listNames(fieldOf(value, 'indicators'))
  const indicators = resolveIndicators(fieldOf(value, 'indicators'))
  const fuzzy = resolveFuzzySets(fieldOf(value, 'fuzzy_sets'), names)
  const timeframes = listTimeframes(trainingData)
  const inputs = resolveInputs(fieldOf(value, 'nn_inputs'), { timeframes, terms: fuzzy.terms, names })
  const rules = fieldOf(decisions, 'rules')
  const texts = checkRuleTexts(rules, names)
  const distances = distancePaths.map(path => valueAt(rules, ...path, 'indicator'))
  const training = fieldOf(value, 'training')
  const ofKind =
    kindOf(value) === 'rules'
      ? [findExitFaults(rules, names)]
      : [
          findModelFaults(fieldOf(value, 'model')),
          findModelDecisionFaults(decisions),
          findTrainingFaults(training, decisions),
          findLabelFaults(fieldOf(training, 'labels'), decisions),
        ]
  return {
    indicators: indicators.indicators,
    sets: fuzzy.sets,
    inputs,
    names: new Set([...texts.used, ...distances.filter(name => typeof name === 'string')]),
    faults: [
      findKindFaults(value),
      findTrainingDataFaults(trainingData, kindOf(value)),
      indicators.faults,
      fuzzy.faults,
      inputs.faults,
      texts.faults,
      ...ofKind,
    ],
  }
}

function buildStrategy(written: WrittenStrategy, { indicators, sets, inputs }: Parts): Strategy {
  const { name, description, training_data, nn_inputs, model, training, decisions } = written
  const common = {
    name,
    ...(description === undefined ? {} : { description }),
    version: '3.0',
    ...resolveTrainingData(training_data),
    indicators,
  } as const
  if (decisions.rules !== undefined)
    return { kind: 'rules', ...common, decisions: { rules: resolveRules(decisions.rules) } }
  if (nn_inputs === undefined || model === undefined || training === undefined)
    throw new TypeError('the strategy has not been checked: a part of the model is missing')
  const resolved = resolveModelDecisions(decisions)
  return {
    kind: 'model',
    ...common,
    fuzzy_sets: sets,
    nn_inputs: inputs.inputs,
    features: inputs.features,
    model: resolveModel(model),
    decisions: resolved,
    training: {
      ...resolveTraining(training, resolved.output_format),
      labels: resolveLabels(training.labels),
    },
  }
}

function refuse(faults: readonly Fault[], source: YamlSource, hint?: string): never {
  const errors = new Map<string, FieldError>()
  for (const { path, part, code, message, textColumn } of faults) {
    const pointer = pointerTo(path)
    const position =
      textColumn === undefined ? source.locate(path, part) : source.locateInText(path, textColumn)
    // Schema and checks may both see one fault; the schema, which is first, says it once.
    const key = `${code} ${pointer} ${textColumn ?? ''}`
    if (!errors.has(key)) errors.set(key, { pointer, code, message, ...position })
  }
  const sorted = [...errors.values()].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
  const [first] = sorted
  const more = sorted.length === 1 ? '' : ` (and ${sorted.length - 1} more)`
  const detail = `line ${first?.line}, column ${first?.column}: ${first?.message}${more}`
  throw new Problem('strategy-invalid', detail, {
    errors: sorted.slice(0, maxErrors),
    ...(hint === undefined ? {} : { hint }),
  })
}
