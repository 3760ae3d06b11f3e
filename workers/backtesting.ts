import { drawdownsTable, equityTable, ordersTable, tradesTable } from '../src/archive/backtest-tables.ts'
import { decisionTables } from '../src/archive/decision-tables.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import type { MeasuredMarket } from '../src/backtest/benchmark.ts'
import { type Start, worstDrawdowns } from '../src/backtest/drawdowns.ts'
import type { BacktestRun } from '../src/backtest/engine.ts'
import { startOf } from '../src/backtest/metrics.ts'
import { summarise } from '../src/backtest/summary.ts'
import type { DataGap } from '../src/backtest/warnings.ts'
import { ColumnCache } from '../src/features/column-cache.ts'
import { configOf, engineOf, planOf } from '../src/operations/backtest-config.ts'
import { reportOf } from '../src/operations/backtest-report.ts'
import type { BacktestingResult, EffectiveBacktestingParams } from '../src/operations/backtesting.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { countOrders } from '../src/operations/order-counts.ts'
import { gapsOf, readMarkets, remarksOnFiner } from '../src/operations/stored-markets.ts'
import { Problem } from '../src/problems.ts'
import { renderReport } from '../src/report/report.ts'
import { cutMarket, type DecidedMarket, decideOn, readIndicators } from '../src/strategy/market-input.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import { type RuleStrategy, requireRules } from '../src/strategy/strategy.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

/** What is kept of the indicators, so that those of the artifact are the ones that were calculated for the run. */
const cacheBytes = 256 * 1_048_576

export default defineWorker('backtesting', (params: EffectiveBacktestingParams, ctx): BacktestingResult => {
  const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
  const strategy = requireRules(parseStrategy(yaml).strategy)
  ctx.progress(0, null, 'loading bars', 'bar')
  const cache = new ColumnCache(cacheBytes)
  const { markets, gaps } = decideAll(strategy, params, { cache, ctx })
  const config = configOf(params, strategy)
  const run = engineOf(params)({ markets, config, plan: planOf(strategy), checkpoint: reporter(ctx) })
  reportEquity(ctx, run)
  const [first, ...others] = markets
  const measured: [MeasuredMarket, ...MeasuredMarket[]] = [measuredOf(first), ...others.map(measuredOf)]
  const { timeframe, symbols } = params
  const summary = summarise(run, {
    ...{ markets: measured, timeframe, config, gaps, training_range: null, seed: ctx.seed },
  })
  const { warnings, ...result } = summary
  for (const warning of warnings) ctx.warn(warning)
  storeRun(run, { timeMs: startOf({ markets: measured }), equity: config.initial_capital }, ctx)
  storeDecisions(strategy, markets, { cache, ctx })
  const report = reportOf({ run, summary, markets: measured, params, strategyName: strategy.name })
  ctx.artifacts.file('report.html', Buffer.from(renderReport(report)), 'text/html')
  ctx.artifacts.file('strategy.yaml', Buffer.from(yaml), 'application/yaml')
  const orders = countOrders(run.orders)
  return { strategy_name: strategy.name, symbols, timeframe, ...result, orders }
})

/** Rows of the artifact `drawdowns` at most. */
const maxDrawdowns = 100

type Means = { readonly cache: ColumnCache; readonly ctx: WorkerContext }

type Decided = {
  readonly markets: readonly [DecidedMarket, ...DecidedMarket[]]
  readonly gaps: readonly DataGap[]
}

/**
 * The markets that have bars in the range, what the strategy decides on them, and what their data lacks.
 * @throws {Problem} 'bars-missing' when none has any
 */
function decideAll(
  strategy: RuleStrategy,
  params: EffectiveBacktestingParams,
  { cache, ctx }: Means,
): Decided {
  const markets: DecidedMarket[] = []
  const gaps: DataGap[] = []
  for (const stored of readMarkets(params, ctx)) {
    ctx.checkCancelled()
    const market = cutMarket(stored, rangeOf(params))
    if (market.from === market.bars.length) continue
    for (const remark of remarksOnFiner(stored, market, params)) ctx.warn(remark)
    for (const gap of gapsOf(stored, params)) gaps.push(gap)
    markets.push(decideOn(strategy, market, { cache }))
  }
  const [first, ...others] = markets
  if (first === undefined) throw new Problem('bars-missing', 'there are no bars in the requested range')
  return { markets: [first, ...others], gaps }
}

function measuredOf({ symbol, bars, from, signals }: DecidedMarket): MeasuredMarket {
  return { symbol, bars, from, firstUsableBar: signals.first_usable_bar }
}

/** The artifacts of the run itself. @param start what the equity starts from */
function storeRun(run: BacktestRun, start: Start, { artifacts }: WorkerContext): void {
  artifacts.table('trades', tradesTable(run.trades))
  artifacts.table('orders', ordersTable(run.orders))
  artifacts.table('equity', equityTable(run.equity))
  artifacts.table('drawdowns', drawdownsTable(worstDrawdowns(run.equity, start, maxDrawdowns)))
}

/** The artifacts `signals` and `indicators`. */
function storeDecisions(
  strategy: RuleStrategy,
  markets: readonly DecidedMarket[],
  { cache, ctx }: Means,
): void {
  ctx.checkCancelled()
  const { signals, indicators, bars, isComplete } = decisionTables(
    markets.map(market => ({ ...market, indicators: readIndicators(strategy, market.bars, cache) })),
  )
  ctx.artifacts.table('signals', signals)
  ctx.artifacts.table('indicators', indicators)
  if (isComplete) return
  ctx.warn(
    `The range has ${bars} bars: the artifacts signals and indicators hold ${signals.rows} of them, the first on which a rule was true.`,
  )
}

/** Progress on every call, speed once a second, and the way out. */
function reporter(ctx: WorkerContext): (done: number, total: number) => void {
  let last = { at: ctx.now(), done: 0 }
  return (done, total) => {
    ctx.checkCancelled()
    ctx.progress(done, total, 'trading', 'bar')
    const elapsedMs = ctx.now() - last.at
    if (elapsedMs < 1000) return
    ctx.metric('speed', { bar: done, bars_per_second: ((done - last.done) / elapsedMs) * 1000 })
    last = { at: ctx.now(), done }
  }
}

/** A curve to look at, at most 200 points; the whole one is the artifact `equity`. */
function reportEquity(ctx: WorkerContext, { equity }: BacktestRun): void {
  const step = Math.ceil(equity.length / 200)
  for (let bar = 0; bar < equity.length; bar += step)
    ctx.metric('equity', { bar, equity: equity.equity[bar] ?? Number.NaN })
}
