import type { Manifest } from '../archive/bars.ts'

/** What of an operation's parameters decides whether a split shows; the times RFC 3339. */
export type SplitView = {
  readonly adjustment: string
  readonly start: string
  readonly end: string
}

/**
 * A warning for each symbol that was split inside the range and is read as traded, where a split is a jump that no
 * holder has felt. A split on the first day is none: the bars before it are not in the range.
 * @param manifests the datasets that are read; several of one symbol are told of once
 */
export function splitWarnings(
  manifests: readonly Manifest[],
  { adjustment, start, end }: SplitView,
): string[] {
  if (adjustment !== 'none') return []
  const [first, last] = [start.slice(0, 10), end.slice(0, 10)]
  const datesOf = new Map<string, Set<string>>()
  for (const { symbol, actions } of manifests) {
    const splits = actions.filter(
      ({ kind, ex_date }) => kind === 'split' && first < ex_date && ex_date < last,
    )
    for (const { ex_date } of splits)
      datesOf.set(symbol, (datesOf.get(symbol) ?? new Set<string>()).add(ex_date))
  }
  return [...datesOf].map(
    ([symbol, dates]) =>
      `${symbol} was split inside the range (${[...dates].sort().join(', ')}): prices as traded jump there. adjustment: split removes the jump.`,
  )
}
