import type { LossSpec, Samples as ModelSamples } from '../model/loss.ts'
import type { Model } from '../model/model.ts'
import { Trainer, type TrainerState } from '../model/trainer.ts'
import { Problem } from '../problems.ts'
import { Random } from '../statistics/random.ts'
import type { StrategyTraining } from '../strategy/training.ts'
import { isBetter, type StopMetric, type Stopping, startStopping, watchEpoch } from './early-stopping.ts'
import { type EpochMetrics, measureEpoch } from './epoch-metrics.ts'
import { measurePart } from './part-metrics.ts'
import { advanceSchedule, type Schedule, type SchedulePlan, startSchedule } from './schedule.ts'

/** Everything a training depends on: equal plans give equal weights, bit for bit. */
export type LoopPlan = {
  /** With its initial weights. */
  readonly model: Model
  readonly samples: ModelSamples
  /** Row numbers of `samples`, ascending; of a recurrent network the last of each window. */
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly training: StrategyTraining
  readonly loss: LossSpec
  /** Names by index; empty for regression. */
  readonly classes: readonly string[]
  /** Of the order of rows and of dropout; a whole number, 0–2^53 − 1. */
  readonly seed: number
}

/** The model of an epoch, copied: later epochs do not change it. */
export type BestEpoch = {
  /** From 0 on. */
  readonly epoch: number
  /** Of the watched metric; null where it is not defined. */
  readonly value: number | null
  readonly model: Model
}

/** All that a loop needs to go on as if it had never stopped; plain data that structured clone can copy. */
export type LoopState = {
  /** Number of the epoch that runs, from 0 on. */
  readonly epoch: number
  /** Its batches that are done. */
  readonly batch: number
  readonly isDone: boolean
  readonly trainer: TrainerState
  readonly schedule: Schedule
  readonly stopping: Stopping
  readonly best: BestEpoch | null
  /** Epochs that have ended, oldest first. */
  readonly history: readonly EpochMetrics[]
  readonly sums: BatchSums
}

/** Of the batches of an epoch that are done. */
export type BatchSums = {
  /** Of losses times rows. */
  readonly loss: number
  readonly correct: number
  readonly rows: number
  /** Of the norms of the gradients before clipping. */
  readonly gradientNorm: number
}

export type LoopHooks = {
  /** Called every few milliseconds; it may throw to stop the work, `state` then being what to go on from. */
  readonly checkpoint: () => void
  /** After every batch. */
  readonly onBatch?: (loop: TrainingLoop) => void
  /** After every epoch, validation included. */
  readonly onEpoch?: (metrics: EpochMetrics, loop: TrainingLoop) => void
}

const noSums: BatchSums = { loss: 0, correct: 0, rows: 0, gradientNorm: 0 }

/**
 * Trains epoch by epoch over shuffled batches. The order of an epoch comes from seed and epoch, dropout from seed and
 * step, so that there is no state of a generator to keep.
 */
export class TrainingLoop {
  readonly plan: LoopPlan
  readonly batchesPerEpoch: number
  private readonly trainer: Trainer
  private readonly schedulePlan: SchedulePlan
  private position: Omit<LoopState, 'trainer' | 'history'>
  private readonly epochs: EpochMetrics[] = []

  /** @param state of a loop of the same plan, to go on from @throws {Problem} 'params-invalid' */
  constructor(plan: LoopPlan, state: LoopState | null = null) {
    const { training } = plan
    const { learning_rate: learningRate, epochs, scheduler } = training
    this.plan = plan
    this.batchesPerEpoch = Math.ceil(plan.train.length / training.batch_size)
    this.schedulePlan = { learningRate, epochs, scheduler }
    this.trainer = createTrainer(plan)
    this.position = {
      ...{
        epoch: 0,
        batch: 0,
        isDone: false,
        stopping: startStopping,
        best: null,
        sums: noSums,
      },
      schedule: startSchedule(this.schedulePlan),
    }
    if (state === null) return
    const { trainer, history, ...position } = state
    this.epochs.push(...history)
    this.trainer.setState(trainer)
    this.position = position
  }

  /** Where it stands, a copy. Also right within a `checkpoint`: a batch that is not done has changed nothing. */
  get state(): LoopState {
    return { ...this.position, history: [...this.epochs], trainer: this.trainer.getState() }
  }

  /** Batches done, of `epochs` × `batchesPerEpoch`. */
  get batchesDone(): number {
    return this.position.epoch * this.batchesPerEpoch + this.position.batch
  }

