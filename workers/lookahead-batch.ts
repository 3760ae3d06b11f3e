import { readFileSync } from 'node:fs'
import { artifactPath } from '../src/archive/artifacts.ts'
import { BarsArchive } from '../src/archive/bars.ts'
import { findingsTable, warmupColumnsTable, warmupLengthsTable } from '../src/archive/lookahead-tables.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import { withSessions } from '../src/features/pipeline-sessions.ts'
import { chooseCuts } from '../src/lookahead/cut-points.ts'
import { judgeTallies } from '../src/lookahead/findings.ts'
import type { MarketView } from '../src/lookahead/named-column.ts'
import { strategyColumns } from '../src/lookahead/strategy-columns.ts'
import { openSubject, type Subject } from '../src/lookahead/subject.ts'
import { type ColumnTally, mergeTallies, tallyCuts } from '../src/lookahead/tally.ts'
import { barsWithHistory, measureWarmup, mergeWarmups, type WarmupTally } from '../src/lookahead/warmup.ts'
import { judgeWarmup } from '../src/lookahead/warmup-verdict.ts'
import { Calendars } from '../src/market/calendars.ts'
import { fitOf } from '../src/operations/feature-build.ts'
import type { EffectiveLookaheadParams } from '../src/operations/lookahead-analysis.ts'
import {
  type LookaheadBatchParams,
  type LookaheadBatchResult,
  measuredFile,
} from '../src/operations/lookahead-batch.ts'
import { type AnalysedRun, analysedDatasets } from '../src/operations/lookahead-run.ts'
import { summariseLookahead, summariseWarmup } from '../src/operations/lookahead-summary.ts'
import { rangeOf } from '../src/operations/moment.ts'
import type { EffectiveWarmupParams } from '../src/operations/warmup-analysis.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import type { Strategy } from '../src/strategy/strategy.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

type Work = {
  readonly part: Pick<LookaheadBatchParams, 'from' | 'to' | 'parts'>
  readonly strategy: Strategy
  readonly ctx: WorkerContext
}

/** What a part leaves for the last one. */
type Measured<Tally> = {
  readonly columns: number
  readonly instants: number
  readonly tallies: readonly Tally[]
}

export default defineWorker('lookahead_batch', (params: LookaheadBatchParams, ctx): LookaheadBatchResult => {
  const { strategy } = parseStrategy(readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? ''))
  const work: Work = { part: params, strategy, ctx }
  const isReport = params.parts.length > 0
  if (params.lookahead !== undefined)
    return isReport ? reportLookahead(params.lookahead, work) : measureCuts(params.lookahead, work)
  return isReport ? reportWarmup(params.warmup, work) : measureLengths(params.warmup, work)
})

function measureCuts(lookahead: EffectiveLookaheadParams, work: Work): LookaheadBatchResult {
  const subject = open(lookahead, work, fitOf(lookahead))
  const cuts = chooseCuts(subject.whole, subject.deciding, lookahead)
  const tallies = goThrough(cuts, 'cut', work, cut => tallyCuts({ ...subject, cuts: [cut] }))
  return leave(work, subject, { instants: cuts.length, tallies: mergeTallies(tallies) })
}

function measureLengths(warmup: EffectiveWarmupParams, work: Work): LookaheadBatchResult {
  const subject = open(warmup, work, null)
  const { lengths, decisions, seed } = warmup
  const bars = barsWithHistory(subject.deciding, lengths)
  const instants = chooseCuts(subject.whole, bars, { cuts: decisions, seed })
  const checkpoint = () => work.ctx.checkCancelled()
  const tallies = goThrough(lengths, 'length', work, length =>
    measureWarmup({ ...subject, lengths: [length], instants, checkpoint }),
  )
  return leave(work, subject, { instants: instants.length, tallies: mergeWarmups(tallies) })
}

function reportLookahead(lookahead: EffectiveLookaheadParams, work: Work): LookaheadBatchResult {
  const { columns, instants, parts } = readParts<ColumnTally>(work)
  const verdict = judgeTallies(mergeTallies(parts))
  work.ctx.artifacts.table('findings', findingsTable(verdict.findings))
  const analysed = describe(lookahead, work, columns)
  return { columns, instants, lookahead: summariseLookahead(verdict, analysed, instants), warmup: null }
}

