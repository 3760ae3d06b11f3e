import { createHash } from 'node:crypto'
import { BarsArchive } from '../archive/bars.ts'
import type { PinnedBars } from '../archive/bars-history.ts'
import type { SymbolBars } from '../features/pipeline.ts'
import { withSessions } from '../features/pipeline-sessions.ts'
import type { Bars } from '../market/bars.ts'
import { Calendars } from '../market/calendars.ts'
import type { NamedTensor } from '../model/model-spec.ts'
import type { ModelStrategy } from '../strategy/strategy.ts'
import { countDeadUnits } from '../training/dead-units.ts'
import { type Finding, findFindings } from '../training/findings.ts'
import { findLeakage } from '../training/leakage.ts'
import { type LearningTask, planLearning } from '../training/learning-task.ts'
import {
  type BestEpoch,
  createTrainer,
  type LoopHooks,
  type LoopState,
  TrainingLoop,
} from '../training/loop.ts'
import { type MeasuredTraining, measureTraining } from '../training/measured-training.ts'
import type { Samples } from '../training/samples.ts'
import { type ShuffledTraining, trainOnShuffled } from '../training/shuffled-training.ts'
import type { TrainedModel } from '../training/trained-model.ts'
import { buildTrainingSet, type TrainingSet } from '../training/training-set.ts'
import { rangeOf } from './moment.ts'
import type { Provenance } from './operation.ts'
import type { ServerFacts } from './protocol.ts'
import { type EffectiveTrainingParams, trainingDatasets } from './training.ts'
import { readFold } from './training-fold.ts'

/** What a worker has of its server and its datasets. */
type Source = {
  readonly server: ServerFacts
  readonly provenance: Provenance
  readonly bars: (pinned: PinnedBars) => Bars
}

/** The pinned bars of every symbol, with the sessions they belong to. @throws {Problem} 'bars-missing', 'bars-invalid' */
export function readTrainingBars(params: EffectiveTrainingParams, source: Source): readonly SymbolBars[] {
  const { server, provenance } = source
  const calendars = new Calendars(server.calendars)
  const archive = new BarsArchive(server.home, calendars)
  const datasets = trainingDatasets(params, provenance.dataset_sha256)
  return params.symbols.map(symbol => {
    const own = datasets.filter(dataset => dataset.symbol === symbol)
    const bars = own.map(pinned => {
      const read = source.bars(pinned)
      const version = archive.version(pinned.symbol, pinned.timeframe, pinned.sha256)
      const calendar = version === null ? null : calendars.find(version.calendar)
      return [
        pinned.timeframe,
        calendar === null ? read : withSessions(read, calendar, pinned.timeframe),
      ] as const
    })
    return { symbol, bars: Object.fromEntries(bars) }
  })
}

/** What is trained, before the first batch or where a checkpoint has left it. */
export type OpenTraining = {
  readonly strategy: ModelStrategy
  readonly set: TrainingSet
  readonly task: LearningTask
  readonly loop: TrainingLoop
}

/**
 * @param strategy with the seed that counts  @param state of the same training, null at the start
 * @param checkpoint as `TrainingSetRequest`'s
 */
export function openTraining(
  params: EffectiveTrainingParams,
  {
    strategy,
    symbols,
    state,
  }: { strategy: ModelStrategy; symbols: readonly SymbolBars[]; state: LoopState | null },
  checkpoint: (done: number, total: number, phase: string) => void,
): OpenTraining {
  const { timeframes } = params
  const set = buildTrainingSet({
    ...{ strategy, timeframes, symbols, checkpoint },
    ...rangeOf(params),
    ...(params.fold === undefined ? {} : { fold: readFold(params.fold) }),
  })
  const task = planLearning(strategy, set, strategy.training.seed)
  return { strategy, set, task, loop: new TrainingLoop(task.plan, state) }
}

