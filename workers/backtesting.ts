import { drawdownsTable, equityTable, ordersTable, tradesTable } from '../src/archive/backtest-tables.ts'
import type { PinnedBars } from '../src/archive/bars-history.ts'
import { decisionTables } from '../src/archive/decision-tables.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import type { Table } from '../src/archive/tables.ts'
import type { MeasuredMarket } from '../src/backtest/benchmark.ts'
import { type Start, worstDrawdowns } from '../src/backtest/drawdowns.ts'
import type { BacktestRun } from '../src/backtest/engine.ts'
import { startOf } from '../src/backtest/metrics.ts'
import { summarise } from '../src/backtest/summary.ts'
import type { DataGap } from '../src/backtest/warnings.ts'
import { configOf, engineOf, planOf } from '../src/operations/backtest-config.ts'
import { type Decider, decideBy } from '../src/operations/backtest-decider.ts'
import { reportOf } from '../src/operations/backtest-report.ts'
import type { BacktestingResult, EffectiveBacktestingParams } from '../src/operations/backtesting.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { countOrders } from '../src/operations/order-counts.ts'
import { gapsOf, readMarkets, remarksOnFiner } from '../src/operations/stored-markets.ts'
import { Problem } from '../src/problems.ts'
import { renderReport } from '../src/report/report.ts'
import { cutMarket, type DecidedMarket } from '../src/strategy/market-input.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

export default defineWorker('backtesting', (params: EffectiveBacktestingParams, ctx): BacktestingResult => {
  const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
  ctx.progress(0, null, 'loading bars', 'bar')
  const decider = decideBy(params, yaml, deskOf(ctx))
  const { strategy } = decider
  const { markets, gaps } = decideAll(decider, params, ctx)
  const config = configOf(params, strategy)
  const run = engineOf(params)({ markets, config, plan: planOf(strategy), checkpoint: reporter(ctx) })
  reportEquity(ctx, run)
  const [first, ...others] = markets
  const measured: [MeasuredMarket, ...MeasuredMarket[]] = [measuredOf(first), ...others.map(measuredOf)]
  // First, so that the largest files are written while the rest is calculated.
  storeRun(run, { timeMs: startOf({ markets: measured }), equity: config.initial_capital }, ctx)
  const { timeframe, symbols } = params
  const summary = summarise(run, {
    ...{ markets: measured, timeframe, config, gaps, ...decider.seen, seed: ctx.seed },
  })
  const { warnings, ...result } = summary
  for (const warning of warnings) ctx.warn(warning)
  storeDecisions(decider, markets, ctx)
  const report = reportOf({ run, summary, markets: measured, params, strategyName: strategy.name })
  ctx.artifacts.file('report.html', Buffer.from(renderReport(report)), 'text/html')
  ctx.artifacts.file('strategy.yaml', Buffer.from(yaml), 'application/yaml')
  const orders = countOrders(run.orders)
  return { strategy_name: strategy.name, ...decider.model, symbols, timeframe, ...result, orders }
})

/** Rows of the artifact `drawdowns` at most. */
const maxDrawdowns = 100

/** The part of a worker's means that deciding takes. */
function deskOf(ctx: WorkerContext) {
  const { server, provenance } = ctx
  return {
    ...{ server, provenance, bars: (pinned: PinnedBars) => ctx.bars(pinned) },
    checkpoint: () => {
      ctx.checkCancelled()
      ctx.progress(0, null, 'deciding', 'bar')
    },
  }
}

type Decided = {
  readonly markets: readonly [DecidedMarket, ...DecidedMarket[]]
  readonly gaps: readonly DataGap[]
}

/**
 * The markets that have bars in the range, what the strategy decides on them, and what their data lacks.
 * @throws {Problem} 'bars-missing' when none has any
 */
function decideAll(decider: Decider, params: EffectiveBacktestingParams, ctx: WorkerContext): Decided {
  const markets: DecidedMarket[] = []
  const gaps: DataGap[] = []
  for (const stored of readMarkets(params, ctx)) {
    ctx.checkCancelled()
    const market = cutMarket(stored, rangeOf(params))
    if (market.from === market.bars.length) continue
    for (const remark of remarksOnFiner(stored, market, params)) ctx.warn(remark)
    for (const gap of gapsOf(stored, params)) gaps.push(gap)
    const decided = decider.decide(stored, market)
    const remark = decider.remark(decided)
    if (remark !== null) ctx.warn(remark)
    markets.push(decided)
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

/** The artifacts `signals` and, where rules decide, `indicators`; what a model answered stands beside its signals. */
function storeDecisions(decider: Decider, markets: readonly DecidedMarket[], ctx: WorkerContext): void {
  ctx.checkCancelled()
  const { signals, indicators, bars, isComplete } = decisionTables(
    markets.map(market => ({ ...market, indicators: decider.readings(market) })),
  )
  const isByRules = decider.strategy.kind === 'rules'
  const columns = isByRules ? signals.columns : withReadings(signals, indicators)
  ctx.artifacts.table('signals', { rows: signals.rows, columns })
  if (isByRules) ctx.artifacts.table('indicators', indicators)
  if (isComplete) return
  const [stored, what] = isByRules
    ? ['artifacts signals and indicators hold', 'a rule was true']
    : ['artifact signals holds', 'the model decided something']
  ctx.warn(`The range has ${bars} bars: the ${stored} ${signals.rows} of them, the first on which ${what}.`)
}

/** The columns of both tables, which have the same rows, those they share once. */
function withReadings(signals: Table, readings: Table): Table['columns'] {
  const names = new Set(signals.columns.map(({ name }) => name))
  return [...signals.columns, ...readings.columns.filter(({ name }) => !names.has(name))]
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
