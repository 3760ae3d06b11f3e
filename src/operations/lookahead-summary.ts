import { toRfc3339 } from '../clock.ts'
import type { Finding, LookaheadVerdict } from '../lookahead/findings.ts'
import type { WarmupColumn, WarmupVerdict } from '../lookahead/warmup-verdict.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import type { LookaheadAnalysisResult } from './lookahead-analysis.ts'
import type { WarmupAnalysisResult } from './warmup-analysis.ts'

type Schemas = components['schemas']

/** What is said of the run whatever was found. */
export type Analysed = Pick<LookaheadAnalysisResult, 'strategy_name' | 'symbols' | 'timeframe' | 'columns'>

/** Findings in a result; the artifacts have all of them. */
const maxFindings = 100

/** The result of a look-ahead analysis. @param cuts how many instants were compared */
export function summariseLookahead(
  { verdict, findings }: LookaheadVerdict,
  analysed: Analysed,
  cuts: number,
): LookaheadAnalysisResult {
  return {
    ...analysed,
    verdict,
    cuts,
    findings_total: findings.length,
    findings: findings.slice(0, maxFindings).map(describeFinding),
  }
}

/** The result of a warm-up analysis. @param decisions how many instants were compared */
export function summariseWarmup(
  { verdict, suggested_history, columns }: WarmupVerdict,
  analysed: Analysed,
  decisions: number,
): WarmupAnalysisResult {
  const findings = columns.flatMap(column => describeColumn(column) ?? [])
  return {
    ...analysed,
    verdict,
    decisions,
    suggested_history_bars: suggested_history,
    findings_total: findings.length,
    findings: findings.slice(0, maxFindings),
  }
}

function describeFinding(finding: Finding): Schemas['LookaheadFinding'] {
  const { name, kind, symbol, timeframe, role, because_of, first } = finding
  return {
    column: name,
    kind,
    symbol,
    timeframe: timeframe as Timeframe,
    role,
    because_of: [...because_of],
    first: {
      cut_time: toRfc3339(first.cut_time),
      bar_time: toRfc3339(first.bar_time),
      value: first.whole,
      truncated_value: first.truncated,
    },
    bars_ahead: finding.bars_back + 1,
    bars_differing: finding.bars_differing,
    cuts_differing: finding.cuts_differing,
    largest_difference: finding.largest_difference,
    reading: finding.reading,
  }
}

/** Null for a column of which there is nothing to say. */
function describeColumn(column: WarmupColumn): Schemas['WarmupFinding'] | null {
  const { name, kind, symbol, timeframe, flag, lengths } = column
  if (flag === 'settled') return null
  return {
    ...{ column: name, kind, symbol, timeframe: timeframe as Timeframe, flag },
    lookback_bars: column.lookback,
    stable_after_bars: column.stable_after,
    settled_from_bars: column.settled_from,
    lengths: lengths.map(length => ({ ...length })),
  }
}
