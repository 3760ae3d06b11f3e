import type { BlockSums } from './block-sums.ts'
import { quantileOf } from './quantile.ts'
import { SplitScores } from './split-scores.ts'

/** What combinatorially symmetric cross-validation says of choosing the best trial. */
export type Overfitting = {
  /** Share of the splits whose best trial in one half is not above the median of all trials in the other, 0–1. */
  readonly probability: number
  /** Share of the splits whose best trial loses money in the other half, 0–1. */
  readonly loss_fraction: number
  /** Median of ln(ω / (1 − ω)) over the splits, ω the relative rank in the other half. */
  readonly median_logit: number
  readonly splits: number
  /** Trials with returns; the others are never chosen and rank last. */
  readonly trials: number
}

/**
 * The probability of backtest overfitting (PBO) by CSCV. All C(S, S/2) ways to take half of the S blocks: the trial
 * with the highest Sharpe ratio there (training) is ranked among all N by its Sharpe ratio in the other half (test);
 * ω = rank / (N + 1), counted from the worst; PBO is the share of splits with ω ≤ ½.
 *
 * Ties: the lowest trial number wins the training; in the test, equal trials share the mean of their ranks. A half
 * whose returns do not vary counts as a Sharpe ratio of 0. A trial without returns ranks below all others.
 *
 * Cost: 2 · N · C(S, S/2) ratios of some 15 ns each, about 4 s for 10,000 trials and 16 blocks (12,870
 * splits); memory: 32 bytes per split beside the sums.
 * @param checkpoint called after every 16 trials of each of two passes; it may throw to stop
 * @returns null when fewer than two trials have returns
 * Source: Bailey, Borwein, López de Prado and Zhu 2017, "The probability of backtest overfitting".
 */
export function overfittingOf(
  sums: BlockSums,
  checkpoint?: (done: number, total: number) => void,
): Overfitting | null {
  const scores = new SplitScores(sums)
  const best = chooseBest(sums, scores, checkpoint)
  if (best.trials < 2) return null
  const ranks = rankChosen(sums, scores, best.chosen, checkpoint)
  const splits = scores.length
  const logits = new Float64Array(splits)
  let low = 0
  let losses = 0
  for (let i = 0; i < splits; i++) {
    const rank = ranks.rank[i] as number
    logits[i] = Math.log(rank / (sums.trials + 1 - rank))
    if (2 * rank <= sums.trials + 1) low++
    if ((ranks.test[i] as number) < 0) losses++
  }
  return {
    probability: low / splits,
    loss_fraction: losses / splits,
    median_logit: quantileOf(logits.sort(), 0.5),
    splits,
    trials: best.trials,
  }
}

type Checkpoint = ((done: number, total: number) => void) | undefined

/** The first pass: which trial is the best of each half. Trials are taken one by one, so that one table is enough. */
function chooseBest(sums: BlockSums, scores: SplitScores, checkpoint: Checkpoint) {
  const splits = scores.length
  const highest = new Float64Array(splits).fill(Number.NEGATIVE_INFINITY)
  const chosen = new Int32Array(splits)
  let trials = 0
  for (let trial = 0; trial < sums.trials; trial++) {
    if ((trial & 15) === 15) checkpoint?.(trial, 2 * sums.trials)
    if (!scores.load(trial)) continue
    trials++
    const { score } = scores
    for (let i = 0; i < splits; i++) {
      if ((score[i] as number) > (highest[i] as number)) {
        highest[i] = score[i] as number
        chosen[i] = trial
      }
    }
  }
  return { chosen, trials }
}

/** The second pass: rank of each chosen trial in the other half, 1 for the worst of all. */
function rankChosen(sums: BlockSums, scores: SplitScores, chosen: Int32Array, checkpoint: Checkpoint) {
  const splits = scores.length
  const test = readChosen(scores, chosen)
  const rank = new Float64Array(splits).fill(0.5)
  for (let trial = 0; trial < sums.trials; trial++) {
    if ((trial & 15) === 15) checkpoint?.(sums.trials + trial, 2 * sums.trials)
    const hasReturns = scores.load(trial)
    const { score } = scores
    for (let i = 0; i < splits; i++) {
      const own = test[i] as number
      // The complement of split i is split splits − 1 − i.
      const other = hasReturns ? (score[splits - 1 - i] as number) : Number.NEGATIVE_INFINITY
      // Half of each equal one, itself among them, is the mean of the ranks they share.
      if (other < own) rank[i] = (rank[i] as number) + 1
      else if (other === own) rank[i] = (rank[i] as number) + 0.5
    }
  }
  checkpoint?.(2 * sums.trials, 2 * sums.trials)
  return { rank, test }
}

/** Score of the chosen trial of each split in the other half, loading each trial once. */
function readChosen(scores: SplitScores, chosen: Int32Array): Float64Array {
  const splits = chosen.length
  const order = Int32Array.from(chosen, (_, i) => i).sort(
    (a, b) => (chosen[a] as number) - (chosen[b] as number) || a - b,
  )
  const test = new Float64Array(splits)
  let loaded = -1
  for (let k = 0; k < splits; k++) {
    const i = order[k] as number
    const trial = chosen[i] as number
    if (trial !== loaded) scores.load(trial)
    loaded = trial
    test[i] = scores.score[splits - 1 - i] as number
  }
  return test
}
