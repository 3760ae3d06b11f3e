import { loadContract, type Route, resolveRef, type SchemaObject } from '../../src/http/contract.ts'
import { type Answer, type Program, startProgram } from '../support/program.ts'

const { document, routes } = loadContract()
const patterns = routes.map(route => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}))

/** Starts the program as `startProgram`; an answer that openapi.yaml does not declare fails the test. */
export async function startDeclaredProgram(environment: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram(environment)
  const request = program.request.bind(program)
  program.request = async <T>(...[method, path, options]: Parameters<Program['request']>) => {
    const answer = await request<T>(method, path, options)
    const fault = undeclared(method, path, answer)
    if (fault !== null) throw new Error(`openapi.yaml does not declare ${method} ${path}: ${fault}`)
    return answer
  }
  return program
}

/** What of an answer the contract does not declare for its operation, or null. `default` stands for problems alone. */
function undeclared(method: string, path: string, { status, headers }: Answer<unknown>): string | null {
  const mediaType = (headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
  const isProblem = status >= 400 && mediaType === 'application/problem+json'
  const responses = routeOf(method, path)?.operation.responses
  if (responses === undefined) return isProblem ? null : `${status} ${mediaType} at no operation`
  const found = responses[String(status)] ?? (isProblem ? responses.default : undefined)
  if (found === undefined) return `status ${status}`
  const response = typeof found.$ref === 'string' ? (resolveRef(document, found.$ref) as SchemaObject) : found
  const declared = Object.keys((response.content as object | undefined) ?? {})
  const hasBody = declared.length > 0
  if (!hasBody) return mediaType === '' ? null : `${mediaType} with ${status}, which has no body`
  return isProblem || declared.includes(mediaType) || declared.includes('*/*')
    ? null
    : `${status} ${mediaType}`
}

/** HEAD is answered as the GET it asks about. */
function routeOf(method: string, path: string): Route | undefined {
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase()
  const bare = path.split('?', 1)[0] ?? ''
  return patterns.find(({ route, pattern }) => route.method === wanted && pattern.test(bare))?.route
}
