import type { Account } from './account.ts'
import type { MarketInput } from './backtest-run.ts'
import type { RunBuffers } from './run-buffers.ts'
import type { StepSeries } from './step-series.ts'
import type { Timeline } from './timeline.ts'
import { once } from './trades.ts'

/** One element per bar of the requested range, at its close. Money is in account currency. */
export type EquityCurve = {
  readonly length: number
  /** Close time of the bar, epoch ms UTC; of several markets the latest. */
  readonly time: Float64Array
  /** cash + position_value. */
  readonly equity: Float64Array
  readonly cash: Float64Array
  /** Σ units · price of every market: its last close, or the open of a bar that has opened since. Shorts count below 0. */
  readonly position_value: Float64Array
  /** Σ |units| · close / equity; 0 where nothing is held, NaN where something is held and the equity is not above 0. */
  readonly exposure_fraction: Float64Array
  /** (highest equity so far − equity) / highest, where the initial capital is the first high; ≥ 0. */
  readonly drawdown_fraction: Float64Array
}

/** The columns of `EquityCurve`, in the order to show them. */
export const equityColumns = [
  'time',
  'equity',
  'cash',
  'position_value',
  'exposure_fraction',
  'drawdown_fraction',
] as const satisfies readonly (keyof EquityCurve)[]

/**
 * Records a run point by point. Only the equity is written for every point; cash and units are kept where they change,
 * and the other columns calculated from them when they are first read.
 */
export class EquityRecorder {
  readonly equity: Float64Array
  private readonly timeline: Timeline
  private readonly markets: readonly MarketInput[]
  private readonly initialCapital: number
  private readonly cash: StepSeries
  private readonly units: readonly StepSeries[]

  /** @param buffers whose memory is written to */
  constructor(
    timeline: Timeline,
    markets: readonly MarketInput[],
    initialCapital: number,
    buffers: RunBuffers,
  ) {
    this.timeline = timeline
    this.markets = markets
    this.initialCapital = initialCapital
    this.equity = buffers.equity(timeline.length)
    this.cash = buffers.series(0, initialCapital)
    this.units = markets.map((_, k) => buffers.series(k + 1, 0))
  }

  /** Writes the equity at point p. */
  mark(p: number, account: Account): void {
    this.equity[p] = account.equity()
  }

  /** Notes what is held from point p on. Points are noted in order; between them nothing changes but prices. */
  note(p: number, account: Account): void {
    this.cash.set(p, account.cash)
    const { positions } = account
    for (let k = 0; k < positions.length; k++) this.units[k]?.set(p, positions[k]?.units ?? 0)
  }

  /** The curve of what was recorded. */
  curve(): EquityCurve {
    const { timeline, equity, initialCapital } = this
    const cash = once(() => this.cash.expand(timeline.length))
    const sums = once(() => this.sumValues())
    const exposure = once(() => ratio(sums().gross, equity))
    const drawdown = once(() => drawdowns(equity, initialCapital))
    return {
      length: timeline.length,
      time: timeline.close,
      equity,
      get cash() {
        return cash()
      },
      get position_value() {
        return sums().net
      },
      get exposure_fraction() {
        return exposure()
      },
      get drawdown_fraction() {
        return drawdown()
      },
    }
  }

  /** Σ units · price over the markets at every point, and of their absolute values. */
  private sumValues(): { readonly net: Float64Array; readonly gross: Float64Array } {
    const { timeline, markets } = this
    const { close: closeMs, length } = timeline
    const net = new Float64Array(length)
    const gross = new Float64Array(length)
    markets.forEach(({ bars: { time, close_time, open, close }, from }, k) => {
      let next = from
      this.units[k]?.each(length, (held, start, end) => {
        // The only market has a bar at every point.
        if (held === 0 && markets.length === 1) return
        if (markets.length === 1) {
          for (let p = start; p < end; p++) {
            const value = held * (close[from + p] as number)
            net[p] = value
            gross[p] = Math.abs(value)
          }
          return
        }
        for (let p = start; p < end; p++) {
          const timeMs = closeMs[p] as number
          // A bar that opens at a close is not seen at it.
          while (next < time.length && (time[next] as number) < timeMs) next++
          if (held === 0) continue
          const price = (close_time[next - 1] as number) > timeMs ? open[next - 1] : close[next - 1]
          const value = held * (price as number)
          net[p] = (net[p] as number) + value
          gross[p] = (gross[p] as number) + Math.abs(value)
        }
      })
    })
    return { net, gross }
  }
}

/** Writes the ratio over the gross values. */
function ratio(gross: Float64Array, equity: Float64Array): Float64Array {
  for (let p = 0; p < gross.length; p++) {
    const value = gross[p] as number
    if (value !== 0) gross[p] = (equity[p] as number) > 0 ? value / (equity[p] as number) : Number.NaN
  }
  return gross
}

function drawdowns(equity: Float64Array, initialCapital: number): Float64Array {
  const fractions = new Float64Array(equity.length)
  let peak = initialCapital
  for (let p = 0; p < equity.length; p++) {
    const value = equity[p] as number
    if (value > peak) peak = value
    fractions[p] = (peak - value) / peak
  }
  return fractions
}
