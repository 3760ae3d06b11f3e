import { formatTime } from '../market/bars.ts'
import type { Gap } from '../market/gap-list.ts'
import { dayMs } from '../market/timeframe.ts'
import type { BacktestConfig } from './backtest-config.ts'
import type { BacktestRun } from './engine.ts'
import { type RunContext, startOf } from './metrics.ts'

/** Bars that are missing in the data of a symbol. */
export type DataGap = Pick<Gap, 'start' | 'end' | 'missing_bars'> & { readonly symbol: string }

type TimeRange = { readonly start: number; readonly end: number }

/** What the data and the model behind a run were. */
export type WarningContext = RunContext & {
  /** What a model was trained on, epoch ms UTC, half-open; null without a model. */
  readonly training_range: TimeRange | null
  /** What its best epoch was chosen on, the same way; absent like null. */
  readonly validation_range?: TimeRange | null
  /** Inside the range; those of closed markets, without missing bars, are ignored. */
  readonly gaps: readonly DataGap[]
}

/** Fewer trades, or days, than this say little about a strategy. */
const fewTrades = 10
const fewDays = 14

/** What a reader should know before trusting the numbers, the most important first. */
export function findWarnings(run: BacktestRun, context: WarningContext): string[] {
  return [
    ...lossWarnings(run),
    ...trainingWarnings(run, context),
    ...sampleWarnings(run, context),
    ...costWarnings(run, context.config),
    ...gapWarnings(context.gaps),
    ...disagreementWarnings(run),
    ...volumeWarnings(context),
    ...earlyEndWarnings(run, context),
    ...tradeWarnings(run, context.config),
    ...orderWarnings(run),
    ...warmUpWarnings(context),
  ]
}

function lossWarnings({ ruined, liquidations }: BacktestRun): string[] {
  const warnings: string[] = []
  if (ruined)
    warnings.push(
      'The account was ruined: nothing was left of the equity, and nothing was traded after that.',
    )
  if (liquidations > 0) {
    warnings.push(
      `Positions were liquidated ${times(liquidations)}: the equity fell below the maintenance margin.`,
    )
  }
  return warnings
}

function trainingWarnings(run: BacktestRun, context: WarningContext): string[] {
  const { training_range, validation_range = null } = context
  const trained = overlapOf(run, context, training_range)
  const chosen = overlapOf(run, context, validation_range)
  return [
    ...(trained === null
      ? []
      : [
          `The model was trained on part of this range, ${trained}: its results there say nothing about the future.`,
        ]),
    ...(chosen === null
      ? []
      : [
          `The model was chosen by its results on part of this range, ${chosen}: it looks better there than it is.`,
        ]),
  ]
}

/** The part of a run that lies in a range, in words; null for none. */
function overlapOf(run: BacktestRun, context: WarningContext, range: TimeRange | null): string | null {
  if (range === null) return null
  const startMs = Math.max(startOf(context), range.start)
  const endMs = Math.min(run.equity.time[run.equity.length - 1] as number, range.end)
  return startMs < endMs ? `${formatTime(startMs)} to ${formatTime(endMs)}` : null
}

function sampleWarnings(run: BacktestRun, context: RunContext): string[] {
  const warnings: string[] = []
  const { length } = run.trades
  if (length === 0) warnings.push('There are no closed trades.')
  else if (length < fewTrades) {
    warnings.push(
      `There are only ${length} closed trades: fewer than ${fewTrades} say little about a strategy.`,
    )
  }
  const days = ((run.equity.time[run.equity.length - 1] as number) - startOf(context)) / dayMs
  if (days < fewDays) {
    warnings.push(
      `The range is ${Number(days.toFixed(1))} days long: fewer than ${fewDays} say little about a strategy.`,
    )
  }
  return warnings
}

function costWarnings(run: BacktestRun, config: BacktestConfig): string[] {
  const warnings: string[] = []
  if (isFree(config)) warnings.push('Trading was free: commission, spread and slippage are zero.')
  const isShort = run.trades.side.includes('short') || run.open_trades.some(({ side }) => side === 'short')
  if (isShort && config.borrow_rate_annual === 0)
    warnings.push('Borrowing was free: the shorts cost nothing but their fills. borrow_rate_annual is zero.')
  if (config.leverage > 1 && config.funding_rate_annual === 0)
    warnings.push('Leverage was free: borrowed cash bears no interest. funding_rate_annual is zero.')
  return warnings
}

