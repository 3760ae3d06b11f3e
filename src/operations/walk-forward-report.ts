import type { CurveColumns, TrialRow } from '../archive/trial-tables.ts'
import { toRfc3339 } from '../clock.ts'
import type { Fold } from '../research/folds.ts'
import { joinWindows, type Walked, type WindowCurve } from '../research/walked.ts'
import type { RankedTrial } from '../search/objective.ts'
import { directionOf, metricOf, rankTrials } from '../search/objective.ts'
import type { EffectiveWalkForwardParams, WalkForwardResult } from './walk-forward.ts'

/** One window of a walk as its batches left it. */
export type MeasuredWindow = {
  readonly fold: Fold
  /** Every trial on the training bars. */
  readonly trials: readonly (RankedTrial & Pick<TrialRow, 'metrics'>)[]
  /** The best one on the bars that follow; null when there is none, or when it could not run there. */
  readonly test: { readonly row: TrialRow; readonly curve: WindowCurve } | null
}

type Window = WalkForwardResult['windows'][number]

/** The result of a walk, and the equity of its windows one after the other. */
export function reportWalk(
  params: EffectiveWalkForwardParams,
  strategyName: string,
  windows: readonly MeasuredWindow[],
): { readonly result: WalkForwardResult; readonly walked: Walked } {
  const described = windows.map(window => describeWindow(window, params))
  const tested = windows.flatMap(({ test }) => (test === null ? [] : [test]))
  const periodsPerYear = tested[0]?.row.metrics?.periods_per_year ?? null
  const walked = joinWindows(
    tested.map(({ curve }) => curve),
    params.backtest.initial_capital,
    periodsPerYear,
  )
  const efficiencies = described.map(({ efficiency }) => efficiency).filter(one => one !== null)
  const result: WalkForwardResult = {
    strategy_name: strategyName,
    objective: params.objective,
    direction: directionOf(params.objective),
    windows: described,
    out_of_sample: {
      windows: tested.length,
      winning_windows: described.filter(({ test_return_fraction: won }) => won !== null && won > 0).length,
      return_fraction: walked.return_fraction,
      sharpe: walked.sharpe,
      max_drawdown_fraction: walked.max_drawdown_fraction,
      trades: described.reduce((sum, { test_trades }) => sum + (test_trades ?? 0), 0),
    },
    median_efficiency: medianOf(efficiencies),
    changed_winners: described.filter(({ values }, i) => i > 0 && differs(values, described[i - 1]?.values))
      .length,
    warnings: [],
  }
  return { result: { ...result, warnings: findWarnings(result) }, walked }
}

function describeWindow({ fold, trials, test }: MeasuredWindow, params: EffectiveWalkForwardParams): Window {
  const { objective } = params
  const [first] = rankTrials(trials)
  const best = first === undefined || first.score === null ? null : first
  const inside = best === null || best.score === null ? null : metricOf(best.score, objective)
  const metrics = test?.row.metrics ?? null
  const outside = metrics?.[objective] ?? null
  return {
    index: fold.index,
    train: { start: toRfc3339(fold.train_start), end: toRfc3339(fold.train_end) },
    test: { start: toRfc3339(fold.test_start), end: toRfc3339(fold.test_end) },
    trials: trials.length,
    values: best === null ? null : { ...best.values },
    in_sample: inside,
    out_of_sample: outside,
    efficiency: inside === null || outside === null || !(inside > 0) ? null : outside / inside,
    test_return_fraction: metrics?.total_return_fraction ?? null,
    test_trades: metrics?.trades ?? null,
  }
}

/** What a reader should be careful about. */
function findWarnings({
  direction,
  windows,
  out_of_sample,
  median_efficiency,
  changed_winners,
}: WalkForwardResult): string[] {
  const warnings: string[] = []
  const missing = windows.length - out_of_sample.windows
  if (missing > 0)
    warnings.push(
      `${missing} of ${windows.length} windows had no trial with a score, or no bars to test it on: nothing was traded after them.`,
    )
  if (out_of_sample.trades < 30)
    warnings.push(`There are only ${out_of_sample.trades} trades outside of the samples: they say little.`)
  warnings.push(...warnOfFading(direction, median_efficiency))
  if (windows.length > 2 && changed_winners > windows.length / 2)
    warnings.push(
      `The best values changed in ${changed_winners} of ${windows.length - 1} steps: what is best does not last.`,
    )
  return warnings
}

function warnOfFading(direction: WalkForwardResult['direction'], efficiency: number | null): string[] {
  if (efficiency === null) return []
  const percent = Math.round(100 * Math.max(0, efficiency))
  const found = 'of what the search had found'
  if (direction === 'maximise')
    return efficiency < 0.5
      ? [`Outside of the samples half of the windows kept at most ${percent} % ${found}.`]
      : []
  return efficiency > 2
    ? [`Outside of the samples half of the windows had at least ${percent} % ${found}; less would be better.`]
    : []
}

function differs(a: Window['values'], b: Window['values'] | undefined): boolean {
  return a !== null && b != null && JSON.stringify(a) !== JSON.stringify(b)
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.ceil((sorted.length - 1) / 2)]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

/** The curve of one variant. */
export function curveOfVariant(curves: CurveColumns, variant: number): WindowCurve {
  const from = curves.variant.indexOf(variant)
  if (from === -1) return { time: new Float64Array(0), return_fraction: new Float64Array(0) }
  const to = curves.variant.lastIndexOf(variant) + 1
  return { time: curves.time.subarray(from, to), return_fraction: curves.return_fraction.subarray(from, to) }
}
