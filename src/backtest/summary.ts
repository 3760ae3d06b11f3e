import { formatTime } from '../market/bars.ts'
import type { ReturnFrequency } from '../market/timeframe.ts'
import type { OpenTrade } from './account.ts'
import type { BacktestRun } from './engine.ts'
import type { MetricName } from './metric-definitions.ts'
import { computeMetrics, type RunContext } from './metrics.ts'
import { splitTrades, type TradeSplits } from './trade-metrics.ts'

/** A run in a few numbers, ready for JSON. */
export type BacktestSummary = {
  /** Bars of the requested range. */
  readonly bars: number
  /** RFC 3339 UTC: open of the first bar and close of the last. */
  readonly start: string
  readonly end: string
  readonly metrics: Readonly<Record<MetricName, number | null>>
  /** Why a metric is null, for those that are. */
  readonly undefined_reasons: Readonly<Partial<Record<MetricName, string>>>
  readonly splits: TradeSplits
  readonly return_frequency: ReturnFrequency
  readonly periods_basis: string
  /** What a reader should know before trusting the numbers. */
  readonly warnings: readonly string[]
  readonly unfilled_signals: number
  readonly rejected_orders: number
  /** `entry_time` is RFC 3339 UTC. */
  readonly open_trade: (Omit<OpenTrade, 'entry_time'> & { readonly entry_time: string }) | null
}

/** Fewer trades than this say little about a strategy. */
const fewTrades = 10

/** Measures a run and says what to be careful about. */
export function summarise(run: BacktestRun, context: RunContext): BacktestSummary {
  const { values, undefined_reasons, return_frequency, periods_basis } = computeMetrics(run, context)
  const { equity, open_trade } = run
  return {
    bars: equity.length,
    start: formatTime(context.bars.time[run.from] as number),
    end: formatTime(equity.time[equity.length - 1] as number),
    metrics: values,
    undefined_reasons,
    splits: splitTrades(run.trades),
    return_frequency,
    periods_basis,
    warnings: findWarnings(run, context),
    unfilled_signals: run.unfilled_signals,
    rejected_orders: run.rejected_orders,
    open_trade: open_trade === null ? null : { ...open_trade, entry_time: formatTime(open_trade.entry_time) },
  }
}

function findWarnings(run: BacktestRun, { config, firstUsableBar }: RunContext): string[] {
  const warnings: string[] = []
  const { length } = run.trades
  if (length === 0) warnings.push('There are no closed trades.')
  else if (length < fewTrades) {
    warnings.push(
      `There are only ${length} closed trades: fewer than ${fewTrades} say little about a strategy.`,
    )
  }
  if (config.commission_rate === 0 && config.commission_fixed === 0 && config.slippage_bps === 0) {
    warnings.push('Trading was free: commission and slippage are zero.')
  }
  warnings.push(...orderWarnings(run), ...tradeWarnings(run))
  const warmUp = Math.min(firstUsableBar - run.from, run.equity.length)
  if (warmUp > 0) {
    warnings.push(
      `The first ${warmUp} bars of the range decided nothing: there is not enough history before them.`,
    )
  }
  return warnings
}

function orderWarnings(run: BacktestRun): string[] {
  const warnings: string[] = []
  const tooSmall = run.rejected_orders - run.unplaced_entries
  if (tooSmall > 0) {
    warnings.push(`${tooSmall} entries were rejected: the money did not buy the smallest amount.`)
  }
  if (run.unplaced_entries > 0) {
    warnings.push(
      `${run.unplaced_entries} entries were not taken: the distance of their stop or target was not known.`,
    )
  }
  if (run.reduced_orders > 0) {
    warnings.push(
      `${run.reduced_orders} entries are smaller than the sizing asks for: the equity did not pay for more.`,
    )
  }
  if (run.unfilled_signals > 0)
    warnings.push('The order decided at the last close was not filled: there is no next open.')
  return warnings
}

function tradeWarnings({ trades, open_trade }: BacktestRun): string[] {
  const warnings: string[] = []
  if (trades.side.includes('short') || open_trade?.side === 'short') {
    warnings.push('Borrow costs are not modelled: the shorts cost nothing but commission and slippage.')
  }
  const ambiguous = trades.ambiguous.filter(isAmbiguous => isAmbiguous).length
  if (ambiguous > 0) {
    warnings.push(
      `${ambiguous} of ${trades.length} trades ended on a bar that reached stop and target: the stop was taken to be first.`,
    )
  }
  if (trades.exit_reason.includes('ruin')) {
    warnings.push('A short lost all equity: the account was ruined and nothing was traded after that.')
  }
  return warnings
}
