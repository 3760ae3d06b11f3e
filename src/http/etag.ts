/** Whether an `If-None-Match` header names the tag, by weak comparison (RFC 9110, 8.8.3.2). */
export function matchesETag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '')
  return header.split(',').some(candidate => candidate.trim().replace(/^W\//, '') === opaque)
}
