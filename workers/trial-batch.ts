import { readSnapshot } from '../src/archive/strategies.ts'
import {
  blocksTable,
  type CurveColumns,
  curvesTable,
  tradeProfitsTable,
  trialRowsTable,
} from '../src/archive/trial-tables.ts'
import { readMarkets } from '../src/operations/stored-markets.ts'
import type { TrialBatchParams, TrialBatchResult, TrialVariant } from '../src/operations/trial-batch.ts'
import { type TrialRecord, TrialRunner } from '../src/operations/trial-run.ts'
import { rankTrials, scoreOf } from '../src/search/objective.ts'
import { readYaml } from '../src/strategy/yaml-source.ts'
import { collectGarbage } from './collect-garbage.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

/** A trial that is done, as the journal keeps it. */
type Entry = { readonly variant: number; readonly record: TrialRecord }

/** How often what was journaled is made to outlive a power cut, and noted as progress. */
const flushMs = 1_000

/** A batch that took longer cleans up after itself. */
const cleanAfterMs = 1_000

export default defineWorker('trial_batch', (params: TrialBatchParams, ctx): TrialBatchResult => {
  const startedAt = ctx.now()
  const records = runTrials(params, ctx)
  // Not of a batch that is stopped: its thread is to be idle within milliseconds.
  if (ctx.now() - startedAt >= cleanAfterMs) collectGarbage()
  const trials = params.variants.map((variant, i) => ({
    ...variant,
    variant: i,
    record: records[i] as TrialRecord,
  }))
  ctx.artifacts.table(
    'trials',
    trialRowsTable(trials.map(({ record, ...trial }) => ({ ...trial, ...record }))),
  )
  const blocks = trials.flatMap(({ index, record }) =>
    record.blocks === null ? [] : { index, ...record.blocks },
  )
  ctx.artifacts.table('blocks', blocksTable(blocks))
  if (params.curves) {
    ctx.artifacts.table('curves', curvesTable(joinCurves(params.variants, records)))
    const profits = records.map(({ curve }, variant) => ({
      variant,
      net_pnl: curve?.net_pnl ?? new Float64Array(0),
    }))
    ctx.artifacts.table('trade_profits', tradeProfitsTable(profits))
  }
  const { objective: metric, minimum_trades, stage } = params
  const scored = trials.flatMap(({ index, values, record: { metrics } }) =>
    metrics === null
      ? { index, values, score: null }
      : { index, values, score: scoreOf(metrics, { metric, minimum_trades }) },
  )
  return {
    stage,
    trials: trials.length,
    invalid: trials.filter(({ record }) => record.invalid !== null).length,
    best: [...rankTrials(scored).slice(0, params.best)],
  }
})

/** What every variant came to, in their order; those that an earlier attempt had done are taken from the journal. */
function runTrials(params: TrialBatchParams, ctx: WorkerContext): readonly TrialRecord[] {
  const { variants, curves } = params
  const journal = ctx.journal()
  let runner: TrialRunner | null = null
  try {
    const done = new Map(
      (journal.entries as readonly Entry[]).map(({ variant, record }) => [variant, record]),
    )
    if (done.size < variants.length) runner = openRunner(params, ctx)
    let flushedAt = ctx.now()
    return variants.map((variant, i) => {
      const record = done.get(i) ?? runner?.run(variant, curves)
      if (record === undefined) throw new Error(`variant ${i} has not been run`)
      if (!done.has(i)) journal.append({ variant: i, record })
      ctx.progress(i + 1, variants.length, 'trying', 'trial')
      if (ctx.now() - flushedAt >= flushMs) {
        journal.flush()
        ctx.saveCheckpoint({ journaled: i + 1 }, { label: `trial ${i + 1}` })
        flushedAt = ctx.now()
      }
      return record
    })
  } finally {
    runner?.release()
    journal.close()
  }
}

function openRunner({ backtest }: TrialBatchParams, ctx: WorkerContext): TrialRunner {
  ctx.progress(0, null, 'loading bars', 'trial')
  const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
  return new TrialRunner({
    backtest,
    written: readYaml(yaml).value,
    // The sizing has nothing to do with the bars.
    stored: readMarkets({ ...backtest, sizing: { mode: 'all_in' } }, ctx),
    checkpoint: () => ctx.checkCancelled(),
  })
}

/** The curves of all variants, one after the other. */
function joinCurves(variants: readonly TrialVariant[], records: readonly TrialRecord[]): CurveColumns {
  const curves = records.flatMap(({ curve }, variant) =>
    curve === null ? [] : [{ ...curve, variant, index: variants[variant]?.index ?? 0 }],
  )
  const rows = curves.reduce((sum, { time }) => sum + time.length, 0)
  const columns = Array.from({ length: 5 }, () => new Float64Array(rows))
  const [variant, index, time, equity, return_fraction] = columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let at = 0
  for (const curve of curves) {
    const end = at + curve.time.length
    variant.fill(curve.variant, at, end)
    index.fill(curve.index, at, end)
    time.set(curve.time, at)
    equity.set(curve.equity, at)
    return_fraction.set(curve.return_fraction, at)
    at = end
  }
  return { variant, index, time, equity, return_fraction }
}
