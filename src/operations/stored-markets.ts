import { BarsArchive } from '../archive/bars.ts'
import type { PinnedBars } from '../archive/bars-history.ts'
import type { DataGap } from '../backtest/warnings.ts'
import type { SymbolBars } from '../features/pipeline.ts'
import { withSessions } from '../features/pipeline-sessions.ts'
import type { Bars } from '../market/bars.ts'
import type { Calendar } from '../market/calendar.ts'
import { Calendars } from '../market/calendars.ts'
import { countUncovered, gapsInside } from '../market/data-remarks.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { MarketBars, StoredMarket } from '../strategy/market-input.ts'
import { datasetsOf, type EffectiveBacktestingParams, otherDatasetsOf } from './backtesting.ts'
import { rangeOf } from './moment.ts'
import type { Provenance } from './operation.ts'
import type { ServerFacts } from './protocol.ts'

/** What a worker has of its server and its datasets. */
export type Source = {
  readonly server: ServerFacts
  readonly provenance: Provenance
  readonly bars: (pinned: PinnedBars) => Bars
}

/** A market with the calendar its dataset names. */
export type PinnedMarket = StoredMarket & { readonly calendar: Calendar | null }

/**
 * The markets of a backtest in the order of its symbols: all bars that were pinned, with the sessions they belong to.
 * @throws {Problem} 'bars-missing' when a version is not stored, 'bars-invalid' when it is damaged
 */
export function readMarkets(params: EffectiveBacktestingParams, source: Source): PinnedMarket[] {
  const { server, provenance } = source
  const calendars = new Calendars(server.calendars)
  const archive = new BarsArchive(server.home, calendars)
  const { base, finer } = datasetsOf(params, provenance.dataset_sha256)
  return base.map((pinned, i) => {
    const bars = source.bars(pinned)
    const shorter = finer[i]
    const version = archive.version(pinned.symbol, pinned.timeframe, pinned.sha256)
    const calendar = version === null ? null : calendars.get(version.calendar)
    return {
      symbol: pinned.symbol,
      bars: calendar === null ? bars : withSessions(bars, calendar, params.timeframe),
      finer: shorter === undefined ? null : source.bars(shorter),
      calendar,
    }
  })
}

/**
 * Bars of the other timeframes that a model reads of symbol k, all that were pinned.
 * @throws {Problem} as `readMarkets`
 */
export function readOthers(
  params: EffectiveBacktestingParams,
  { others, k }: { readonly others: readonly Timeframe[]; readonly k: number },
  { server, provenance, bars }: Source,
): SymbolBars['bars'] {
  const calendars = new Calendars(server.calendars)
  const archive = new BarsArchive(server.home, calendars)
  const read = otherDatasetsOf(params, { others, k }, provenance.dataset_sha256).map(pinned => {
    const { symbol, timeframe, sha256 } = pinned
    const stored = bars(pinned)
    const calendar = calendars.find(archive.version(symbol, timeframe, sha256)?.calendar ?? '')
    return [timeframe, calendar === null ? stored : withSessions(stored, calendar, timeframe)] as const
  })
  return Object.fromEntries(read)
}

/** Bars missing in the data of a market inside the range. */
export function gapsOf(
  { symbol, bars, calendar }: PinnedMarket,
  params: EffectiveBacktestingParams,
): readonly DataGap[] {
  if (calendar === null) return []
  const range = { timeframe: params.timeframe, calendar, ...rangeOf(params) }
  return gapsInside(bars, range).map(gap => ({ ...gap, symbol }))
}

/** What a reader should know of the shorter bars that are followed inside the bars of a market, if any. */
export function remarksOnFiner(
  { symbol, finer, calendar }: PinnedMarket,
  cut: MarketBars,
  params: EffectiveBacktestingParams,
): readonly string[] {
  const { intrabar_timeframe: shorter, intrabar } = params.engine
  if (finer === null || shorter === undefined) return []
  const traded = cut.bars.length - cut.from
  const uncovered = countUncovered(cut.bars, finer, cut.from)
  const remarks: string[] = []
  if (uncovered > 0) {
    remarks.push(
      `${symbol}: ${uncovered} of the ${traded} bars in the range hold no bars of ${shorter}: intrabar '${intrabar}' holds there.`,
    )
  }
  if (calendar === null) return remarks
  const gaps = gapsInside(finer, { timeframe: shorter, calendar, ...rangeOf(params) })
  const missing = gaps.reduce((sum, gap) => sum + gap.missing_bars, 0)
  if (missing > 0) remarks.push(`${symbol}: ${missing} bars of ${shorter} are missing in the range.`)
  return remarks
}
