import { type Contract, type OpenApiDocument, resolveRef, type SchemaObject } from './contract.ts'

/**
 * A copy of the document that express-openapi-validator handles well; the published one stays as it is.
 *
 * - A union with a discriminator becomes if/then per value: its own support for mappings is wrong beyond the
 *   first option, answers 500 to an empty body and applies no defaults.
 * - Query values may hold the characters of a time (`:`) without being escaped.
 * - A default behind a `$ref` stands beside it too: defaults are not looked for behind references.
 * - A CSV body is left to the handler, as a stream.
 * - What is not needed is left out, because the validator walks the whole document for every route it compiles: prose,
 *   examples and, unless answers are checked as well, responses and what only they refer to.
 */
export function contractForValidator(contract: Contract, validateResponses: boolean): OpenApiDocument {
  const copy = structuredClone(contract.document)
  const rewritten = rewrite(copy, copy) as OpenApiDocument
  return validateResponses ? rewritten : requestsOf(rewritten)
}

const emptyResponses = { default: { description: '' } }

/** The document without its responses, and of its schemas those that requests refer to. */
function requestsOf(document: OpenApiDocument): OpenApiDocument {
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, operation]) => [method, withoutResponses(operation)]),
      ),
    ]),
  )
  const { schemas, parameters } = document.components
  const needed = new Set<string>()
  collectSchemas(schemas, [paths, parameters], needed)
  return {
    ...document,
    paths,
    components: {
      ...(parameters === undefined ? {} : { parameters }),
      schemas: Object.fromEntries(Object.entries(schemas).filter(([name]) => needed.has(name))),
    },
  }
}

const withoutResponses = (operation: unknown): unknown =>
  typeof operation === 'object' && operation !== null && 'responses' in operation
    ? { ...operation, responses: emptyResponses }
    : operation

const schemaPrefix = '#/components/schemas/'

/** Adds the names of the schemas that a part of the document refers to, also by way of others. */
function collectSchemas(
  schemas: OpenApiDocument['components']['schemas'],
  part: unknown,
  found: Set<string>,
) {
  if (typeof part !== 'object' || part === null) return
  for (const value of Object.values(part)) {
    if (typeof value !== 'string' || !value.startsWith(schemaPrefix)) {
      collectSchemas(schemas, value, found)
      continue
    }
    const name = value.slice(schemaPrefix.length)
    if (found.has(name)) continue
    found.add(name)
    collectSchemas(schemas, schemas[name], found)
  }
}

function rewrite(document: OpenApiDocument, node: unknown): unknown {
  if (Array.isArray(node)) return node.map(item => rewrite(document, item))
  if (typeof node !== 'object' || node === null) return node
  const schema = node as SchemaObject
  const mapping = mappingOf(schema)
  if (mapping !== null) return conditional(document, mapping)
  const entries = Object.entries(schema)
    .filter(isChecked)
    .map(([key, value]) => [
      key,
      key === 'requestBody' ? streamCsv(rewrite(document, value) as RequestBody) : rewrite(document, value),
    ])
  return {
    ...Object.fromEntries(entries),
    ...(schema.in === 'query' ? { allowReserved: true } : {}),
    ...defaultOf(document, schema),
  }
}

/** False for what only people read. Under these names a property's schema would be an object, not a text. */
function isChecked([key, value]: [string, unknown]): boolean {
  if (key === 'examples' || key === 'example') return false
  return !(['description', 'summary'].includes(key) && typeof value === 'string')
}

function defaultOf(document: OpenApiDocument, schema: SchemaObject): SchemaObject {
  if (typeof schema.$ref !== 'string' || 'default' in schema) return {}
  const target = resolveRef(document, schema.$ref) as SchemaObject
  return 'default' in target ? { default: target.default } : {}
}

type RequestBody = { readonly content: Readonly<Record<string, unknown>> }

/** `format: binary` keeps the validator from waiting for a parsed body. */
function streamCsv(body: RequestBody): RequestBody {
  return 'text/csv' in body.content
    ? { ...body, content: { ...body.content, 'text/csv': { schema: { type: 'string', format: 'binary' } } } }
    : body
}

type Mapping = { readonly property: string; readonly options: Readonly<Record<string, string>> }

function mappingOf(schema: SchemaObject): Mapping | null {
  const discriminator = schema.discriminator as
    | { propertyName: string; mapping?: Record<string, string> }
    | undefined
  return discriminator?.mapping === undefined
    ? null
    : { property: discriminator.propertyName, options: discriminator.mapping }
}

type ObjectSchema = {
  readonly required: readonly string[]
  readonly properties: Readonly<Record<string, SchemaObject>>
}

/** Properties that are alike in every option stand at the top, those that differ in a `then` per option. */
function conditional(document: OpenApiDocument, { property, options }: Mapping): SchemaObject {
  const schemas = Object.entries(options).map(([value, ref]) => ({
    value,
    schema: resolveRef(document, ref) as ObjectSchema,
  }))
  const first = schemas[0]?.schema ?? { required: [], properties: {} }
  const isShared = (name: string) =>
    schemas.every(
      ({ schema }) => JSON.stringify(schema.properties[name]) === JSON.stringify(first.properties[name]),
    )
  const names = Object.keys(first.properties).filter(name => name !== property)
  const different = names.filter(name => !isShared(name))
  return {
    type: 'object',
    required: [...first.required],
    additionalProperties: false,
    properties: {
      [property]: { enum: Object.keys(options) },
      ...Object.fromEntries(
        names.map(name => [
          name,
          isShared(name) ? rewrite(document, first.properties[name]) : { type: 'object' },
        ]),
      ),
    },
    allOf: schemas.map(({ value, schema }) => ({
      if: { type: 'object', properties: { [property]: { const: value } }, required: [property] },
      // biome-ignore lint/suspicious/noThenProperty: `then` is the JSON schema keyword.
      then: {
        properties: Object.fromEntries(
          different.map(name => [name, rewrite(document, schema.properties[name])]),
        ),
      },
    })),
  }
}
