import { isTerminal } from '../operations/lifecycle.ts'
import type { OperationRecord } from '../operations/operation.ts'
import type { OperationQueries } from '../operations/queries.ts'
import { matchesETag } from './etag.ts'

/** Bodies of ended operations kept, so that watching a finished one costs neither a query nor a serialisation. */
const cachedBodies = 500
const cachedBodyLength = 65_536

export type OperationAnswer = {
  readonly status: 200 | 304
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The validator of one revision; weak, because the body may be written differently. */
export const operationETag = (id: string, revision: number): string => `W/"${id}:${revision}"`

/** Seconds until it is worth asking again: a tenth of what is left, from 1 to 30. */
export function retryAfterOf(record: Pick<OperationRecord, 'eta_seconds'>): number {
  return Math.min(30, Math.max(1, Math.round((record.eta_seconds ?? 0) / 10)))
}

/** Headers of an answer that shows an operation. */
export function operationHeaders(record: OperationRecord): Record<string, string> {
  return {
    ETag: operationETag(record.operation_id, record.revision),
    'Cache-Control': 'private, no-cache',
    ...(isTerminal(record.status) ? {} : { 'Retry-After': String(retryAfterOf(record)) }),
  }
}

type Cached = {
  readonly revision: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** Answers `GET /api/v1/operations/{operation_id}`, the address clients poll. */
export class OperationReader {
  readonly #queries: OperationQueries
  readonly #ended = new Map<string, Cached>()

  constructor(queries: OperationQueries) {
    this.#queries = queries
  }

  /** Unchanged operations are answered from their revision alone. @throws {Problem} 'operation-not-found' */
  async read(id: string, ifNoneMatch: string | undefined): Promise<OperationAnswer> {
    const revision = await this.#queries.revisionOf(id)
    if (revision !== null && matchesETag(ifNoneMatch, operationETag(id, revision))) {
      return {
        status: 304,
        headers: { ETag: operationETag(id, revision), 'Cache-Control': 'private, no-cache' },
        body: '',
      }
    }
    const cached = this.#ended.get(id)
    if (cached !== undefined && cached.revision === revision)
      return { status: 200, headers: cached.headers, body: cached.body }
    const record = await this.#queries.get(id)
    const body = JSON.stringify(await this.#queries.present(record))
    const headers = operationHeaders(record)
    if (isTerminal(record.status)) this.#keep(id, { revision: record.revision, body, headers })
    return { status: 200, headers, body }
  }

  #keep(id: string, answer: Cached): void {
    if (answer.body.length > cachedBodyLength) return
    this.#ended.delete(id)
    this.#ended.set(id, answer)
    const oldest = this.#ended.keys().next().value
    if (this.#ended.size > cachedBodies && oldest !== undefined) this.#ended.delete(oldest)
  }
}
