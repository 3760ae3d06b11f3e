import type { ErrorObject } from 'ajv/dist/2020.js'
import { nearest, suggest } from './nearest.ts'
import type { Path } from './yaml-source.ts'

/** A fault at a place of the structure, not yet at a place of the text. */
export type Fault = {
  readonly path: Path
  /** Whether the key or its value is at fault. */
  readonly part: 'key' | 'value'
  readonly code: string
  readonly message: string
}

/** Keys of the full grammar that only make sense with a model, by where they stand. */
const modelKeys: Readonly<Record<string, readonly string[]>> = {
  '': ['fuzzy_sets', 'nn_inputs', 'model', 'training', 'context_data', 'deployment'],
  '/decisions': [
    'output_format',
    'confidence_threshold',
    'cost_model',
    'position_awareness',
    'filters',
    'allow_short_from_flat',
  ],
}

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
      return at('pattern', `${show(error.data)} is not allowed: ${describe(error)}`)
    default:
      return at(error.keyword, `${show(error.data)} ${error.message ?? 'is not allowed'}`)
  }
}

function explainUnknownKey(error: ErrorObject, parent: Path): Fault {
  const key = String(error.params.additionalProperty)
  const path = [...parent, key]
  if (modelKeys[error.instancePath]?.includes(key) === true) {
    const message = `rule strategies do not take '${key}': it belongs to strategies with a model`
    return { path, part: 'key', code: 'unsupported_key', message }
  }
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

function explainType(error: ErrorObject): string {
  const expected = String(error.params.type)
  const isUnquoted = expected === 'string' && ['number', 'boolean'].includes(typeof error.data)
  const names: Record<string, string> = {
    object: 'a map of keys',
    array: 'a list',
    string: 'a text',
    integer: 'a whole number',
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

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map(step => (/^\d+$/.test(step) ? Number(step) : step))
}
