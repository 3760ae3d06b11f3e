import type { LossSpec, Samples as ModelSamples } from '../model/loss.ts'
import { createModel } from '../model/model.ts'
import type { ModelSpec } from '../model/model-spec.ts'
import type { ModelStrategy } from '../strategy/strategy.ts'
import type { LoopPlan } from './loop.ts'
import { type Samples, weightsOf } from './samples.ts'
import type { TrainingSet } from './training-set.ts'
import { tableRows } from './windows.ts'

/** What is trained, and where the rows of each part stand in what the model reads. */
export type LearningTask = {
  readonly plan: LoopPlan
  /** Row numbers of `plan.samples`, ascending; empty without a test part. */
  readonly test: Int32Array
}

/**
 * The model of a strategy, new, and the rows it learns from. A network that reads windows is given every bar with
 * features, so that bars without a label stand in them; another one its samples alone.
 * @param seed of everything random, 0–2^32 − 1
 */
export function planLearning(strategy: ModelStrategy, set: TrainingSet, seed: number): LearningTask {
  const { samples, split, table } = set
  const isDense = strategy.model.type === 'mlp'
  const place = isDense
    ? Int32Array.from({ length: samples.rows }, (_, row) => row)
    : tableRows(samples, table)
  const features = isDense ? samples.features : table.values
  const find = (rows: Int32Array) => rows.map(row => place[row] as number)
  const { classes } = samples
  const weights = spreadWeights(set, place, isDense ? samples.rows : table.rows)
  return {
    plan: {
      model: createModel(specOf(strategy, samples), seed),
      samples: {
        features,
        targets: spreadTargets(samples, place, isDense ? samples.rows : table.rows),
        ...weights,
      },
      train: find(split.train),
      validation: find(split.validation),
      training: strategy.training,
      loss: lossOf(strategy, samples, split.train),
      ...{ classes, seed },
    },
    test: find(split.test),
  }
}

/** The shape of a strategy's network. */
export function specOf(
  { model }: ModelStrategy,
  { ids, classes }: Pick<Samples, 'ids' | 'classes'>,
): ModelSpec {
  const ends = { inputs: ids.length, outputs: Math.max(1, classes.length) }
  if (model.type === 'mlp') {
    const { hidden_layers: hidden, activation, dropout } = model.architecture
    return { kind: 'mlp', ...ends, hidden, activation, dropout }
  }
  const {
    sequence_length: sequenceLength,
    hidden_size: hidden,
    num_layers: layers,
    dropout,
  } = model.architecture
  return { kind: model.type, ...ends, sequenceLength, hidden, layers, dropout }
}

function lossOf({ training }: ModelStrategy, samples: Samples, train: Int32Array): LossSpec {
  const { loss, class_weights } = training
  const weights = class_weights === 'balanced' ? { classWeights: balance(samples, train) } : {}
  switch (loss.type) {
    case 'cross_entropy':
      return { kind: 'cross_entropy', ...weights }
    case 'focal':
      return { kind: 'focal', gamma: loss.gamma, ...weights }
    case 'huber':
      return { kind: 'huber', delta: loss.delta }
    case 'mse':
      return { kind: 'mse' }
    default:
      return loss satisfies never
  }
}

/**
 * rows / (classes · rows of the class), as scikit-learn's `balanced`; 1 for a class that training has never seen.
 * @param train row numbers of `samples`
 */
export function balance({ label, classes }: Pick<Samples, 'label' | 'classes'>, train: Int32Array): number[] {
  const counts = classes.map(() => 0)
  for (const row of train) {
    const own = label[row] as number
    counts[own] = (counts[own] ?? 0) + 1
  }
  return counts.map(count => (count === 0 ? 1 : train.length / (classes.length * count)))
}

function spreadTargets({ label, kind }: Samples, place: Int32Array, rows: number): ModelSamples['targets'] {
  const targets = kind === 'classification' ? new Int32Array(rows) : new Float32Array(rows)
  for (let i = 0; i < place.length; i++) targets[place[i] as number] = label[i] as number
  return targets
}

/** Weights of mean 1 within each part; nothing where all rows count alike. */
function spreadWeights(
  { samples, split }: TrainingSet,
  place: Int32Array,
  rows: number,
): { weights?: Float32Array } {
  if (samples.weight === null) return {}
  const weights = new Float32Array(rows)
  for (const part of [split.train, split.validation, split.test]) {
    if (part.length === 0) continue
    weightsOf(samples, part)?.forEach((weight, i) => {
      weights[place[part[i] as number] as number] = weight
    })
  }
  return { weights }
}
