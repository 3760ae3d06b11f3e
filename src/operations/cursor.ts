import { createHash } from 'node:crypto'
import { Problem } from '../problems.ts'

export type Position = { readonly created_at: number; readonly operation_id: string }

/** Ties a cursor to the filter it was made for. */
const fingerprint = (filter: unknown): string =>
  createHash('sha256').update(JSON.stringify(filter)).digest('base64url').slice(0, 8)

/** Where the next page starts, opaque to clients. @param filter what the list was asked for */
export function encodeCursor(position: Position, filter: unknown): string {
  return Buffer.from(
    JSON.stringify([position.created_at, position.operation_id, fingerprint(filter)]),
  ).toString('base64url')
}

/** @throws {Problem} 'invalid-cursor' when it was not made by `encodeCursor` for the same filter */
export function decodeCursor(cursor: string, filter: unknown): Position {
  const refuse = (why: string) =>
    new Problem('invalid-cursor', `cursor ${why}`, {
      hint: 'Take next_cursor of the page before and keep the other query parameters, or start over without a cursor.',
      errors: [{ pointer: '/query/cursor', code: 'cursor', message: why }],
    })
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw refuse('was not issued by this server')
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw refuse('was not issued by this server')
  const [createdAt, id, filterPrint] = parts
  if (typeof createdAt !== 'number' || typeof id !== 'string') throw refuse('was not issued by this server')
  if (filterPrint !== fingerprint(filter)) throw refuse('belongs to a list with other parameters')
  return { created_at: createdAt, operation_id: id }
}
