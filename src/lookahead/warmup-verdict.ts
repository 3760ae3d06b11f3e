import type { LengthTally, WarmupTally } from './warmup.ts'

/** Differences below it, as a fraction of a column's greatest magnitude, do not matter. */
export const settledShare = 1e-6

/** THE table of what may be said of a column's warm-up. */
export const warmupFlags = {
  settled: 'what is declared is enough',
  too_short: 'with the declared history it has no value, or another one than with all history',
  signals_change: 'with the history the strategy requires a decision is another one than with all history',
  never_settles: 'it is declared to remember its first bar, and no length that was looked at is enough',
} as const

export type WarmupFlag = keyof typeof warmupFlags

export type WarmupColumn = WarmupTally & {
  readonly flag: WarmupFlag
  /** The shortest length looked at from which on no longer one makes a difference; null when none does. */
  readonly settled_from: number | null
}

export type WarmupVerdict = {
  /** `unstable` when a declared warm-up is too short or a decision depends on how much history there is. */
  readonly verdict: 'stable' | 'unstable'
  /**
   * The shortest length looked at from which on nothing changes that settles at all, for `history_required`; null when
   * there is none.
   */
  readonly suggested_history: number | null
  /** Those to look at first. */
  readonly columns: readonly WarmupColumn[]
}

const order: readonly WarmupFlag[] = ['too_short', 'signals_change', 'never_settles', 'settled']

/** Compares what was measured with what is declared. */
export function judgeWarmup(tallies: readonly WarmupTally[]): WarmupVerdict {
  const columns = tallies
    .map((tally): WarmupColumn => ({ ...tally, flag: flagOf(tally), settled_from: settledFrom(tally) }))
    .sort((a, b) => order.indexOf(a.flag) - order.indexOf(b.flag))
  const isUnstable = columns.some(({ flag }) => flag === 'too_short' || flag === 'signals_change')
  const settling = columns.filter(({ flag }) => flag !== 'never_settles').map(column => column.settled_from)
  return {
    verdict: isUnstable ? 'unstable' : 'stable',
    suggested_history: settling.includes(null) ? null : Math.max(0, ...settling.map(bars => bars ?? 0)),
    columns,
  }
}

function flagOf(tally: WarmupTally): WarmupFlag {
  const { kind, lengths, lookback, lookback_is_least, stable_after } = tally
  const lacks = lengths.some(
    ({ history_bars, missing }) => !lookback_is_least && history_bars >= lookback && missing > 0,
  )
  const enough = lengths.filter(({ history_bars }) => stable_after !== null && history_bars >= stable_after)
  if (lacks || (kind !== 'rule' && enough.some(length => !isSettled(tally, length)))) return 'too_short'
  const decides = lengths.filter(({ history_bars }) => history_bars >= lookback)
  if (kind === 'rule' && decides.some(({ changed }) => changed > 0)) return 'signals_change'
  return stable_after === null && settledFrom(tally) === null ? 'never_settles' : 'settled'
}

function settledFrom(tally: WarmupTally): number | null {
  let from: number | null = null
  for (const length of [...tally.lengths].reverse()) {
    if (length.compared === 0) continue
    if (!isSettled(tally, length)) break
    from = length.history_bars
  }
  return from
}

/** A decision is the same or is not; a number may differ a little. */
function isSettled({ kind }: WarmupTally, length: LengthTally): boolean {
  if (kind === 'rule') return length.changed === 0
  return length.missing === 0 && length.largest_relative_difference < settledShare
}
