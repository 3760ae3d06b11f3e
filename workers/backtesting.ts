import { equityTable, tradesTable } from '../src/archive/backtest-tables.ts'
import { BarsArchive } from '../src/archive/bars.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import type { BacktestConfig, ExitPlan } from '../src/backtest/backtest-config.ts'
import { type BacktestRun, runBacktest } from '../src/backtest/engine.ts'
import { summarise } from '../src/backtest/summary.ts'
import type { SessionBars } from '../src/features/pipeline-columns.ts'
import { keepSessions, withSessions } from '../src/features/pipeline-sessions.ts'
import { firstBarAt, sliceBars } from '../src/market/bars.ts'
import { Calendars } from '../src/market/calendars.ts'
import type { BacktestingResult, EffectiveBacktestingParams } from '../src/operations/backtesting.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import { computeSignals } from '../src/strategy/signals.ts'
import { type RuleStrategy, requireRules } from '../src/strategy/strategy.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

export default defineWorker('backtesting', (params: EffectiveBacktestingParams, ctx): BacktestingResult => {
  const { symbol, timeframe } = params
  const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
  const strategy = requireRules(parseStrategy(yaml).strategy)
  ctx.progress(0, null, 'loading bars', 'bar')
  const stored = readBars(params, ctx)
  const { start, end } = rangeOf(params)
  // Bars before the range stay: they warm the indicators up.
  const bars = keepSessions(sliceBars(stored, null, end), stored)
  const from = firstBarAt(bars, start ?? Number.NEGATIVE_INFINITY)
  ctx.checkCancelled()
  const signals = computeSignals(strategy, bars)
  const config = params as BacktestConfig
  const exits = exitPlanOf(strategy)
  const run = runBacktest({ bars, signals, config, exits, from, checkpoint: reporter(ctx) })
  reportEquity(ctx, run)
  const summary = summarise(run, { bars, timeframe, config, firstUsableBar: signals.first_usable_bar })
  for (const warning of summary.warnings) ctx.warn(warning)
  ctx.artifacts.table('trades', tradesTable(run.trades))
  ctx.artifacts.table('equity', equityTable(run.equity))
  ctx.artifacts.file('strategy.yaml', Buffer.from(yaml), 'application/yaml')
  const { warnings: _, ...rest } = summary
  return { strategy_name: strategy.name, symbol, timeframe, ...rest }
})

/** The bars that were pinned, with the sessions they belong to. @throws {Problem} as the archive does */
function readBars({ symbol, timeframe }: EffectiveBacktestingParams, ctx: WorkerContext): SessionBars {
  const calendars = new Calendars(ctx.server.calendars)
  const archive = new BarsArchive(ctx.server.home, calendars)
  const sha256 = ctx.provenance.dataset_sha256[0] ?? ''
  const bars = archive.read(symbol, timeframe, sha256)
  const calendar = archive.version(symbol, timeframe, sha256)?.calendar
  return calendar === undefined ? bars : withSessions(bars, calendars.get(calendar), timeframe)
}

function exitPlanOf({ decisions: { rules } }: RuleStrategy): ExitPlan {
  return { trailing_stop: rules.stop_loss?.trailing ?? false, max_bars: rules.max_bars }
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
