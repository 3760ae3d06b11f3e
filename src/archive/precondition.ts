import { Problem } from '../problems.ts'

/** Conditions of a write, as the headers of RFC 9110 state them: tags in quotes, `*` for anything. */
export type Precondition = { readonly ifMatch?: string; readonly ifNoneMatch?: string }

/**
 * Whether a write may go on. Replacing needs `If-Match`: without it, the last of two who read the same would undo the
 * other's change unseen. Weak tags never match.
 * @param current sha256 of what is there now, null when nothing is
 * @throws {Problem} 'precondition-failed', 'precondition-required' when something is there and no condition was given
 */
export function checkWrite(
  name: string,
  current: string | null,
  { ifMatch, ifNoneMatch }: Precondition,
): void {
  if (ifMatch !== undefined && !matches(ifMatch, current)) {
    const now = current === null ? 'there is none' : `it is "${current}" now`
    throw new Problem('precondition-failed', `'${name}' is not what If-Match names: ${now}.`)
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, current))
    throw new Problem('precondition-failed', `'${name}' exists already, as "${current}".`)
  if (current === null || ifMatch !== undefined || ifNoneMatch !== undefined) return
  throw new Problem('precondition-required', `'${name}' exists: say with If-Match what may be replaced.`, {
    hint: `Read it again and send If-Match: "${current}", or If-Match: * to replace whatever is there.`,
  })
}

function matches(header: string, current: string | null): boolean {
  if (current === null) return false
  if (header.trim() === '*') return true
  return header.split(',').some(tag => tag.trim() === `"${current}"`)
}
