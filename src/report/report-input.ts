import type { NumberUnit } from './html.ts'

/** A named number with what it means. */
export type ReportMetric = {
  readonly name: string
  readonly unit: NumberUnit
  readonly value: number | null
  readonly definition: string
  /** Why there is no value. */
  readonly reason: string | null
}

/** One element per point in every column; times are epoch ms UTC, ascending. */
export type ReportCurve = {
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly drawdown_fraction: Float64Array
  readonly exposure_fraction: Float64Array
  /** Equity of buy and hold at these points, whose indexes ascend; null without a benchmark. */
  readonly benchmark: ((points: Int32Array) => Float64Array) | null
}

/** Closes of a symbol, to draw the trades on. */
export type ReportPrices = {
  readonly symbol: string
  readonly time: Float64Array
  readonly close: Float64Array
}

export type ReportTrade = {
  readonly trade_id: number
  readonly symbol: string
  readonly side: string
  /** Epoch ms UTC. */
  readonly entry_time: number
  readonly entry_price: number
  readonly exit_time: number
  readonly exit_price: number
  readonly units: number
  readonly net_pnl: number
  readonly return_fraction: number
  readonly exit_reason: string
  readonly ambiguous: boolean
}

/** Trades told apart: by side, by symbol, by exit reason. */
export type ReportSplit = {
  readonly name: string
  readonly groups: readonly {
    readonly name: string
    readonly trades: number | null
    readonly win_rate_fraction: number | null
    readonly profit_factor: number | null
    readonly expectancy: number | null
    readonly net_pnl: number | null
  }[]
}

/** Everything a report shows. It knows nothing that the API does not tell as well. */
export type ReportInput = {
  readonly title: string
  /** What was run: label and text. */
  readonly facts: readonly (readonly [label: string, text: string])[]
  /** Shown before anything else. */
  readonly warnings: readonly string[]
  /** The few that are shown large, by name. */
  readonly headline: readonly string[]
  readonly metrics: readonly ReportMetric[]
  readonly curve: ReportCurve
  readonly prices: readonly ReportPrices[]
  readonly trades: readonly ReportTrade[]
  /** How many there are in all; `trades` may hold fewer. */
  readonly tradesTotal: number
  readonly splits: readonly ReportSplit[]
  /** Returns by calendar month (UTC), January first; null for months outside of the range. */
  readonly months: readonly {
    readonly year: number
    readonly months: readonly (number | null)[]
    readonly total: number | null
  }[]
  readonly drawdowns: readonly {
    readonly start: string
    readonly trough: string
    readonly end: string | null
    readonly depth_fraction: number
    readonly days: number
  }[]
  /** The effective configuration, as it ran. */
  readonly configuration: unknown
}

/** More trades than this are not listed: the artifact `trades` has them all. */
export const maxListedTrades = 1_000