function isFree(config: BacktestConfig): boolean {
  const { commission_rate, commission_fixed, commission_per_unit, commission_min, commission_tiers } = config
  const commission = commission_fixed + commission_per_unit + commission_min
  const rates = commission_tiers.length === 0 ? [commission_rate] : commission_tiers.map(({ rate }) => rate)
  const isImpactFree = config.volume_share === null || config.volume_share.impact === 0
  return (
    commission === 0 &&
    !rates.some(rate => rate > 0) &&
    config.spread_bps + config.slippage_bps === 0 &&
    isImpactFree
  )
}

/** One line per symbol, however many gaps. */
function gapWarnings(gaps: readonly DataGap[]): string[] {
  const bySymbol = new Map<string, DataGap[]>()
  for (const gap of gaps) {
    if (gap.missing_bars > 0) bySymbol.set(gap.symbol, [...(bySymbol.get(gap.symbol) ?? []), gap])
  }
  return [...bySymbol].map(([symbol, list]) => {
    const missing = list.reduce((total, gap) => total + gap.missing_bars, 0)
    const largest = list.reduce((most, gap) => (gap.missing_bars > most.missing_bars ? gap : most))
    const where = `${formatTime(largest.start)} to ${formatTime(largest.end)}`
    return list.length === 1
      ? `${bars(missing)} of ${symbol} missing in the range: ${where}.`
      : `${bars(missing)} of ${symbol} missing in the range, in ${list.length} gaps; the largest is ${where}.`
  })
}

function disagreementWarnings({ disagreeing_bars: count }: BacktestRun): string[] {
  if (count === 0) return []
  const were = count === 1 ? '1 bar was' : `${count} bars were`
  return [
    `${were} not followed inside: the shorter bars reach prices that they do not, so that the mode \`intrabar\` decided.`,
  ]
}

/** A market without volume trades nothing, which looks like a strategy without signals. */
function volumeWarnings({ markets, config }: RunContext): string[] {
  if (config.volume_share === null) return []
  return markets
    .filter(({ bars, from }) => !bars.volume.subarray(from).some(volume => volume > 0))
    .map(
      ({ symbol }) => `${symbol} has no volume in the range: with volume_share none of its orders is filled.`,
    )
}

/** Open positions of markets whose bars end before the run does. */
function earlyEndWarnings(run: BacktestRun, { markets }: RunContext): string[] {
  const endMs = run.equity.time[run.equity.length - 1] as number
  return markets.flatMap(({ symbol, bars: { close_time, length } }) => {
    const lastMs = close_time[length - 1] ?? endMs
    if (lastMs >= endMs || !run.open_trades.some(trade => trade.symbol === symbol)) return []
    return [
      `The bars of ${symbol} end at ${formatTime(lastMs)}: its position is held to the end of the run at its last close.`,
    ]
  })
}

function tradeWarnings({ trades }: BacktestRun, { intrabar }: BacktestConfig): string[] {
  const ambiguous = trades.ambiguous.filter(isAmbiguous => isAmbiguous).length
  if (ambiguous === 0) return []
  const assumed =
    intrabar === 'pessimistic'
      ? 'the stop was taken to be first'
      : intrabar === 'optimistic'
        ? 'the target was taken to be first'
        : `which was first is an assumption (${intrabar})`
  return [`${ambiguous} of ${trades.length} trades ended on a bar that reached stop and target: ${assumed}.`]
}

function orderWarnings(run: BacktestRun): string[] {
  const warnings: string[] = []
  const tooSmall = run.rejected_orders - run.unplaced_entries
  if (tooSmall > 0) {
    warnings.push(
      `${tooSmall} entries were rejected: the money did not buy the smallest amount, or no further position was allowed.`,
    )
  }
  if (run.unplaced_entries > 0) {
    warnings.push(
      `${run.unplaced_entries} entries were not taken: a price or distance they need was not known.`,
    )
  }
  if (run.expired_orders > 0)
    warnings.push(`${run.expired_orders} limit or stop entries ended without a fill.`)
  if (run.reduced_orders > 0) {
    warnings.push(
      `${run.reduced_orders} entries are smaller than the sizing asks for: the equity did not pay for more.`,
    )
  }
  if (run.unfilled_signals > 0)
    warnings.push('What was decided at the last close was not filled: there is no next open.')
  return warnings
}

function warmUpWarnings({ markets }: RunContext): string[] {
  const warnings: string[] = []
  for (const {
    symbol,
    bars: { length },
    from,
    firstUsableBar,
  } of markets) {
    const warmUp = Math.min(firstUsableBar, length) - from
    if (warmUp > 0) {
      const of = markets.length === 1 ? '' : ` of ${symbol}`
      warnings.push(`The first ${warmUp} bars${of} decided nothing: there is not enough history before them.`)
    }
  }
  return warnings
}

function bars(count: number): string {
  return count === 1 ? '1 bar' : `${count} bars`
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
