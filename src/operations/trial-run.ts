import type { BacktestConfig } from '../backtest/backtest-config.ts'
import type { MeasuredMarket } from '../backtest/benchmark.ts'
import { type BacktestRun, RunBuffers } from '../backtest/engine.ts'
import type { MetricName } from '../backtest/metric-definitions.ts'
import { computeMetrics, periodsOf, type RunContext } from '../backtest/metrics.ts'
import { periodEnds } from '../backtest/periods.ts'
import { equityReturns } from '../backtest/returns.ts'
import { ColumnCache } from '../features/column-cache.ts'
import type { Periods } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { bootstrapBars, DrawnColumns } from '../research/bar-bootstrap.ts'
import { overrideStrategy } from '../search/overrides.ts'
import { allocateBlockSums, writeBlockSums } from '../statistics/block-sums.ts'
import { Random } from '../statistics/random.ts'
import {
  cutMarket,
  type DecidedMarket,
  decideOn,
  type MarketBars,
  type StoredMarket,
} from '../strategy/market-input.ts'
import { SignalColumns } from '../strategy/signal-columns.ts'
import type { RuleStrategy } from '../strategy/strategy.ts'
import { configOf, engineOf, planOf } from './backtest-config.ts'
import { rangeOf } from './moment.ts'
import type { TrialVariant, VariedBacktest } from './trial-batch.ts'

/** What a trial came to. */
export type TrialRecord = {
  /** Why it was not run: its values do not go together, or there are no bars. Null when it was. */
  readonly invalid: string | null
  readonly metrics: Readonly<Record<MetricName, number | null>> | null
  /** Sums of its returns, to split them in all ways: null where there are none. */
  readonly blocks: TrialBlocks | null
  /** At the ends of the periods of its returns; null unless it is to be kept. */
  readonly curve: TrialCurve | null
}

/** Σ of the returns and of their squares over blocks of time. */
export type TrialBlocks = {
  readonly periods: number
  readonly sum: Float64Array
  readonly square: Float64Array
}

export type TrialCurve = {
  /** Close, epoch ms. */
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly return_fraction: Float64Array
  /** Of its closed trades, in the order of their exits. */
  readonly net_pnl: Float64Array
}

/** Faults of one variant: the others can be run. */
const invalidCodes: readonly string[] = ['params-invalid', 'bars-missing']

/** Blocks that returns are cut into, where there are two returns for each. */
const mostBlocks = 16

/** Columns of indicators that are kept for the next trial, per thread: three of a year of minutes. */
const cacheBytes = 13_000_000

/** Bars that several trials in a row run on. */
type CutBars = {
  readonly key: string
  readonly markets: readonly [MarketBars, ...MarketBars[]]
  /** To annualise by: working it out reads every bar. */
  readonly periods: Periods
}

/**
 * Runs variants of one backtest one after the other in the same memory. What a variant comes to depends on nothing but
 * itself.
 */
export class TrialRunner {
  private readonly backtest: VariedBacktest
  private readonly written: unknown
  private readonly stored: readonly StoredMarket[]
  private readonly checkpoint: () => void
  private readonly cache = new ColumnCache(cacheBytes, { isReleased: true })
  private readonly buffers = new RunBuffers()
  private readonly signals = new Map<string, SignalColumns>()
  private readonly drawn = new Map<string, DrawnColumns>()
  private cut: CutBars | null = null

  /**
   * @param given.written the strategy as people write it, as data
   * @param given.checkpoint called every millisecond or so; it may throw to stop
   */
  constructor(given: {
    readonly backtest: VariedBacktest
    readonly written: unknown
    readonly stored: readonly StoredMarket[]
    readonly checkpoint: () => void
  }) {
    this.backtest = given.backtest
    this.written = given.written
    this.stored = given.stored
    this.checkpoint = given.checkpoint
  }

  /** What cannot be run is told in the record: its values do not go together, or its range holds no bars. */
  run(variant: TrialVariant, keepCurve: boolean): TrialRecord {
    const { strategy, reason } = overrideStrategy(this.written, variant.values)
    if (strategy === null) return { invalid: reason, metrics: null, blocks: null, curve: null }
    try {
      return this.measure(strategy, { variant, cut: this.barsOf(variant), keepCurve })
    } catch (error) {
      // What goes together in the text may still not go with the engine.
      if (!(error instanceof Problem) || !invalidCodes.includes(error.code)) throw error
      return { invalid: error.message, metrics: null, blocks: null, curve: null }
    }
  }

  /** Gives the memory back at once: that of many runners would pile up. Nothing can be run after it. */
  release(): void {
    this.cache.clear()
    this.buffers.release()
    for (const signals of this.signals.values()) signals.release()
    for (const drawn of this.drawn.values()) drawn.release()
  }

