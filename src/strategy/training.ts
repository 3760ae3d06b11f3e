import { findOptionFaults } from './option-keys.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import { fieldOf, isRecord, valueAt, type WrittenTraining } from './written.ts'

/** How the model is trained, every key filled in. */
export type StrategyTraining = {
  readonly epochs: number
  readonly learning_rate: number
  readonly batch_size: number
  readonly optimizer: {
    readonly type: 'adam' | 'adamw' | 'sgd' | 'rmsprop'
    readonly weight_decay: number
    /** 0 for the types that take none. */
    readonly momentum: number
  }
  readonly loss: StrategyLoss
  /** Null: the learning rate stays as it is. */
  readonly scheduler: StrategyScheduler | null
  /** Null: all epochs are run. `patience` in epochs. */
  readonly early_stopping: {
    readonly metric: 'val_loss' | 'val_accuracy' | 'macro_f1' | 'balanced_accuracy' | 'mcc' | 'brier' | 'ece'
    readonly patience: number
    readonly min_delta: number
  } | null
  /** Greatest norm of the gradient; null: no limit. */
  readonly gradient_clip: number | null
  readonly class_weights: 'none' | 'balanced'
  readonly data_split: StrategySplit
  readonly seed: number
}

export type StrategySplit = {
  /** Shares of the rows in the order of time; they add up to 1. */
  readonly train: number
  readonly validation: number
  readonly test: number
  /** Bars of every symbol left out after each cut; null: 1% of its bars from the first row to the last. */
  readonly embargo_bars: number | null
}

export type StrategyLoss =
  | { readonly type: 'cross_entropy' | 'mse' }
  | { readonly type: 'focal'; readonly gamma: number }
  | { readonly type: 'huber'; readonly delta: number }

export type StrategyScheduler =
  /** × `factor` every `step_epochs`. */
  | { readonly type: 'step'; readonly factor: number; readonly step_epochs: number }
  | { readonly type: 'exponential'; readonly factor: number }
  | { readonly type: 'cosine' }
  | { readonly type: 'reduce_on_plateau'; readonly factor: number; readonly patience: number }

type Format = 'classification' | 'regression'

const keysOfScheduler = {
  step: ['factor', 'step_epochs'],
  exponential: ['factor'],
  cosine: [],
  reduce_on_plateau: ['factor', 'patience'],
}
const keysOfOptimizer = { adam: [], adamw: [], sgd: ['momentum'], rmsprop: ['momentum'] }
const keysOfLoss = { cross_entropy: [], focal: ['focal_gamma'], huber: ['huber_delta'], mse: [] }
const lossesOf = { classification: ['cross_entropy', 'focal'], regression: ['huber', 'mse'] }
const defaultFactors = { step: 0.1, exponential: 0.95, reduce_on_plateau: 0.5 }

const { $defs } = strategySchema
const schema = $defs.StrategyTraining.properties
const split = $defs.StrategySplit.properties

/** Keys that do not go together. */
export function findTrainingFaults(training: unknown, decisions: unknown): readonly Fault[] {
  const format = fieldOf(decisions, 'output_format') ?? 'classification'
  const [scheduler, optimizer] = [fieldOf(training, 'scheduler'), fieldOf(training, 'optimizer')]
  const kindOf = (map: unknown) => fieldOf(map, 'type')
  return [
    ...findLossFaults(training, format),
    ...findOptionFaults(['training', 'scheduler'], scheduler, {
      ...{ option: 'scheduler', value: kindOf(scheduler), keys: keysOfScheduler },
    }),
    ...findOptionFaults(['training', 'optimizer'], optimizer, {
      ...{ option: 'optimizer', value: kindOf(optimizer), keys: keysOfOptimizer },
    }),
    ...findSplitFaults(fieldOf(training, 'data_split')),
    ...(format === 'regression' ? findClassFaults(training) : []),
  ]
}

