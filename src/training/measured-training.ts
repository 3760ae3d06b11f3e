import type { Trainer } from '../model/trainer.ts'
import {
  type HoldBaseline,
  holdBaseline,
  type MajorityBaseline,
  type MeanBaseline,
  majorityBaseline,
  meanBaseline,
  meanTradeReturn,
  type RandomBaseline,
  randomBaseline,
} from './baselines.ts'
import type { LearningTask } from './learning-task.ts'
import { type Answers, askModel, measurePart, type PartMetrics } from './part-metrics.ts'
import {
  blockRowsOf,
  classScore,
  type PermutationTest,
  permutationTest,
  productScore,
} from './permutation.ts'
import type { TrainingSet } from './training-set.ts'

/** How the kept model does on every part, and what would do as well without it. */
export type MeasuredTraining = {
  readonly train: PartMetrics
  readonly validation: PartMetrics
  /** Null without a test part. */
  readonly test: PartMetrics | null
  readonly baselines: Baselines
  /** On the part the baselines are measured on. */
  readonly answers: Answers
}

export type Baselines = {
  /** What they and the model are measured on: the test part, or without one the validation part. */
  readonly part: 'test' | 'validation'
  /** Of classes. */
  readonly majority: MajorityBaseline | null
  readonly random: RandomBaseline | null
  /** Of regression. */
  readonly mean: MeanBaseline | null
  readonly hold: HoldBaseline | null
  /** Mean return of what the model says, see `meanTradeReturn`; null unless the classes are trades. */
  readonly model_mean_return_fraction: number | null
  readonly permutation: PermutationTest & {
    /** What is compared: the F1 of classes, or the mean product of prediction and return. */
    readonly score: 'macro_f1' | 'mean_product'
  }
}

/** Label values looked at by all permutations, and the least and most of them. */
const permutedRows = 5e7
const permutations = { least: 100, most: 1_000 }
const randomRuns = 200

/** @param trainer of the kept model  @param checkpoint called every few milliseconds; it may throw to stop */
export function measureTraining(
  trainer: Trainer,
  { set, task, seed }: { readonly set: TrainingSet; readonly task: LearningTask; readonly seed: number },
  checkpoint: () => void,
): MeasuredTraining {
  const { plan, test } = task
  const { samples, classes } = plan
  const measure = (rows: Int32Array) => measurePart(trainer, { samples, rows, classes }, checkpoint)
  const part = test.length > 0 ? 'test' : 'validation'
  const rows = part === 'test' ? test : plan.validation
  const answers = askModel(trainer, { features: samples.features, rows, classes }, checkpoint)
  return {
    train: measure(plan.train),
    validation: measure(plan.validation),
    test: test.length > 0 ? measure(test) : null,
    baselines: compare(set, { part, answers, seed, checkpoint }),
    answers,
  }
}

type Comparison = {
  readonly part: Baselines['part']
  readonly answers: Answers
  readonly seed: number
  readonly checkpoint: () => void
}

function compare(set: TrainingSet, { part, answers, seed, checkpoint }: Comparison): Baselines {
  const { samples, split } = set
  const rows = split[part]
  const { classes } = samples
  const of = (column: ArrayLike<number>, chosen = rows) =>
    Float64Array.from(chosen, row => column[row] as number)
  const [label, train, ret] = [of(samples.label), of(samples.label, split.train), of(samples.ret)]
  const isClassified = classes.length > 0
  const { predicted } = answers
  const guess = { classes, train, label, ret, runs: randomRuns, seed, checkpoint }
  return {
    part,
    majority: isClassified ? majorityBaseline(train, label, classes) : null,
    random: isClassified ? randomBaseline(guess) : null,
    mean: isClassified ? null : meanBaseline(train, label),
    hold: holdBaseline(set.symbols, rangeOf(set, rows)),
    model_mean_return_fraction: classes[0] === 'buy' ? meanTradeReturn(predicted, ret) : null,
    permutation: {
      ...permutationTest({
        ...{ label, symbol: of(samples.symbol), seed, checkpoint },
        score: isClassified ? classScore('macro_f1', predicted, classes.length) : productScore(predicted),
        permutations: countPermutations(rows.length),
        blockRows: blockRowsOf(samples, rows),
      }),
      score: isClassified ? 'macro_f1' : 'mean_product',
    },
  }
}

/** So many that chance is known well, so few that they take seconds. */
export function countPermutations(rows: number): number {
  const { least, most } = permutations
  return Math.max(least, Math.min(most, Math.floor(permutedRows / rows)))
}

/** From the first row to the end of the last label. @param rows at least one */
function rangeOf({ samples }: TrainingSet, rows: Int32Array): { readonly from: number; readonly to: number } {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const row of rows) {
    from = Math.min(from, samples.time[row] as number)
    to = Math.max(to, samples.labelEnd[row] as number)
  }
  return { from, to }
}
