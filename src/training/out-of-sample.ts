import { meanTradeReturn } from './baselines.ts'
import { type Baselines, countPermutations } from './measured-training.ts'
import { type Answers, type PartMetrics, scoreAnswers } from './part-metrics.ts'
import { blockRowsOf, classScore, permutationTest, productScore } from './permutation.ts'
import type { Samples } from './samples.ts'

/** The rows that several models were tested on, symbol after symbol, each oldest first; at least one. */
export type TestedRows = Pick<Samples, 'rows' | 'classes' | 'time' | 'label' | 'labelEnd' | 'ret'> & {
  /** Index of the symbol. */
  readonly symbol: Uint16Array
  /** Index of the fold: whose model answered. */
  readonly fold: Float64Array
  readonly answers: Answers
}

/** How the answers do as if one model had given them. */
export type OutOfSample = Omit<PartMetrics, 'loss'> & {
  /** See `meanTradeReturn`; null unless the classes are trades. */
  readonly mean_return_fraction: number | null
  readonly permutation: Baselines['permutation']
}

/**
 * Measures the answers to all tested rows together. Labels are permuted within each fold of a symbol: a model that was
 * not told of a fold has no credit for how often its classes occur there.
 */
export function measureOutOfSample(
  tested: TestedRows,
  { seed, checkpoint }: { readonly seed: number; readonly checkpoint: () => void },
): OutOfSample {
  const { rows, classes, label, ret, answers } = tested
  const isClassified = classes.length > 0
  const run = numberRuns(tested)
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  return {
    ...scoreAnswers(answers, label, classes),
    mean_return_fraction: classes[0] === 'buy' ? meanTradeReturn(answers.predicted, ret) : null,
    permutation: {
      ...permutationTest({
        ...{ label, symbol: run, seed, checkpoint },
        score: isClassified
          ? classScore('macro_f1', answers.predicted, classes.length)
          : productScore(answers.predicted),
        permutations: countPermutations(rows),
        blockRows: blockRowsOf({ ...tested, symbol: run }, all),
      }),
      score: isClassified ? 'macro_f1' : 'mean_product',
    },
  }
}

/** Numbers the runs of rows that are of one symbol and one fold. */
function numberRuns({ rows, symbol, fold }: TestedRows): Uint16Array {
  const run = new Uint16Array(rows)
  for (let row = 1; row < rows; row++) {
    const isSame = symbol[row] === symbol[row - 1] && fold[row] === fold[row - 1]
    run[row] = (run[row - 1] as number) + (isSame ? 0 : 1)
  }
  return run
}
