import { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { middleware } from 'express-openapi-validator'
import { type Contract, type OpenApiDocument, type Route, resolveRef, type SchemaObject } from './contract.ts'
import { contractForValidator } from './contract-for-validator.ts'

type SpecOption = Parameters<typeof middleware>[0]['apiSpec']

/**
 * Checks requests against the contract and, with `validateResponses`, JSON answers too. When this resolves,
 * every route has been compiled, unless answers are checked: that is for tests, which ask for a few routes each.
 * @throws {Error} when the document cannot be used
 */
export async function createValidator(
  contract: Contract,
  validateResponses: boolean,
): Promise<RequestHandler[]> {
  memoisePathToRegexp()
  resolveWithoutCompiling()
  compileReferencesOnce()
  const handlers = middleware({
    apiSpec: contractForValidator(contract, validateResponses) as unknown as SpecOption,
    validateApiSpec: false,
    validateSecurity: false,
    fileUploader: false,
    // Query, path and header values are always coerced; bodies are taken as they are.
    validateRequests: { coerceTypes: false, allowUnknownQueryParameters: false },
    validateResponses: validateResponses ? { coerceTypes: false, removeAdditional: false } : false,
  }) as RequestHandler[]
  if (!validateResponses) await compileAll(contract, handlers)
  return handlers
}

type PathToRegexp = {
  pathToRegexp: (path: string, options?: { sensitive?: boolean; strict?: boolean }) => unknown
}
const memoised = new WeakSet<object>()

/**
 * The validator compiles the pattern of every path anew on every request, a third of what a
 * GET costs (DESIGN.md). It also says `strict` where this version of the library says `trailing`. Its own `require` sees what is
 * set here.
 */
function memoisePathToRegexp(): void {
  const require = createRequire(import.meta.resolve('express-openapi-validator'))
  const library: PathToRegexp = require('path-to-regexp')
  if (memoised.has(library)) return
  memoised.add(library)
  const compile = library.pathToRegexp
  const known = new Map<string, unknown>()
  library.pathToRegexp = (path, options = {}) => {
    const adapted = { trailing: options.strict !== true, ...options }
    if (typeof path !== 'string') return compile(path, adapted)
    const key = `${JSON.stringify(adapted)} ${path}`
    const found = known.get(key) ?? compile(path, adapted)
    known.set(key, found)
    return found
  }
}

type Preprocessor = {
  readonly apiDoc: OpenApiDocument
  resolveSchema: (schema: SchemaObject | null | undefined) => unknown
}

/**
 * To look where a `$ref` points, the validator compiles the schema there, every one of the document at the start: more
 * than half of a start, for functions that nobody calls.
 */
function resolveWithoutCompiling(): void {
  const require = createRequire(import.meta.resolve('express-openapi-validator'))
  const {
    SchemaPreprocessor,
  }: {
    SchemaPreprocessor: { prototype: Preprocessor }
  } = require('./middlewares/parsers/schema.preprocessor.js')
  SchemaPreprocessor.prototype.resolveSchema = function (schema) {
    return typeof schema?.$ref === 'string' ? resolveRef(this.apiDoc, schema.$ref) : (schema ?? null)
  }
}

type Checked = { readonly paths: unknown; readonly components: unknown }
type Ajv = {
  addSchema: (schema: object, key: string) => unknown
  getSchema: (key: string) => unknown
}
type ValidatorUtil = { useAjvCache: (ajv: Ajv, schema: Checked, key: string) => unknown }

/** What one instance of Ajv checks, all in one schema: so what a `$ref` refers to is one function, wherever it stands. */
type Checks = { readonly schemas: object[]; readonly compiled: Map<string, unknown> }
const checksOf = new WeakMap<Ajv, Checks>()

/**
 * For each route and answer the validator makes a schema of its own that holds the whole document, which Ajv walks
 * through, and compiles anew what is referred to: an operation for each of the routes that answer with one.
 */
function compileReferencesOnce(): void {
  const require = createRequire(import.meta.resolve('express-openapi-validator'))
  const util: ValidatorUtil = require('./middlewares/util.js')
  util.useAjvCache = (ajv, { paths, components, ...schema }, key) => {
    const { schemas, compiled } = checksOf.get(ajv) ?? shareDocument(ajv, { paths, components })
    if (!compiled.has(key)) compiled.set(key, ajv.getSchema(`contract#/schemas/${schemas.push(schema) - 1}`))
    return compiled.get(key)
  }
}

function shareDocument(ajv: Ajv, { paths, components }: Checked): Checks {
  const checks: Checks = { schemas: [], compiled: new Map() }
  checksOf.set(ajv, checks)
  ajv.addSchema({ paths, components, schemas: checks.schemas }, 'contract')
  return checks
}

/**
 * Sends one made-up request per route and content type through the validator alone: no handler is behind it, so
 * nothing happens but compilation, which takes milliseconds that no client should wait for.
 */
async function compileAll(contract: Contract, handlers: readonly RequestHandler[]): Promise<void> {
  const probe = new Probe(handlers)
  for (const route of contract.routes) {
    const contentTypes = [undefined, ...Object.keys(route.operation.requestBody?.content ?? {})]
    for (const contentType of contentTypes) await probe.send(route, contentType)
  }
}

class Probe {
  readonly #app: Express
  #answer: (error: unknown) => void = () => undefined

  constructor(handlers: readonly RequestHandler[]) {
    this.#app = leanApp()
    this.#app.use(...handlers)
    this.#app.use((_request, _response) => this.#answer(null))
    const onError: ErrorRequestHandler = (error, _request, _response, _next) => this.#answer(error)
    this.#app.use(onError)
  }

  /** A refusal is what is expected of an empty request; anything without a status is a fault in the document. */
  async send(route: Route, contentType: string | undefined): Promise<void> {
    const request = new IncomingMessage(new Socket())
    request.method = route.method.toUpperCase()
    request.url = route.path.replaceAll(/\{\w+\}/g, 'x')
    if (contentType !== undefined) request.headers['content-type'] = contentType
    const error = await new Promise<unknown>(resolve => {
      this.#answer = resolve
      this.#app(request, new ServerResponse(request))
    })
    if (error !== null && !(typeof error === 'object' && 'status' in error && error.status !== 500))
      throw error
  }
}

/** Express without what the contract makes superfluous. */
export function leanApp(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('query parser', 'simple')
  return app
}
