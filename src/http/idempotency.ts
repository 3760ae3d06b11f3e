import { createHash } from 'node:crypto'
import { Problem } from '../problems.ts'

/**
 * What makes two requests the same: the key, bare or as the quoted string of a structured field, and a hash of the
 * body that does not depend on the order of its keys.
 * @throws {Problem} 'invalid-request' for an empty key
 */
export function readIdempotency(
  header: string | undefined,
  body: unknown,
): { key: string; fingerprint: string } | null {
  if (header === undefined) return null
  const key = /^"(.*)"$/.exec(header.trim())?.[1] ?? header.trim()
  if (key === '') {
    const errors = [{ pointer: '/header/idempotency-key', code: 'empty', message: 'is empty' }]
    throw new Problem('invalid-request', 'Idempotency-Key is empty.', { errors })
  }
  return { key, fingerprint: createHash('sha256').update(canonicalJson(body)).digest('hex') }
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