function reportWarmup(warmup: EffectiveWarmupParams, work: Work): LookaheadBatchResult {
  const { columns, instants, parts } = readParts<WarmupTally>(work)
  const verdict = judgeWarmup(mergeWarmups(parts))
  work.ctx.artifacts.table('columns', warmupColumnsTable(verdict.columns))
  work.ctx.artifacts.table('lengths', warmupLengthsTable(verdict.columns))
  const analysed = describe(warmup, work, columns)
  return { columns, instants, lookahead: null, warmup: summariseWarmup(verdict, analysed, instants) }
}

/** Reads the pinned bars and computes the strategy on all of them. */
function open(run: AnalysedRun, { strategy, ctx }: Work, fit: ReturnType<typeof fitOf>): Subject {
  ctx.progress(0, null, 'loading bars', 'cut')
  const { timeframe, timeframes } = run
  const source = strategyColumns(strategy, {
    ...{ timeframe, timeframes, fit },
    checkpoint: () => ctx.checkCancelled(),
  })
  return openSubject(readMarket(run, ctx), source, { base: timeframe, ...rangeOf(run) })
}

function readMarket(run: AnalysedRun, ctx: WorkerContext): MarketView {
  const calendars = new Calendars(ctx.server.calendars)
  const archive = new BarsArchive(ctx.server.home, calendars)
  const datasets = analysedDatasets(run, ctx.provenance.dataset_sha256)
  return run.symbols.map((symbol, row) => {
    const bars = run.timeframes.map((timeframe, column) => {
      ctx.checkCancelled()
      const sha256 = datasets[row * run.timeframes.length + column]?.sha256 ?? ''
      const read = ctx.bars({ symbol, timeframe, sha256 })
      const calendar = archive.version(symbol, timeframe, sha256)?.calendar
      const known = calendar === undefined ? read : withSessions(read, calendars.get(calendar), timeframe)
      return [timeframe, known]
    })
    return { symbol, bars: Object.fromEntries(bars) }
  })
}

/** Does the items of this part one by one; what an earlier attempt has done is not done again. */
function goThrough<Found>(
  items: readonly number[],
  unit: string,
  { part: { from, to }, ctx }: Work,
  tally: (item: number) => Found,
): readonly Found[] {
  const journal = ctx.journal()
  const found = [...journal.entries] as Found[]
  const own = items.slice(from, to)
  let savedAt = ctx.now()
  for (const item of own.slice(found.length)) {
    ctx.checkCancelled()
    ctx.progress(found.length, own.length, 'comparing', unit)
    found.push(tally(item))
    journal.append(found.at(-1))
    if (ctx.now() - savedAt < 1_000) continue
    journal.flush()
    savedAt = ctx.now()
    ctx.saveCheckpoint({ journaled: found.length }, { label: `${unit} ${found.length}` })
  }
  journal.close()
  return found
}

function leave<Tally>(
  { ctx }: Work,
  { whole }: Subject,
  { instants, tallies }: Omit<Measured<Tally>, 'columns'>,
): LookaheadBatchResult {
  const columns = whole.length
  const measured: Measured<Tally> = { columns, instants, tallies }
  ctx.artifacts.file(measuredFile, Buffer.from(JSON.stringify(measured)), 'application/json')
  return { columns, instants, lookahead: null, warmup: null }
}

function readParts<Tally>({ part, ctx }: Work): Omit<Measured<Tally>, 'tallies'> & {
  readonly parts: readonly (readonly Tally[])[]
} {
  const measured = part.parts.map(({ operation_id, attempt }): Measured<Tally> => {
    const path = artifactPath(ctx.server.home, operation_id, attempt, { file: measuredFile })
    return JSON.parse(readFileSync(path, 'utf8'))
  })
  const [first] = measured
  const parts = measured.map(({ tallies }) => tallies)
  return { columns: first?.columns ?? 0, instants: first?.instants ?? 0, parts }
}

function describe({ symbols, timeframe }: AnalysedRun, { strategy }: Work, columns: number) {
  return { strategy_name: strategy.name, symbols, timeframe, columns }
}
