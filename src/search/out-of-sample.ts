import { fitLine } from '../statistics/linear-fit.ts'
import { medianOf } from './neighbourhood.ts'

/** What a trial was worth where it was chosen, and where it was not. */
export type SamplePair = {
  readonly index: number
  readonly in_sample: number | null
  readonly out_of_sample: number | null
}

export type SampleComparison = {
  readonly pairs: readonly SamplePair[]
  /** Whether what was better stayed better: Spearman's rank correlation, −1 to 1; null with fewer than 3 pairs of numbers or where all are equal. */
  readonly rank_correlation: number | null
  /** Median of the scores of each, over the pairs that have both. */
  readonly median_in_sample: number | null
  readonly median_out_of_sample: number | null
}

/** Sets the scores of the best trials beside their scores on bars that the search has not seen. */
export function compareSamples(pairs: readonly SamplePair[]): SampleComparison {
  const [inside, outside]: [number[], number[]] = [[], []]
  for (const { in_sample, out_of_sample } of pairs) {
    if (in_sample === null || out_of_sample === null) continue
    inside.push(in_sample)
    outside.push(out_of_sample)
  }
  return {
    pairs,
    rank_correlation: inside.length < 3 ? null : (fitLine(rank(inside), rank(outside))?.correlation ?? null),
    median_in_sample: medianOf(inside),
    median_out_of_sample: medianOf(outside),
  }
}

/** Ranks from 1, equal values sharing the mean of theirs. */
function rank(values: readonly number[]): Float64Array {
  const sorted = [...values].sort((a, b) => a - b)
  return Float64Array.from(values, value => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1)
}
