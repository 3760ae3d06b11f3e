import type { ReportInput, ReportPrices, ReportTrade } from './report-input.ts'
import { thinOut } from './thin-out.ts'

/** Points of a line: more are not to be seen on a page. */
const maxPoints = 2_000
/** Symbols whose prices are drawn; the trades of all are listed. */
const maxCharts = 8
/** Entries and exits marked on a chart of prices. */
const maxMarks = 2_000

type Line = readonly (number | null)[]

/** What the page draws. Times are seconds, which is what the chart library counts in. */
export type ChartData = {
  readonly equity: { readonly time: Line; readonly equity: Line; readonly benchmark: Line | null }
  readonly drawdown: { readonly time: Line; readonly drawdown: Line }
  readonly exposure: { readonly time: Line; readonly exposure: Line }
  readonly prices: readonly {
    readonly symbol: string
    readonly time: Line
    readonly close: Line
    readonly entries: Line
    readonly exits: Line
  }[]
}

/** Thins every curve out to what a page can show. */
export function chartData({ curve, prices, trades }: ReportInput): ChartData {
  const equity = thinOut(curve.equity, maxPoints)
  const drawdown = thinOut(curve.drawdown_fraction, maxPoints)
  const exposure = thinOut(curve.exposure_fraction, maxPoints)
  return {
    equity: {
      time: seconds(curve.time, equity),
      equity: pick(curve.equity, equity),
      benchmark: curve.benchmark === null ? null : Array.from(curve.benchmark(equity), round),
    },
    drawdown: {
      time: seconds(curve.time, drawdown),
      drawdown: pick(curve.drawdown_fraction, drawdown).map(value => (value === null ? null : -100 * value)),
    },
    exposure: {
      time: seconds(curve.time, exposure),
      exposure: pick(curve.exposure_fraction, exposure).map(value => (value === null ? null : 100 * value)),
    },
    prices: prices.slice(0, maxCharts).map(symbol => priceData(symbol, trades)),
  }
}

function priceData({ symbol, time, close }: ReportPrices, trades: readonly ReportTrade[]) {
  const points = thinOut(close, maxPoints)
  const marks = new Map<number, { entry: number | null; exit: number | null }>()
  for (const i of points) marks.set(time[i] as number, { entry: null, exit: null })
  const closes = new Map([...points].map(i => [time[i] as number, close[i] as number]))
  const own = trades.filter(trade => trade.symbol === symbol).slice(0, maxMarks / 2)
  for (const trade of own) {
    const at = (timeMs: number) => {
      const mark = marks.get(timeMs) ?? { entry: null, exit: null }
      marks.set(timeMs, mark)
      return mark
    }
    at(trade.entry_time).entry = trade.entry_price
    at(trade.exit_time).exit = trade.exit_price
  }
  const times = [...marks.keys()].sort((a, b) => a - b)
  return {
    symbol,
    time: times.map(timeMs => timeMs / 1000),
    close: times.map(timeMs => round(closes.get(timeMs) ?? null)),
    entries: times.map(timeMs => round(marks.get(timeMs)?.entry ?? null)),
    exits: times.map(timeMs => round(marks.get(timeMs)?.exit ?? null)),
  }
}

const seconds = (times: Float64Array, indexes: Int32Array): Line =>
  Array.from(indexes, i => (times[i] as number) / 1000)

const pick = (values: Float64Array, indexes: Int32Array): Line =>
  Array.from(indexes, i => round(values[i] as number))

/** Seven digits are more than a screen shows. */
function round(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(7))
}
