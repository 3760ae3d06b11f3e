import type { components } from './openapi.gen.ts'
import { type ProblemData, problems } from './problems.ts'

/** What a problem is about: the path of the request or of the operation, and the request that led to it. */
export type ProblemContext = { readonly instance: string; readonly requestId: string | null }

/** A problem as the API shows it (RFC 9457), in an error answer or in a failed operation. */
export function problemBody(data: ProblemData, context: ProblemContext): components['schemas']['Problem'] {
  const { status, title, retryable } = problems[data.code]
  return {
    type: `/problems/${data.code}`,
    title,
    status,
    detail: data.detail,
    instance: context.instance,
    code: data.code,
    request_id: context.requestId,
    retryable,
    ...(data.hint === undefined ? {} : { hint: data.hint }),
    errors: (data.errors ?? []).map(error => ({ ...error })),
  }
}