/** @param written checked */
export function resolveTraining(written: WrittenTraining, format: Format): StrategyTraining {
  const { optimizer, early_stopping: stopping } = written
  const type = optimizer?.type ?? 'adam'
  const stop = $defs.StrategyEarlyStopping.properties
  return {
    epochs: written.epochs ?? schema.epochs.default,
    learning_rate: written.learning_rate ?? schema.learning_rate.default,
    batch_size: written.batch_size ?? schema.batch_size.default,
    optimizer: {
      type,
      weight_decay: optimizer?.weight_decay ?? $defs.StrategyOptimizer.properties.weight_decay.default,
      momentum: optimizer?.momentum ?? (type === 'sgd' ? 0.9 : 0),
    },
    loss: resolveLoss(written, format),
    scheduler: written.scheduler === undefined ? null : resolveScheduler(written.scheduler),
    early_stopping:
      stopping === undefined
        ? null
        : {
            metric: stopping.metric ?? stop.metric.default,
            patience: stopping.patience ?? stop.patience.default,
            min_delta: stopping.min_delta ?? stop.min_delta.default,
          },
    gradient_clip: written.gradient_clip ?? null,
    class_weights: written.class_weights ?? schema.class_weights.default,
    data_split: {
      train: written.data_split?.train ?? split.train.default,
      validation: written.data_split?.validation ?? split.validation.default,
      test: written.data_split?.test ?? split.test.default,
      embargo_bars: written.data_split?.embargo_bars ?? null,
    },
    seed: written.seed ?? schema.seed.default,
  }
}

function findLossFaults(training: unknown, format: unknown): Fault[] {
  if (format !== 'classification' && format !== 'regression') return []
  const allowed = lossesOf[format]
  const written = fieldOf(training, 'loss')
  const faults: Fault[] = []
  if (typeof written === 'string' && Object.hasOwn(keysOfLoss, written) && !allowed.includes(written)) {
    const message = `${format} takes ${allowed.join(' or ')}, not ${written}`
    faults.push({ path: ['training', 'loss'], part: 'value', code: 'conflict', message })
  }
  const value = written ?? allowed[0]
  return [...faults, ...findOptionFaults(['training'], training, { option: 'loss', value, keys: keysOfLoss })]
}

function findSplitFaults(written: unknown): Fault[] {
  if (!isRecord(written)) return []
  const { train, validation, test } = written
  if (typeof train !== 'number' || typeof validation !== 'number' || typeof test !== 'number') return []
  const sum = train + validation + test
  if (Math.abs(sum - 1) <= 1e-9) return []
  const message = `train, validation and test add up to ${Number(sum.toPrecision(6))}, not to 1`
  return [{ path: ['training', 'data_split'], part: 'key', code: 'sum', message }]
}

/** Regression has no classes to weigh or to count. */
function findClassFaults(training: unknown): Fault[] {
  const faults: Fault[] = []
  if (fieldOf(training, 'class_weights') === 'balanced') {
    const message = 'regression has no classes to weigh'
    faults.push({ path: ['training', 'class_weights'], part: 'value', code: 'conflict', message })
  }
  const metric = valueAt(training, 'early_stopping', 'metric')
  if (typeof metric === 'string' && metric !== 'val_loss' && isStopMetric(metric)) {
    const message = `regression has no ${metric} to stop by: use val_loss`
    faults.push({ path: ['training', 'early_stopping', 'metric'], part: 'value', code: 'conflict', message })
  }
  return faults
}

function isStopMetric(metric: string): boolean {
  return $defs.StrategyEarlyStopping.properties.metric.enum.some(known => known === metric)
}

function resolveLoss({ loss, focal_gamma, huber_delta }: WrittenTraining, format: Format): StrategyLoss {
  const type = loss ?? (format === 'regression' ? 'huber' : 'cross_entropy')
  if (type === 'focal') return { type, gamma: focal_gamma ?? schema.focal_gamma.default }
  if (type === 'huber') return { type, delta: huber_delta ?? schema.huber_delta.default }
  return { type }
}

function resolveScheduler(written: NonNullable<WrittenTraining['scheduler']>): StrategyScheduler {
  const { type } = written
  const { step_epochs, patience } = $defs.StrategyScheduler.properties
  if (type === 'cosine') return { type }
  const factor = written.factor ?? defaultFactors[type]
  if (type === 'step') return { type, factor, step_epochs: written.step_epochs ?? step_epochs.default }
  if (type === 'exponential') return { type, factor }
  return { type, factor, patience: written.patience ?? patience.default }
}
