import { mean, standardDeviation } from '../statistics/moments.ts'
import type { Samples } from './samples.ts'

/** A feature that tells by itself more of the label than the past can know. */
export type LeakageSuspect = {
  readonly feature: string
  /** Correlation with the return to the end of the label; null where one of them does not vary. */
  readonly train_correlation: number | null
  readonly validation_correlation: number | null
  /** Share of the label's entropy that ten bins of the feature explain, 0–1; null for regression. */
  readonly train_information: number | null
  readonly validation_information: number | null
  /** What was found, in words. */
  readonly reason: string
}

/**
 * From here on a single feature is suspected. Known predictors of the next returns correlate with them by less than
 * 0.1; a feature made of the return and as much noise correlates by 0.7.
 */
export const leakageLimits = { correlation: 0.5, information: 0.3 } as const

/** Fewer rows in training or validation agree by chance. */
const fewestRows = 50

/** More rows, evenly spread, add time and no certainty. */
const mostRows = 50_000

const bins = 10

type Learned = Pick<Samples, 'ids' | 'features' | 'label' | 'ret' | 'kind' | 'classes'>

/**
 * Features that are past a limit in training and in validation alike: correlations of one sign, or information.
 * Bins have equal numbers of training rows; equal values are in one bin. Of more than 50,000 rows so many are looked at.
 * @param parts row indexes, ascending  @param checkpoint called after every feature
 * @returns in canonical order; none with fewer than 50 rows in either part
 */
export function findLeakage(
  samples: Learned,
  parts: { readonly train: Int32Array; readonly validation: Int32Array },
  checkpoint: () => void = () => {},
): readonly LeakageSuspect[] {
  const [train, validation] = [thinOut(parts.train), thinOut(parts.validation)]
  if (Math.min(train.length, validation.length) < fewestRows) return []
  return samples.ids.flatMap((feature, column) => {
    checkpoint()
    const own = (rows: Int32Array) => columnOf(samples, column, rows)
    const [trained, validated] = [own(train), own(validation)]
    const edges = samples.kind === 'regression' ? null : edgesOf(trained)
    const told = (rows: Int32Array, values: Float64Array) =>
      edges === null ? null : informationOf(samples, rows, { values, edges })
    const found = {
      train_correlation: correlate(trained, pick(samples.ret, train)),
      validation_correlation: correlate(validated, pick(samples.ret, validation)),
      train_information: told(train, trained),
      validation_information: told(validation, validated),
    }
    const reason = explain(found)
    return reason === null ? [] : [{ feature, ...found, reason }]
  })
}

/** How a model did that was trained on labels in random order. */
export type ShuffledRun = {
  /** Against the true labels of rows it was not trained on. */
  readonly accuracy: number
  /** Of always saying the class that training saw most, on the same rows. */
  readonly majorityAccuracy: number
  /** Rows whose labels do not overlap, ≥ 1: see `countDisjoint`. */
  readonly disjointRows: number
}

export type ShuffledVerdict = {
  readonly suspicious: boolean
  /** The accuracy up to which it is chance: three standard errors above the majority class. */
  readonly limit: number
}

/**
 * There is nothing to learn from shuffled labels, so a model that beats the majority class by more than chance was told
 * the answers some other way.
 */
export function judgeShuffledRun({ accuracy, majorityAccuracy, disjointRows }: ShuffledRun): ShuffledVerdict {
  const variance = (majorityAccuracy * (1 - majorityAccuracy)) / disjointRows
  // With a share of 0 or 1 there is no variance, but a single row may still differ.
  const limit = Math.min(1, majorityAccuracy + 3 * Math.sqrt(variance) + 1 / disjointRows)
  return { suspicious: accuracy > limit, limit }
}

/** Most rows that can be taken, symbol by symbol, without two labels that overlap. @param rows ascending */
export function countDisjoint(
  { symbol, time, labelEnd }: Pick<Samples, 'symbol' | 'time' | 'labelEnd'>,
  rows: Int32Array,
): number {
  // From behind, the label that begins last leaves most room for those before it.
  let count = 0
  let start = Number.POSITIVE_INFINITY
  let current = -1
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i] as number
    if (symbol[row] !== current) {
      current = symbol[row] as number
      start = Number.POSITIVE_INFINITY
    }
    if ((labelEnd[row] as number) > start) continue
    count++
    start = time[row] as number
  }
  return count
}

