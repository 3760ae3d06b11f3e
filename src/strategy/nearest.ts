import { distance } from 'fastest-levenshtein'

/**
 * The candidate that `name` was most likely meant to be, ignoring case, or null when none is near: at most a
 * third of the longer word may differ, and never fewer than two characters are forgiven.
 */
export function nearest(name: string, candidates: readonly string[]): string | null {
  // Two texts of thousands of characters would cost millions of steps to compare.
  if (name.length > 100) return null
  let best: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    const allowed = Math.max(2, Math.floor(Math.max(name.length, candidate.length) / 3))
    if (edits <= allowed && edits < Math.min(least, candidate.length)) {
      best = candidate
      least = edits
    }
  }
  return best
}

/** ` — did you mean 'x'?`, or the choices when nothing is near. */
export function suggest(name: string, candidates: readonly string[]): string {
  const guess = nearest(name, candidates)
  return guess === null ? `one of ${candidates.join(', ')} is expected` : `did you mean '${guess}'?`
}
