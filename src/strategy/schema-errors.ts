import type { ErrorObject } from 'ajv/dist/2020.js'
import { isTimeframe } from '../market/timeframe.ts'
import { nearest, suggest } from './nearest.ts'
import type { Path } from './yaml-source.ts'

/** A fault at a place of the structure, not yet at a place of the text. */
export type Fault = {
  readonly path: Path
  /** Whether the key or its value is at fault. */
  readonly part: 'key' | 'value'
  readonly code: string
  readonly message: string
  /** 1-based character of the text at `path`, where the fault is inside it. */
  readonly textColumn?: number
}

/** Keys that are often expected and have no effect here, by where they stand, and what to do instead. */
const unsupportedKeys: ReadonlyMap<string, string> = new Map([
  ['/context_data', 'external series cannot be read'],
  ['/deployment', 'it has no effect'],
  ['/training_data/start_date', 'the range comes with the operation'],
  ['/training_data/end_date', 'the range comes with the operation'],
  ['/training_data/date_range', 'the range comes with the operation'],
  ['/training_data/symbols/selection_criteria', 'name the symbols'],
  ['/model/training', "write it under 'training' at the top"],
  ['/model/features', "the inputs are 'nn_inputs'"],
  ['/decisions/filters/volume_filter', 'it has no effect'],
  ['/training/weight_decay', "write it under 'optimizer'"],
  ['/training/lr_scheduler', "write 'scheduler: { type: … }'"],
  ['/training/validation_split', "write 'data_split: { train, validation, test }'"],
  ['/training/labels/label_lookahead', 'it has no effect'],
])

/** Turns what the JSON Schema validator says into faults people can act on; null for its echoes. */
export function explainSchemaError(error: ErrorObject): Fault | null {
  const path = pathOf(error.instancePath)
  const at = (code: string, message: string): Fault => ({ path, part: 'value', code, message })
  switch (error.keyword) {
    case 'additionalProperties':
      return explainUnknownKey(error, path)
    case 'required': {
      const key = String(error.params.missingProperty)
      return {
        path: [...path, key],
        part: 'value',
        code: 'required',
        message: `'${key}' is missing${within(path)}`,
      }
    }
    case 'propertyNames': {
      const key = String(error.params.propertyName)
      const message = `'${clip(key)}' is not an id: letters, digits and '_', starting with a letter, at most 64`
      return { path: [...path, key], part: 'key', code: 'name', message }
    }
    case 'type':
      return at('type', explainType(error))
    case 'enum':
      return at(
        'enum',
        `${show(error.data)} is not known: ${suggest(String(error.data), allowedValues(error))}`,
      )
    case 'pattern':
      // Also reported, better, as the fault of the key.
      if (error.propertyName !== undefined) return null
      if (error.parentSchema?.pattern === '^all$') return at('type', explainTimeframes(error.data))
      if (error.parentSchema?.pattern === '^(session|cancel)$')
        return at('enum', `${show(error.data)} is not known: ${suggestGoodTill(error.data)}`)
      return at('pattern', `${show(error.data)} is not allowed: ${describe(error)}`)
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return at('range', `${nameOf(path)}: ${show(error.data)} should be ${boundOf(error)}`)
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
      return at('count', `${nameOf(path)} ${error.message ?? 'has the wrong size'}`)
    default:
      return at(error.keyword, `${nameOf(path)}: ${show(error.data)} ${error.message ?? 'is not allowed'}`)
  }
}

function explainUnknownKey(error: ErrorObject, parent: Path): Fault {
  const key = String(error.params.additionalProperty)
  const path = [...parent, key]
  const advice = unsupportedKeys.get(pointerTo(path))
  if (advice !== undefined)
    return { path, part: 'key', code: 'unsupported_key', message: `'${key}' is not supported: ${advice}` }
  const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
  const guess = nearest(key, known)
  const hint = guess === null ? `the keys are ${known.join(', ')}` : `did you mean '${guess}'?`
  return {
    path,
    part: 'key',
    code: 'unknown_key',
    message: `there is no key '${clip(key)}'${within(parent)}: ${hint}`,
  }
}

/** A list of one was meant where a bare name stands. */
function explainTimeframes(data: unknown): string {
  const name = String(data)
  const meant = isTimeframe(name) ? `[${name}]` : 'all'
  return `timeframes: ${show(data)} should be all or a list: did you mean ${meant}?`
}

function suggestGoodTill(data: unknown): string {
  const guess = nearest(String(data), ['session', 'cancel'])
  return guess === null ? 'write session, cancel or { bars: n }' : `did you mean '${guess}'?`
}

function boundOf({ keyword, params }: ErrorObject): string {
  const words = {
    minimum: 'at least',
    maximum: 'at most',
    exclusiveMinimum: 'above',
    exclusiveMaximum: 'below',
  }
  return `${Object.hasOwn(words, keyword) ? words[keyword as keyof typeof words] : keyword} ${String(params.limit)}`
}

/** The key a path ends in. */
function nameOf(path: Path): string {
  const name = path.at(-1)
  return name === undefined ? 'the strategy' : clip(String(name))
}

function explainType(error: ErrorObject): string {
  const expected = String(error.params.type)
  const isUnquoted = expected === 'string' && ['number', 'boolean'].includes(typeof error.data)
  const names: Record<string, string> = {
    object: 'a map of keys',
    array: 'a list',
    string: 'a text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    'string,array': 'all or a list of timeframes',
    'string,object': 'session, cancel or { bars: n }',
  }
  return `${show(error.data)} should be ${names[expected] ?? expected}${isUnquoted ? ': write it in quotes' : ''}`
}

function describe(error: ErrorObject): string {
  const description: unknown = error.parentSchema?.description
  return typeof description === 'string' ? description : `it must match ${String(error.params.pattern)}`
}

function allowedValues(error: ErrorObject): string[] {
  const values: unknown = error.params.allowedValues
  return Array.isArray(values) ? values.map(String) : []
}

function within(path: Path): string {
  return path.length === 0 ? '' : ` in ${path.join('.')}`
}

/** A value as it reads in a sentence: texts in quotes, so that "14" and 14 differ. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'number') return String(value)
  return clip(JSON.stringify(value) ?? String(value))
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The JSON pointer of a place. */
export function pointerTo(path: Path): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The place a JSON pointer names. */
export function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map(step => (/^\d+$/.test(step) ? Number(step) : step))
}
