import type { Request } from 'express'
import type { FieldError } from '../problems.ts'
import { suggest } from '../strategy/nearest.ts'
import { type OpenApiDocument, resolveRef, type SchemaObject } from './contract.ts'

/** One fault as the validator reports it. */
export type ValidatorFault = {
  readonly path?: string
  readonly message?: string
  readonly errorCode?: string
}

/** The validator's faults, each with a pointer into the request and a message that helps to correct it. */
export function explainFaults(
  faults: readonly ValidatorFault[],
  request: Request,
  document: OpenApiDocument,
): FieldError[] {
  const explained = faults.filter(isInRequest).map(fault => explain(fault, request, document))
  return explained.filter(
    ({ pointer }, position) => explained.findIndex(other => other.pointer === pointer) === position,
  )
}

/** Without a place inside the request, the validator names the URL. An `if` only repeats what its `then` says. */
function isInRequest({ path, errorCode }: ValidatorFault): boolean {
  return (
    /^\/(body$|body\/|query\/|params\/|headers\/)/.test(path ?? '') && errorCode !== 'if.openapi.validation'
  )
}

function explain(fault: ValidatorFault, request: Request, document: OpenApiDocument): FieldError {
  const path = fault.path ?? ''
  const keys = path
    .split('/')
    .slice(1)
    .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const name = keys.at(-1) ?? ''
  const message = fault.message ?? 'is not valid'
  const pointer = path.replace(/^\/params\//, '/path/').replace(/^\/headers\//, '/header/')
  const code = fault.errorCode?.split('.', 1)[0] ?? (keys[0] === 'query' ? 'unknown_key' : 'invalid')
  if (code === 'required') return { pointer, code, message: `${name} is required` }
  if (code === 'enum') return { pointer, code, message: explainEnum(valueAt(request, keys), message) }
  if (code === 'additionalProperties' || /^Unknown query parameter/.test(message)) {
    const known =
      keys[0] === 'query'
        ? queryNames(request, document)
        : propertyNames(request, document, keys.slice(1, -1))
    return {
      pointer,
      code: 'unknown_key',
      message: `unknown key '${clip(name)}'; ${suggest(name, [...new Set(known)])}`,
    }
  }
  return { pointer, code, message }
}

function explainEnum(value: unknown, message: string): string {
  const allowed = message.split(': ')[1]?.split(', ') ?? []
  return typeof value === 'string' ? `'${clip(value)}' is not known; ${suggest(value, allowed)}` : message
}

/** The value the client sent. @param keys e.g. ['body', 'params', 'timeframe'] */
function valueAt(request: Request, keys: readonly string[]): unknown {
  const [part, ...rest] = keys
  const root: unknown =
    part === 'query'
      ? request.query
      : part === 'params'
        ? (request as Matched).openapi?.pathParams
        : request.body
  return rest.reduce(
    (value, key) => (typeof value === 'object' && value !== null ? (value as SchemaObject)[key] : undefined),
    root,
  )
}

type Matched = {
  readonly openapi?: {
    readonly pathParams?: Readonly<Record<string, string>>
    readonly schema?: {
      parameters?: SchemaObject[]
      requestBody?: { content: Record<string, { schema: SchemaObject }> }
    }
  }
}

function queryNames(request: Request, document: OpenApiDocument): string[] {
  const parameters = (request as Matched).openapi?.schema?.parameters ?? []
  const resolved = parameters.map(parameter => resolve(document, parameter))
  return resolved.filter(parameter => parameter.in === 'query').map(parameter => String(parameter.name))
}

/** The properties that the contract allows at a place in the body. */
function propertyNames(request: Request, document: OpenApiDocument, keys: readonly string[]): string[] {
  const content = (request as Matched).openapi?.schema?.requestBody?.content ?? {}
  let schemas = Object.values(content).map(({ schema }) => schema)
  let value: unknown = request.body
  for (const key of [...keys, null]) {
    schemas = schemas.flatMap(schema => parts(document, schema, value))
    if (key === null) break
    schemas = schemas.flatMap(schema => {
      const inner = (schema.properties as Record<string, SchemaObject> | undefined)?.[key] ?? schema.items
      return inner === undefined ? [] : [inner as SchemaObject]
    })
    value = typeof value === 'object' && value !== null ? (value as SchemaObject)[key] : undefined
  }
  return schemas.flatMap(schema => Object.keys((schema.properties as object | undefined) ?? {}))
}

/** The schema and what it is made of: references, `allOf`, and the `then` whose `if` names the value's type. */
function parts(document: OpenApiDocument, schema: SchemaObject, value: unknown): SchemaObject[] {
  const own = resolve(document, schema)
  const all = (own.allOf as SchemaObject[] | undefined) ?? []
  const applicable = all.flatMap(part =>
    part.if === undefined ? [part] : matches(part.if, value) ? [part.then as SchemaObject] : [],
  )
  return [own, ...applicable.flatMap(part => parts(document, part, value))]
}

function matches(condition: unknown, value: unknown): boolean {
  const { properties } = condition as { properties: Record<string, { const: unknown }> }
  return Object.entries(properties).every(
    ([key, expected]) => (value as SchemaObject | undefined)?.[key] === expected.const,
  )
}

function resolve(document: OpenApiDocument, schema: SchemaObject): SchemaObject {
  return typeof schema.$ref === 'string'
    ? ((resolveRef(document, schema.$ref) as SchemaObject | undefined) ?? {})
    : schema
}

const clip = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text)
