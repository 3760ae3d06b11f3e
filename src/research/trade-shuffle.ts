import { quantileOf } from '../statistics/quantile.ts'
import { Random } from '../statistics/random.ts'

/** Quantiles of a simulated distribution, and where the run itself lies in it. */
export type Distribution = {
  readonly mean: number
  readonly p05: number
  readonly p25: number
  readonly p50: number
  readonly p75: number
  readonly p95: number
}

/** What other orders and other draws of the same trades would have come to. */
export type TradeSimulation = {
  readonly runs: number
  /** The same trades in another order end at the same money but fall differently on the way. */
  readonly shuffled_max_drawdown_fraction: Distribution
  /** As many trades drawn with replacement. */
  readonly resampled_final_equity: Distribution
  readonly resampled_max_drawdown_fraction: Distribution
  /** Share of the resampled runs that ended below the initial capital. */
  readonly loss_probability_fraction: number
  /** Share of the resampled runs in which nothing was left at some point. */
  readonly ruin_probability_fraction: number
}

/**
 * Shuffles and resamples the money that trades made. Each trade adds what it added, whatever the equity was by then:
 * sizes are not simulated anew.
 * @param pnl net P&L of the trades in account currency, at least one
 * @param runs of each kind, ≥ 1  @param checkpoint called after every run; it may throw to stop
 */
export function simulateTrades(
  pnl: Float64Array,
  { initialCapital, runs, seed }: { initialCapital: number; runs: number; seed: number },
  checkpoint: (done: number) => void = () => undefined,
): TradeSimulation {
  const drawn = new Float64Array(pnl.length)
  const [shuffled, finals, drawdowns] = [1, 2, 3].map(() => new Float64Array(runs)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let losses = 0
  let ruins = 0
  for (let run = 0; run < runs; run++) {
    const random = new Random(seed, run)
    drawn.set(pnl)
    random.shuffle(drawn)
    shuffled[run] = follow(drawn, initialCapital).drawdown
    for (let i = 0; i < drawn.length; i++) drawn[i] = pnl[random.below(pnl.length)] as number
    const { final, drawdown } = follow(drawn, initialCapital)
    finals[run] = final
    drawdowns[run] = drawdown
    if (final < initialCapital) losses++
    if (drawdown >= 1) ruins++
    checkpoint(run + 1)
  }
  return {
    runs,
    shuffled_max_drawdown_fraction: distributionOf(shuffled),
    resampled_final_equity: distributionOf(finals),
    resampled_max_drawdown_fraction: distributionOf(drawdowns),
    loss_probability_fraction: losses / runs,
    ruin_probability_fraction: ruins / runs,
  }
}

/** Mean and quantiles (linear between neighbours) of at least one value. */
export function distributionOf(values: Float64Array): Distribution {
  const sorted = values.toSorted()
  let sum = 0
  for (const value of sorted) sum += value
  return {
    mean: sum / sorted.length,
    p05: quantileOf(sorted, 0.05),
    p25: quantileOf(sorted, 0.25),
    p50: quantileOf(sorted, 0.5),
    p75: quantileOf(sorted, 0.75),
    p95: quantileOf(sorted, 0.95),
  }
}

/** The equity after the trades, and its deepest fall from a high as a fraction of it, 1 where nothing was left. */
function follow(pnl: Float64Array, initialCapital: number): { final: number; drawdown: number } {
  let equity = initialCapital
  let peak = initialCapital
  let drawdown = 0
  for (let i = 0; i < pnl.length; i++) {
    equity += pnl[i] as number
    if (equity > peak) peak = equity
    const fall = (peak - equity) / peak
    if (fall > drawdown) drawdown = fall
  }
  return { final: equity, drawdown: Math.min(1, drawdown) }
}