  private measure(
    strategy: RuleStrategy,
    given: {
      readonly variant: TrialVariant
      readonly cut: CutBars
      readonly keepCurve: boolean
    },
  ): TrialRecord {
    this.checkpoint()
    const [first, ...others] = given.cut.markets
    const markets = [
      this.decide(strategy, first),
      ...others.map(bars => this.decide(strategy, bars)),
    ] as const
    this.cache.release()
    const config = stressed(
      configOf(this.backtest as Parameters<typeof configOf>[0], strategy),
      given.variant,
    )
    const run = engineOf(this.backtest)({
      markets,
      config,
      plan: planOf(strategy),
      checkpoint: this.checkpoint,
      reuse: this.buffers,
      keepOrders: false,
    })
    const [one, ...more] = markets
    const context: RunContext = {
      markets: [measuredOf(one), ...more.map(measuredOf)],
      timeframe: this.backtest.timeframe,
      config,
      periods: given.cut.periods,
    }
    const { values: metrics } = computeMetrics(run, context)
    this.checkpoint()
    const ends = periodEnds(run.equity, context.timeframe)
    const returns = equityReturns(run.equity, config.initial_capital, ends)
    return {
      invalid: null,
      metrics,
      blocks: run.ruined ? null : sumBlocks(returns),
      curve: given.keepCurve ? curveOf(run, ends, returns) : null,
    }
  }

  private decide(strategy: RuleStrategy, market: MarketBars): DecidedMarket {
    const known = this.signals.get(market.symbol)
    const reuse = known ?? new SignalColumns()
    if (known === undefined) this.signals.set(market.symbol, reuse)
    this.checkpoint()
    return decideOn(strategy, market, { cache: this.cache, reuse, checkpoint: this.checkpoint })
  }

  private barsOf(variant: TrialVariant): CutBars {
    const { bootstrap } = variant
    const range = { start: variant.start ?? this.backtest.start, end: variant.end ?? this.backtest.end }
    const key = JSON.stringify([range, bootstrap])
    if (this.cut?.key === key) return this.cut
    const cut = this.stored
      .map(market => cutMarket(market, rangeOf(range)))
      .filter(({ from, bars }) => from < bars.length)
      .map(market => (bootstrap === undefined ? market : this.redraw(market, bootstrap)))
    const [first, ...others] = cut
    if (first === undefined) throw new Problem('bars-missing', 'there are no bars in the requested range')
    const { timeframe } = this.backtest
    const measured = ({ symbol, bars, from }: MarketBars) => ({ symbol, bars, from, firstUsableBar: from })
    const periods = periodsOf({ markets: [measured(first), ...others.map(measured)], timeframe })
    this.cut = { key, markets: [first, ...others], periods }
    return this.cut
  }

  /** Other bars of the same kind, in the memory of those before; what happened inside them is not known. */
  private redraw(market: MarketBars, bootstrap: NonNullable<TrialVariant['bootstrap']>): MarketBars {
    const { bars, from, symbol } = market
    const { seed, stream, block_bars: blockBars } = bootstrap
    const into = this.drawn.get(symbol) ?? new DrawnColumns()
    this.drawn.set(symbol, into)
    const made = bootstrapBars(bars, { from, blockBars, into }, new Random(seed, stream))
    const { session } = bars
    return { ...market, bars: session === undefined ? made : { ...made, session }, finer: null }
  }
}

function measuredOf({ symbol, bars, from, signals }: DecidedMarket): MeasuredMarket {
  return { symbol, bars, from, firstUsableBar: signals.first_usable_bar }
}

function stressed(config: BacktestConfig, { stress }: TrialVariant): BacktestConfig {
  if (stress === undefined) return config
  const { commission, spread, slippage } = stress
  const { volume_share: share } = config
  return {
    ...config,
    commission_rate: config.commission_rate * commission,
    commission_fixed: config.commission_fixed * commission,
    commission_per_unit: config.commission_per_unit * commission,
    commission_min: config.commission_min * commission,
    commission_tiers: config.commission_tiers.map(tier => ({ ...tier, rate: tier.rate * commission })),
    spread_bps: config.spread_bps * spread,
    slippage_bps: config.slippage_bps * slippage,
    volume_share: share === null ? null : { ...share, impact: share.impact * slippage },
  }
}

function sumBlocks(returns: Float64Array): TrialBlocks | null {
  const blocks = Math.min(mostBlocks, Math.floor(returns.length / 4) * 2)
  if (blocks < 2 || !returns.every(Number.isFinite)) return null
  const sums = allocateBlockSums(1, returns.length, blocks)
  writeBlockSums(sums, 0, returns)
  return { periods: returns.length, sum: sums.sum, square: sums.square }
}

function curveOf(run: BacktestRun, ends: Int32Array, returns: Float64Array): TrialCurve {
  const { time, equity } = run.equity
  return {
    time: Float64Array.from(ends, end => time[end] as number),
    equity: Float64Array.from(ends, end => equity[end] as number),
    return_fraction: returns,
    net_pnl: run.trades.net_pnl.slice(),
  }
}
