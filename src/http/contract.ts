import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { writeFileAtomicallySync } from '../archive/atomic.ts'

/** A JSON schema, or any other part of the document whose inside does not matter here. */
export type SchemaObject = { readonly [key: string]: unknown }

/** The parts of an OpenAPI document this room reads. */
export type OperationObject = {
  readonly operationId: string
  readonly parameters?: readonly SchemaObject[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content: Readonly<Record<string, { readonly schema: SchemaObject }>>
  }
  readonly responses: Readonly<Record<string, SchemaObject>>
}
export type OpenApiDocument = {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, SchemaObject>>
    readonly parameters?: Readonly<Record<string, SchemaObject>>
  }
}

export type Method = 'get' | 'put' | 'post' | 'delete' | 'patch'
export type Route = { readonly path: string; readonly method: Method; readonly operation: OperationObject }

/** openapi.yaml, read once. */
export type Contract = {
  /** As published. Never handed to a library that changes what it is given. */
  readonly document: OpenApiDocument
  /** The published document as text. */
  readonly yaml: string
  readonly json: string
  readonly routes: readonly Route[]
}

const documentUrl = new URL('../../openapi.yaml', import.meta.url)

/**
 * @param cacheFolder where the parsed document is kept for the next start, named by the hash of its text: parsing takes
 *   half a second  @throws {Error} listing everything that would make the server answer wrongly
 */
export function loadContract(cacheFolder: string | null = null): Contract {
  const yaml = readFileSync(documentUrl, 'utf8')
  const document = cacheFolder === null ? parse(yaml) : parseOnce(yaml, cacheFolder)
  const routes = routesOf(document)
  const faults = [...faultsOf(document, routes)]
  if (faults.length > 0)
    throw new Error(`openapi.yaml is not usable:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
  return { document, yaml, json: JSON.stringify(document), routes }
}

function parseOnce(yaml: string, folder: string): OpenApiDocument {
  const path = join(folder, `openapi-${hash('sha256', yaml)}.json`)
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    const document = parse(yaml)
    try {
      writeFileAtomicallySync(path, Buffer.from(JSON.stringify(document)))
    } catch {
      // A cache that cannot be written costs the next start half a second.
    }
    return document
  }
}

/** What a `$ref` inside the document points at; undefined when it points at nothing. */
export function resolveRef(document: OpenApiDocument, ref: string): unknown {
  let found: unknown = document
  for (const key of ref.replace(/^#\//, '').split('/')) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return found
}

const methods = new Set<string>(['get', 'put', 'post', 'delete', 'patch'])
const isMethod = (name: string): name is Method => methods.has(name)

function routesOf(document: OpenApiDocument): Route[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      isMethod(method) ? [{ path, method, operation: operation as OperationObject }] : [],
    ),
  )
}

function* faultsOf(document: OpenApiDocument, routes: readonly Route[]): Generator<string> {
  if (!/^3\.1\.\d+$/.test(document.openapi)) yield `openapi is ${document.openapi}; the validator needs 3.1`
  const seen = new Set<string>()
  for (const { path, method, operation } of routes) {
    const place = `${method.toUpperCase()} ${path}`
    if (operation.operationId === undefined) yield `${place} has no operationId`
    if (seen.has(operation.operationId)) yield `${place}: operationId ${operation.operationId} is used twice`
    seen.add(operation.operationId)
    // Response validation answers 500 to a status the document does not name.
    if (operation.responses?.default === undefined) yield `${place} has no default response`
  }
  yield* danglingRefs(document, document, '#')
}

function* danglingRefs(document: OpenApiDocument, node: unknown, place: string): Generator<string> {
  if (typeof node !== 'object' || node === null) return
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref' && typeof value === 'string' && resolveRef(document, value) === undefined) {
      yield `${place}: ${value} does not exist`
    }
    yield* danglingRefs(document, value, `${place}/${key}`)
  }
}
