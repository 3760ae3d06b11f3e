import { Random } from '../statistics/random.ts'
import { countDisjoint, judgeShuffledRun } from './leakage.ts'
import { type LoopPlan, TrainingLoop } from './loop.ts'
import type { TrainingSet } from './training-set.ts'

/** What a model has learned from labels in random order. Shares are 0–1. */
export type ShuffledTraining = {
  /** On the validation part, whose labels are the true ones. */
  readonly accuracy: number
  /** Accuracy up to which it is chance. */
  readonly limit: number
  readonly suspicious: boolean
  readonly epochs: number
  /** Training rows it was given. */
  readonly rows: number
}

/** It is there to be no better than chance: that shows soon. */
const mostEpochs = 5
const mostRows = 20_000

/** Apart from the seeds of everything else, which are below 2^32. */
const seedOffset = 2 ** 40

/**
 * Trains the same model anew on at most 20,000 training rows, the labels of which are shuffled among them, for at most 5
 * epochs, and measures it on the validation part. Null for regression.
 */
export function trainOnShuffled(
  plan: LoopPlan,
  { samples, split }: Pick<TrainingSet, 'samples' | 'split'>,
  checkpoint: () => void,
): ShuffledTraining | null {
  const { targets } = plan.samples
  if (plan.classes.length === 0 || targets instanceof Float32Array) return null
  const random = new Random(plan.seed + seedOffset)
  const train = plan.train.slice()
  random.shuffle(train)
  const rows = train.subarray(0, mostRows)
  const labels = rows.map(row => targets[row] as number)
  random.shuffle(labels)
  const shuffled = targets.slice()
  rows.forEach((row, i) => {
    shuffled[row] = labels[i] as number
  })
  const epochs = Math.min(mostEpochs, plan.training.epochs)
  const loop = new TrainingLoop({
    ...plan,
    samples: { ...plan.samples, targets: shuffled },
    train: rows,
    training: { ...plan.training, epochs, early_stopping: null },
    seed: plan.seed + seedOffset,
  })
  loop.run({ checkpoint })
  const accuracy = loop.history.at(-1)?.val_accuracy ?? 0
  const majorityAccuracy = shareOfMost(samples, split)
  const disjointRows = countDisjoint(samples, split.validation)
  const verdict = judgeShuffledRun({ accuracy, majorityAccuracy, disjointRows })
  return { accuracy, ...verdict, epochs, rows: rows.length }
}

/**
 * Share of the most frequent class among the validation rows. What was most frequent in training may be rare there; a
 * model that guesses the other class well by luck knows nothing either.
 */
function shareOfMost(
  { label, classes }: TrainingSet['samples'],
  { validation }: TrainingSet['split'],
): number {
  const counts = classes.map(() => 0)
  for (const row of validation) {
    const own = label[row] as number
    counts[own] = (counts[own] ?? 0) + 1
  }
  return Math.max(...counts) / validation.length
}
