import { type CutRequest, chooseCuts, type DecidingBars } from './cut-points.ts'
import { judgeTallies, type LookaheadVerdict } from './findings.ts'
import type { ColumnSource, MarketView } from './named-column.ts'
import { tallyCuts } from './tally.ts'

export type LookaheadRequest = CutRequest & {
  readonly market: MarketView
  readonly source: ColumnSource
  readonly deciding: DecidingBars
  /** Called before every cut; it may throw to stop the work. */
  readonly checkpoint?: (done: number, total: number) => void
}

export type LookaheadReport = LookaheadVerdict & {
  /** Columns that were compared. */
  readonly columns: number
  /** Instants at which they were, epoch ms. */
  readonly cuts: readonly number[]
}

/**
 * Whether any column of a strategy knows more than it could: all of them are computed from all bars and again from the
 * bars that had closed at each of some instants, and must agree, bit for bit, on every bar up to that instant. What is
 * found is proof; what is not found may hide on bars that were not looked at.
 */
export function analyseLookahead(request: LookaheadRequest): LookaheadReport {
  const { market, source, deciding, checkpoint } = request
  const whole = source(market)
  const cuts = chooseCuts(whole, deciding, request)
  const tallies = tallyCuts({
    market,
    source,
    whole,
    cuts,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  })
  return { ...judgeTallies(tallies), columns: whole.length, cuts }
}
