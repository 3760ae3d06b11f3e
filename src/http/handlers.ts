import type { Express, Request, RequestHandler, Response } from 'express'
import type { operations } from '../openapi.gen.ts'
import type { Contract } from './contract.ts'

export type OperationName = keyof operations

type PathOf<K extends OperationName> = operations[K]['parameters'] extends { path: infer P }
  ? P
  : Record<never, never>
type BodyOf<K extends OperationName> = operations[K] extends { requestBody?: { content: infer C } }
  ? C[keyof C]
  : undefined
/** The validator has filled these in: they have defaults in the contract, which the generated types do not know. */
type Defaulted = 'limit' | 'after' | 'wait' | 'dry_run' | 'include_expected'
type Filled<Q> = Omit<Q, Defaulted> & Required<Pick<Q, Extract<keyof Q, Defaulted>>>
type FilledBody<B> = B extends { priority?: infer P } ? B & { priority: NonNullable<P> } : B
type QueryOf<K extends OperationName> = operations[K]['parameters'] extends { query?: infer Q }
  ? Filled<NonNullable<Q>>
  : Record<never, never>

/** A request that has passed the validator. */
export type ApiRequest<K extends OperationName> = Request<
  PathOf<K>,
  unknown,
  FilledBody<BodyOf<K>>,
  QueryOf<K>
>

/** One handler per operationId of openapi.yaml: one that is missing or too many does not compile. */
export type Handlers = {
  readonly [K in OperationName]: (request: ApiRequest<K>, response: Response) => void | Promise<void>
}

/** The handlers of one file in `routes/`. */
export type Some<K extends OperationName> = Pick<Handlers, K>

/**
 * Registers every operation of the contract.
 * @throws {Error} when contract and handlers differ; the types compare with the generated file, which may be old
 */
export function registerHandlers(app: Express, contract: Contract, handlers: Handlers): void {
  const table: ReadonlyMap<string, (request: never, response: Response) => void | Promise<void>> = new Map(
    Object.entries(handlers),
  )
  const documented = new Set(contract.routes.map(({ operation }) => operation.operationId))
  const missing = [...documented].filter(name => !table.has(name))
  const extra = [...table.keys()].filter(name => !documented.has(name))
  if (missing.length + extra.length > 0) {
    throw new Error(
      `openapi.yaml and the handlers differ: without handler [${missing.join(', ')}], not in openapi.yaml [${extra.join(', ')}]`,
    )
  }
  for (const { path, method, operation } of contract.routes) {
    const handle = table.get(operation.operationId)
    // The validator made the request what the handler's type says, except for its headers.
    const handler: RequestHandler = (request, response) => handle?.(request as never, response)
    app[method](path.replaceAll(/\{(\w+)\}/g, ':$1'), handler)
  }
}