  /** Epochs that have ended, oldest first. */
  get history(): readonly EpochMetrics[] {
    return this.epochs
  }

  /** The batches that are done of the epoch that runs. */
  get sums(): BatchSums {
    return this.position.sums
  }

  /**
   * Goes on to the end.
   * @returns the best epoch
   * @throws {Problem} 'training-diverged' when a loss is no number any more
   */
  run(hooks: LoopHooks): BestEpoch {
    while (!this.position.isDone) this.runEpoch(hooks)
    const { best } = this.position
    if (best === null) throw new TypeError('a training has at least one epoch')
    return best
  }

  private runEpoch(hooks: LoopHooks): void {
    const { train, training, seed } = this.plan
    const order = train.slice()
    new Random(seed, this.position.epoch + 1).shuffle(order)
    while (this.position.batch < this.batchesPerEpoch) {
      const from = this.position.batch * training.batch_size
      hooks.checkpoint()
      this.runBatch(order.subarray(from, from + training.batch_size), hooks.checkpoint)
      hooks.onBatch?.(this)
    }
    const metrics = this.measure(hooks.checkpoint)
    this.endEpoch(metrics)
    hooks.onEpoch?.(metrics, this)
  }

  private runBatch(rows: Int32Array, checkpoint: () => void): void {
    const { schedule, epoch, batch, sums } = this.position
    const { learningRate } = schedule
    const result = this.trainer.step(this.plan.samples, rows, { learningRate, checkpoint })
    if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm))
      throw diverged(epoch, 'training')
    this.position = {
      ...this.position,
      batch: batch + 1,
      sums: {
        loss: sums.loss + result.loss * rows.length,
        correct: sums.correct + result.correct,
        rows: sums.rows + rows.length,
        gradientNorm: sums.gradientNorm + result.gradientNorm,
      },
    }
  }

  private measure(checkpoint: () => void): EpochMetrics {
    const { samples, validation: rows, classes } = this.plan
    const { epoch, sums, schedule } = this.position
    const validation = measurePart(this.trainer, { samples, rows, classes }, checkpoint)
    if (!Number.isFinite(validation.loss)) throw diverged(epoch, 'validation')
    const { learningRate } = schedule
    return measureEpoch({ epoch, sums, learningRate, batches: this.batchesPerEpoch, validation })
  }

  private endEpoch(metrics: EpochMetrics): void {
    const { training } = this.plan
    const { epoch, schedule, stopping, best } = this.position
    const { metric, patience, min_delta: minDelta } = training.early_stopping ?? keepLowestLoss
    const value = metrics[metric]
    const next = epoch + 1
    const watched = watchEpoch(stopping, value, { metric, minDelta })
    this.epochs.push(metrics)
    const isBest = best === null || isBetter(metric, value, { than: best.value })
    this.position = {
      epoch: next,
      batch: 0,
      isDone: next === training.epochs || watched.epochsWaited >= patience,
      schedule: advanceSchedule(schedule, this.schedulePlan, { next, valLoss: metrics.val_loss }),
      stopping: watched,
      best: isBest ? { epoch, value, model: this.trainer.getModel() } : best,
      sums: noSums,
    }
  }
}

/** Without early stopping every epoch is run, and the one with the lowest validation loss is the best. */
const keepLowestLoss = { metric: 'val_loss', patience: Number.POSITIVE_INFINITY, min_delta: 0 } as const

/** The metric by which the best epoch is chosen. */
export const watchedMetric = ({ early_stopping: stopping }: StrategyTraining): StopMetric =>
  (stopping ?? keepLowestLoss).metric

/** A trainer of the plan's model, or of another one of its shape. */
export function createTrainer(
  { model, training, loss, seed }: Pick<LoopPlan, 'model' | 'training' | 'loss' | 'seed'>,
  other: Model = model,
): Trainer {
  const { gradient_clip: gradientClip } = training
  return new Trainer(other, { loss, optimizer: optimizerOf(training), gradientClip, seed })
}

function optimizerOf({ optimizer }: StrategyTraining) {
  const { type: kind, weight_decay: weightDecay, momentum } = optimizer
  if (kind === 'adam' || kind === 'adamw') return { kind, weightDecay }
  return { kind, weightDecay, momentum }
}

function diverged(epoch: number, part: string): Problem {
  return new Problem('training-diverged', `the ${part} loss is no number any more in epoch ${epoch}`, {
    hint: 'Lower training.learning_rate, set training.gradient_clip, or normalise the raw inputs (normalization: zscore).',
  })
}
