import { publishModel } from '../src/archive/models.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import { historyTable, predictionsTable } from '../src/archive/training-tables.ts'
import {
  type EffectiveTrainingParams,
  requireModel,
  type TrainingResult,
} from '../src/operations/training.ts'
import { presentTraining } from '../src/operations/training-result.ts'
import {
  type FinishedTraining,
  finishTraining,
  type OpenTraining,
  openTraining,
  readTrainingBars,
  trainedModelOf,
  weightsSha256,
} from '../src/operations/training-run.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import type { ModelStrategy } from '../src/strategy/strategy.ts'
import type { EpochMetrics } from '../src/training/epoch-metrics.ts'
import type { LoopState, TrainingLoop } from '../src/training/loop.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

export default defineWorker(
  'training',
  async (params: EffectiveTrainingParams, ctx): Promise<TrainingResult> => {
    const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
    const strategy = withSeed(requireModel(parseStrategy(yaml).strategy), params.seed)
    ctx.progress(0, null, 'loading bars', 'batch')
    const symbols = readTrainingBars(params, ctx)
    const state = ctx.restored<LoopState>()
    const open = openTraining(params, { strategy, symbols, state }, (_done, _total, phase) => {
      ctx.checkCancelled()
      ctx.progress(0, null, phase, 'batch')
    })
    for (const warning of open.set.warnings) ctx.warn(warning)
    const finished = finishTraining(open, params, hooksOf(open, params, ctx))
    for (const { message } of finished.findings) ctx.warn(message)
    storeTraining(finished, yaml, ctx)
    // A model does not appear without them.
    await ctx.artifacts.publish()
    const trained = trainedModelOf(finished, yaml, { params, provenance: ctx.provenance })
    const { model_id } = publishModel(ctx.server.home, trained, {
      now: ctx.now(),
      operationId: ctx.operationId,
      checkpoint: () => ctx.checkCancelled(() => open.loop.state, 'before the model was published'),
    })
    return presentTraining(finished, {
      model_id,
      weights_sha256: weightsSha256(finished.best.model.parameters),
    })
  },
)

function withSeed(strategy: ModelStrategy, seed: number): ModelStrategy {
  return { ...strategy, training: { ...strategy.training, seed } }
}

/** Checkpoints by the clock and by epochs, progress by batch, metrics by epoch, and the way out. */
function hooksOf({ loop, strategy }: OpenTraining, params: EffectiveTrainingParams, ctx: WorkerContext) {
  const { epochs } = strategy.training
  const { checkpoint_every_seconds: seconds, checkpoint_every_epochs: every } = params
  const total = epochs * loop.batchesPerEpoch
  let phase = `epoch ${loop.history.length + 1} of ${epochs}`
  let [savedAt, startedAt, startedRows] = [ctx.now(), ctx.now(), loop.sums.rows]
  const save = () => {
    ctx.saveCheckpoint(loop.state, { label: labelOf(loop) })
    savedAt = ctx.now()
  }
  return {
    checkpoint: () => ctx.checkCancelled(() => loop.state, labelOf(loop)),
    onBatch: () => {
      ctx.progress(loop.batchesDone, total, phase, 'batch')
      if (ctx.now() - savedAt >= seconds * 1000) save()
    },
    onEpoch: (metrics: EpochMetrics) => {
      const now = ctx.now()
      const duration = (now - startedAt) / 1000
      const rows = loop.plan.train.length - startedRows
      const samples_per_second = duration > 0 ? rows / duration : Number.NaN
      ctx.metric('epochs', { ...numbersOf(metrics), duration, timestamp: now, samples_per_second })
      phase = `epoch ${metrics.epoch + 2} of ${epochs}`
      startedAt = now
      startedRows = 0
      if (every !== undefined && (metrics.epoch + 1) % every === 0) save()
    },
    onPhase: (next: string) => ctx.progress(loop.batchesDone, loop.batchesDone, next, 'batch'),
  }
}

/** What is not defined becomes not a number, and null for clients. */
function numbersOf(metrics: EpochMetrics): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value ?? Number.NaN]))
}

function labelOf(loop: TrainingLoop): string {
  return `epoch ${loop.history.length}, batch ${loop.batchesDone % loop.batchesPerEpoch}`
}

function storeTraining({ set, loop, measured }: FinishedTraining, yaml: string, ctx: WorkerContext): void {
  const { samples, split, normalisers, symbols, recipe } = set
  const json = (value: unknown) => Buffer.from(JSON.stringify(value, null, 2))
  ctx.artifacts.table('history', historyTable(loop.history))
  const rows = split[measured.baselines.part]
  ctx.artifacts.table('predictions', predictionsTable(samples, rows, measured.answers))
  const reports = symbols.map(({ symbol, labels }) => ({ symbol, ...labels }))
  ctx.artifacts.file('label_report.json', json({ symbols: reports }), 'application/json')
  const features = recipe.features.map(feature => ({
    ...feature,
    normaliser: normalisers[feature.id] ?? null,
  }))
  ctx.artifacts.file('feature_info.json', json({ features }), 'application/json')
  ctx.artifacts.file('strategy.yaml', Buffer.from(yaml), 'application/yaml')
}