/** A training that has ended, measured and examined. */
export type FinishedTraining = OpenTraining & {
  readonly best: BestEpoch
  readonly measured: MeasuredTraining
  readonly shuffled: ShuffledTraining | null
  readonly findings: readonly Finding[]
}

/** Runs what is left of the epochs, then measures the best one. @param hooks.onPhase told what follows */
export function finishTraining(
  open: OpenTraining,
  params: Pick<EffectiveTrainingParams, 'leakage_check'>,
  hooks: LoopHooks & { readonly onPhase: (phase: string) => void },
): FinishedTraining {
  const { set, task, loop, strategy } = open
  const { checkpoint, onPhase } = hooks
  const best = loop.run(hooks)
  onPhase('measuring')
  const trainer = createTrainer(task.plan, best.model)
  const measured = measureTraining(trainer, { set, task, seed: task.plan.seed }, checkpoint)
  const suspects = findLeakage(set.samples, set.split, checkpoint)
  if (params.leakage_check) onPhase('training on shuffled labels')
  const shuffled = params.leakage_check ? trainOnShuffled(task.plan, set, checkpoint) : null
  const findings = findFindings({
    history: loop.history,
    bestEpoch: best.epoch,
    stoppedEarly: loop.history.length < strategy.training.epochs,
    trainClasses: countClasses(set.samples, set.split.train),
    measured: (measured.test ?? measured.validation).classes,
    deadUnits: countDeadUnits(
      best.model,
      { features: task.plan.samples.features, rows: task.plan.train },
      checkpoint,
    ),
    ...{ suspects, shuffled },
  })
  return { ...open, best, measured, shuffled, findings }
}

function countClasses({ classes, label }: Samples, rows: Int32Array): { name: string; count: number }[] {
  const counts = classes.map(() => 0)
  for (const row of rows) {
    const own = label[row] as number
    if (own < counts.length) counts[own] = (counts[own] ?? 0) + 1
  }
  return classes.map((name, i) => ({ name, count: counts[i] ?? 0 }))
}

/** What is published. @param yaml the text of the strategy */
export function trainedModelOf(
  { strategy, set, best, measured }: FinishedTraining,
  yaml: string,
  { params, provenance }: { readonly params: EffectiveTrainingParams; readonly provenance: Provenance },
): TrainedModel {
  const { train, validation, test, baselines } = measured
  return {
    model: best.model,
    strategy_name: strategy.name,
    strategy_yaml: yaml,
    strategy_sha256: provenance.strategy_sha256 ?? '',
    base_timeframe: set.recipe.base,
    timeframes: params.timeframes,
    symbols: params.symbols,
    adjustment: params.adjustment,
    feature_ids: set.samples.ids,
    normalisers: set.normalisers,
    labels: strategy.training.labels,
    classes: set.samples.classes,
    ranges: {
      train: spanOf(set.samples, set.split.train),
      validation: spanOf(set.samples, set.split.validation),
      test: spanOf(set.samples, set.split.test),
    },
    metrics: { train, validation, test },
    baselines,
    config: { model: strategy.model, training: strategy.training },
    seed: strategy.training.seed,
    best_epoch: best.epoch,
    dataset_sha256: provenance.dataset_sha256,
    code_version: provenance.version,
  }
}

/** From the first row's close to just behind the last one's. */
function spanOf({ time }: Samples, rows: Int32Array): { readonly from: number; readonly to: number } | null {
  if (rows.length === 0) return null
  let [from, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const row of rows) {
    from = Math.min(from, time[row] as number)
    last = Math.max(last, time[row] as number)
  }
  return { from, to: last + 1 }
}

/** SHA-256 over name, shape and little-endian float32 values of every tensor, in their order. */
export function weightsSha256(tensors: readonly NamedTensor[]): string {
  const hash = createHash('sha256')
  for (const { name, shape, values } of tensors) {
    hash.update(`${name}[${shape.join(',')}]\n`)
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
  return hash.digest('hex')
}