function thinOut(rows: Int32Array): Int32Array {
  const kept = Math.min(rows.length, mostRows)
  return Int32Array.from({ length: kept }, (_, i) => rows[Math.floor((i * rows.length) / kept)] as number)
}

function columnOf({ features, ids }: Learned, column: number, rows: Int32Array): Float64Array {
  return Float64Array.from(rows, row => features[row * ids.length + column] as number)
}

function pick(column: Float64Array, rows: Int32Array): Float64Array {
  return Float64Array.from(rows, row => column[row] as number)
}

/** Pearson's correlation, or null where one does not vary. */
function correlate(a: Float64Array, b: Float64Array): number | null {
  const spread = standardDeviation(a) * standardDeviation(b)
  if (!(spread > 0)) return null
  const [meanA, meanB] = [mean(a), mean(b)]
  let together = 0
  for (let i = 0; i < a.length; i++) together += ((a[i] as number) - meanA) * ((b[i] as number) - meanB)
  return Math.max(-1, Math.min(1, together / (a.length - 1) / spread))
}

/** Values at which the next bin begins, ascending and different from each other. */
function edgesOf(values: Float64Array): readonly number[] {
  const sorted = values.slice().sort()
  const edges = Array.from(
    { length: bins - 1 },
    (_, k) => sorted[Math.round(((k + 1) * sorted.length) / bins)],
  )
  return [...new Set(edges)].filter(edge => edge !== undefined && edge > (sorted[0] as number)) as number[]
}

/**
 * Mutual information of the bin and the label over the entropy of the label, less what chance adds to it.
 * Source: Miller 1955 (bias (bins − 1)(classes − 1) / 2n); Theil's uncertainty coefficient.
 */
function informationOf(
  { label, classes }: Learned,
  rows: Int32Array,
  { values, edges }: { readonly values: Float64Array; readonly edges: readonly number[] },
): number | null {
  const [height, width] = [edges.length + 1, classes.length]
  const counts = new Float64Array(height * width)
  for (let i = 0; i < rows.length; i++) {
    const bin = edges.findLastIndex(edge => (values[i] as number) >= edge) + 1
    const cell = bin * width + (label[rows[i] as number] as number)
    counts[cell] = (counts[cell] as number) + 1
  }
  const ofBin = new Float64Array(height)
  const ofClass = new Float64Array(width)
  for (let cell = 0; cell < counts.length; cell++) {
    const [bin, index] = [Math.floor(cell / width), cell % width]
    ofBin[bin] = (ofBin[bin] as number) + (counts[cell] as number)
    ofClass[index] = (ofClass[index] as number) + (counts[cell] as number)
  }
  const entropy = entropyOf(ofClass, rows.length)
  if (entropy === 0) return null
  const occurring = (column: Float64Array) => column.filter(count => count > 0).length
  const bias = ((occurring(ofBin) - 1) * (occurring(ofClass) - 1)) / (2 * rows.length)
  const shared = entropy + entropyOf(ofBin, rows.length) - entropyOf(counts, rows.length)
  return Math.max(0, shared - bias) / entropy
}

/** In nats. */
function entropyOf(counts: Float64Array, total: number): number {
  return counts.reduce(
    (sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log(count / total)),
    0,
  )
}

function explain(found: Omit<LeakageSuspect, 'feature' | 'reason'>): string | null {
  const { correlation, information } = leakageLimits
  const [inTrain, inValidation] = [found.train_correlation ?? 0, found.validation_correlation ?? 0]
  const isAlike = Math.sign(inTrain) === Math.sign(inValidation)
  if (isAlike && Math.min(Math.abs(inTrain), Math.abs(inValidation)) >= correlation) {
    const [a, b] = [inTrain, inValidation].map(value => value.toFixed(2))
    return `it correlates with the return to the end of the label by ${a} in training and ${b} in validation`
  }
  const [told, toldAgain] = [found.train_information ?? 0, found.validation_information ?? 0]
  if (Math.min(told, toldAgain) < information) return null
  const [a, b] = [told, toldAgain].map(value => `${Math.round(100 * value)}%`)
  return `it alone explains ${a} of the label in training and ${b} in validation`
}
