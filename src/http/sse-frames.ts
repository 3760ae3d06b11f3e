import type { FeedEvent } from '../feed/feed.ts'
import { isTerminal } from '../operations/lifecycle.ts'
import type { Operation, OperationRecord, Progress } from '../operations/operation.ts'
import { presentLine, presentPoint } from '../operations/series.ts'
import type { Frame } from './sse-client.ts'

/** What `id:` is: the operation's revision, or the server-wide sequence of changes. */
export type IdKind = 'revision' | 'change_seq'

/** A snapshot or status event. */
export function operationFrame(
  kind: 'snapshot' | 'status',
  record: OperationRecord,
  operation: Operation,
  idKind: IdKind,
): Frame {
  return {
    bytes: encode(kind, record[idKind], operation),
    operationId: record.operation_id,
    kind,
    revision: record.revision,
    attempt: record.attempt,
    progress: operation.progress,
    terminal: isTerminal(record.status),
  }
}

/** Progress as last told, coalesced by operation. */
export type ProgressNews = {
  readonly operationId: string
  readonly attempt: number
  readonly revision: number
  readonly progress: Progress
}

export function progressFrame(
  { operationId, attempt, revision, progress: all }: ProgressNews,
  idKind: IdKind,
): Frame {
  const { progress, phase, steps, rate, eta_seconds } = all
  const data = { operation_id: operationId, progress, phase, steps, rate, eta_seconds }
  const bytes = encode('progress', idKind === 'revision' ? revision : null, data)
  return { bytes, operationId, kind: 'progress', revision, attempt, progress, terminal: false }
}

/** The newest state of an operation that was told: what progress, metrics and logs belong to. */
export type Known = { readonly attempt: number; readonly revision: number }

/** New points or lines. */
export function seriesFrame(
  event: Extract<FeedEvent, { kind: 'metrics' | 'logs' }>,
  known: Known,
  idKind: IdKind,
): Frame {
  const { operation_id } = event
  const { attempt, revision } = known
  const id = idKind === 'revision' ? revision : null
  const common = { operationId: operation_id, revision, attempt, progress: null, terminal: false }
  if (event.kind === 'metrics') {
    const data = { operation_id, name: event.name, points: event.points.map(presentPoint) }
    return { ...common, kind: 'metrics', bytes: encode('metrics', id, data) }
  }
  return {
    ...common,
    kind: 'log',
    bytes: encode('log', id, { operation_id, items: event.lines.map(presentLine) }),
  }
}

/** JSON has no raw line breaks, so one `data:` line is enough. Without an id the client keeps the one before. */
function encode(event: string, id: number | null, data: unknown): Buffer {
  return Buffer.from(`${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
