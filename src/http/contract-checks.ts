import type { Request, RequestHandler } from 'express'
import { Problem } from '../problems.ts'
import { type Contract, type Route, resolveRef, type SchemaObject } from './contract.ts'
import { hasBody } from './guard.ts'

type Rule = {
  readonly method: string
  readonly pattern: RegExp
  readonly needsBody: boolean
  /** Names of whole numbers in the query. */
  readonly integers: readonly string[]
}

/**
 * What the validator lets through although the contract forbids it: a required body that is missing, where it is
 * text, and numbers that only JavaScript reads as such (`0x10`, `1e2`, `+5`).
 */
export function contractChecks(contract: Contract): RequestHandler {
  const rules = contract.routes
    .map(route => ruleOf(contract, route))
    .filter(({ needsBody, integers }) => needsBody || integers.length > 0)
  return (request, _response, next) => {
    const rule = rules.find(({ method, pattern }) => method === request.method && pattern.test(request.path))
    if (rule !== undefined) checkRequest(rule, request)
    next()
  }
}

function ruleOf({ document }: Contract, { path, method, operation }: Route): Rule {
  const parameters = (operation.parameters ?? []).map(parameter =>
    typeof parameter.$ref === 'string' ? (resolveRef(document, parameter.$ref) as SchemaObject) : parameter,
  )
  return {
    method: method.toUpperCase(),
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    needsBody: operation.requestBody?.required === true,
    integers: parameters
      .filter(({ in: place, schema }) => place === 'query' && (schema as SchemaObject).type === 'integer')
      .map(({ name }) => String(name)),
  }
}

function checkRequest({ needsBody, integers }: Rule, request: Request): void {
  if (needsBody && !hasBody(request)) refuse('/body', 'required', 'a body is required')
  if (integers.length === 0) return
  const { query } = request
  for (const name of integers) {
    const value = query[name]
    if (typeof value === 'string' && !/^-?\d+$/.test(value))
      refuse(`/query/${name}`, 'type', 'must be an integer, in decimal digits')
  }
}

function refuse(pointer: string, code: string, message: string): never {
  throw new Problem('invalid-request', `${pointer}: ${message}`, { errors: [{ pointer, code, message }] })
}
