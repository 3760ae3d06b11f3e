import { formatTime } from '../market/bars.ts'
import type { ColumnTally } from './tally.ts'

/** A column that looks ahead, or reads one that does. */
export type Finding = ColumnTally & {
  /** `root`: what it reads is clean, it looks ahead itself. `consequence`: it changes because of what it reads. */
  readonly role: 'root' | 'consequence'
  /** Ids of the roots that a consequence comes from; none for a root. */
  readonly because_of: readonly string[]
  /** What was seen, as a sentence or two. */
  readonly reading: string
}

export type LookaheadVerdict = {
  readonly verdict: 'clean' | 'biased'
  /** Roots first. */
  readonly findings: readonly Finding[]
}

/**
 * Tells the columns that look ahead from those that merely read them. A column that does both is a root only where its
 * own fault shows on a bar before theirs: correct the roots, then look again.
 */
export function judgeTallies(tallies: readonly ColumnTally[]): LookaheadVerdict {
  const byId = new Map(tallies.map(tally => [tally.id, tally]))
  const findings = tallies.map((tally): Finding => {
    const isRoot = tally.cuts_unexplained > 0
    return {
      ...tally,
      role: isRoot ? 'root' : 'consequence',
      because_of: isRoot ? [] : rootsOf(tally, byId),
      reading: readingOf(tally, byId, isRoot),
    }
  })
  const roots = findings.filter(({ role }) => role === 'root')
  const consequences = findings.filter(({ role }) => role === 'consequence')
  return { verdict: tallies.length === 0 ? 'clean' : 'biased', findings: [...roots, ...consequences] }
}

function rootsOf(tally: ColumnTally, byId: ReadonlyMap<string, ColumnTally>): readonly string[] {
  const roots = new Set<string>()
  const seen = new Set<string>()
  const follow = (id: string) => {
    const found = byId.get(id)
    if (found === undefined || seen.has(id)) return
    seen.add(id)
    if (found.cuts_unexplained > 0) roots.add(id)
    else for (const read of found.depends_on) follow(read)
  }
  for (const id of tally.depends_on) follow(id)
  return [...roots]
}

function readingOf(tally: ColumnTally, byId: ReadonlyMap<string, ColumnTally>, isRoot: boolean): string {
  const { first, kind, name, bars_back } = tally
  const bars = bars_back === 0 ? 'one bar' : `${bars_back + 1} bars`
  const values = `${shown(first.whole)} with the bars after ${formatTime(first.cut_time)} and ${shown(first.truncated)} without them`
  const seen = `The ${kind} ${name} of the bar of ${formatTime(first.bar_time)} is ${values}: it knows at least ${bars} too much.`
  if (!isRoot) return `${seen} It reads ${rootsOf(tally, byId).join(', ')}.`
  if (kind !== 'feature' && kind !== 'membership') return seen
  return `${seen} The indicator is clean on its own ${tally.timeframe} bars: look at what follows it, the join (a value used before its bar has closed) and the normalisation.`
}

function shown(value: number | null): string {
  return value === null ? 'unknown' : String(value)
}
