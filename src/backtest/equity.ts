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
  /** Σ units · close of every market, at its last close; shorts count below 0. */
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

  /** Writes point p. Points are written in order; of those left out `equity` is written by whom leaves them out. */
  mark(p: number, account: Account): void {
    this.equity[p] = account.equity()
    this.cash.set(p, account.cash)
    const { positions } = account
    for (let k = 0; k < positions.length; k++) this.units[k]?.set(p, positions[k]?.units ?? 0)
  }

  /** The curve of what was recorded. */
  curve(): EquityCurve {
    const { timeline, equity, initialCapital } = this
    const cash = once(() => this.cash.expand(timeline.length))
    const value = once(() => this.sumValues(false))
    const exposure = once(() => ratio(this.sumValues(true), equity))
    const drawdown = once(() => drawdowns(equity, initialCapital))
    return {
      length: timeline.length,
      time: timeline.close,
      equity,
      get cash() {
        return cash()
      },
      get position_value() {
        return value()
      },
      get exposure_fraction() {
        return exposure()
      },
      get drawdown_fraction() {
        return drawdown()
      },
    }
  }

  /** Σ units · last close over the markets at every point, or of their absolute values. */
  private sumValues(isAbsolute: boolean): Float64Array {
    const { timeline, markets } = this
    const sums = new Float64Array(timeline.length)
    markets.forEach(({ bars, from }, k) => {
      const units = this.units[k]?.expand(timeline.length) ?? sums
      let next = from
      for (let p = 0; p < sums.length; p++) {
        if (next < bars.length && bars.time[next] === timeline.open[p]) next++
        if (units[p] === 0) continue
        const held = isAbsolute ? Math.abs(units[p] as number) : (units[p] as number)
        sums[p] = (sums[p] as number) + held * (bars.close[next - 1] as number)
      }
    })
    return sums
  }
}

function ratio(gross: Float64Array, equity: Float64Array): Float64Array {
  return gross.map((value, p) => {
    if (value === 0) return 0
    return (equity[p] as number) > 0 ? value / (equity[p] as number) : Number.NaN
  })
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
