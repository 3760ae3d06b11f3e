import type { Bars } from './bars.ts'
import type { Calendar } from './calendar.ts'
import type { CorporateAction } from './corporate-action.ts'
import { checkGrid } from './quality-grid.ts'
import { checkJumps, checkSplits } from './quality-returns.ts'
import { checkRows, checkStaleRuns, checkVolumeSpikes } from './quality-rows.ts'
import { type QualityCheck, QualityTally } from './quality-tally.ts'
import type { Timeframe } from './timeframe.ts'

export type QualityOptions = {
  readonly calendar: Calendar
  readonly timeframe: Timeframe
  /** Known splits, which explain jumps of raw prices. */
  readonly actions: readonly CorporateAction[]
  /** Examples kept per check. */
  readonly limit: number
}

/** Times are epoch ms UTC. */
export type QualityReport = {
  readonly bars: number
  /** No check of severity critical or high found anything. */
  readonly healthy: boolean
  /** All of them, also those that found nothing, in the order of `qualityChecks`. */
  readonly checks: readonly QualityCheck[]
}

/**
 * What is doubtful about the bars. A report: nothing is ever changed. Judged are the bars as they are stored,
 * with raw prices. They need not have passed `checkBars`. O(bars), memory 2 columns.
 * @throws {Problem} 'bars-invalid' when a split of `actions` makes no sense
 */
export function checkQuality(bars: Bars, options: QualityOptions): QualityReport {
  const tally = new QualityTally(options.limit)
  checkRows(bars, tally)
  checkGrid(bars, options, tally)
  checkSplits(bars, options, tally)
  checkJumps(bars, options.timeframe, tally)
  checkStaleRuns(bars, options.timeframe, tally)
  checkVolumeSpikes(bars, tally)
  const checks = tally.end(bars.length)
  const isGrave = ({ severity, count }: QualityCheck) =>
    count > 0 && (severity === 'critical' || severity === 'high')
  return { bars: bars.length, healthy: !checks.some(isGrave), checks }
}
