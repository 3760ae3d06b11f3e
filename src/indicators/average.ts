import { pieceLength, type Series, type SeriesInto } from './series.ts'
import { createEnds, createWindowWeighted, sumEnds } from './window.ts'

/**
 * Mean of the last `period` values; of equal values exactly that value: rounding would make a flat market cross its own
 * average. First at value period − 1. The sum is that of `createWindowSum`, whole blocks without a look at each value.
 * The column it is given to write to must not be the input.
 */
export function createSma(period: number): SeriesInto {
  const block: MeanBlock = {
    values: new Float64Array(period),
    ends: createEnds(period, 0),
    at: 0,
    sum: 0,
    last: Number.NaN,
    run: 0,
  }
  return (input, output = new Float64Array(input.length)) => {
    let i = 0
    while (i < input.length) {
      if (block.at === 0) i = averageBlocks(block, input, output, i)
      i = averageSingly(block, input, output, i)
    }
    return output
  }
}

/** A block of which `at` values are known; `last` has come `run` times in a row. */
type MeanBlock = {
  readonly values: Float64Array
  readonly ends: Float64Array
  at: number
  sum: number
  last: number
  run: number
}

/** Whole blocks without a NaN. @returns index of the first value that is left */
function averageBlocks(block: MeanBlock, input: Float64Array, output: Float64Array, from: number): number {
  const { ends } = block
  const period = ends.length - 1
  let { last, run } = block
  let i = from
  for (; i + period <= input.length; i += period) {
    let sum = 0
    for (let at = 1, j = i; at <= period; at++, j++) {
      sum += input[j] as number
      output[j] = (sum + (ends[at] as number)) / period
    }
    if (Number.isNaN(sum)) break
    sumEnds(input, ends, i)
    const newest = input[i + period - 1] as number
    // Only a window that holds the first of the block, and the value before it or the last, can be all equal.
    if (input[i] === last || input[i] === newest) run = holdStill(input, output, i, { period, last, run })
    else for (run = 1; input[i + period - 1 - run] === newest; ) run++
    last = newest
  }
  block.last = last
  block.run = run
  return i
}

/** Corrects the means of equal values in a block. @returns how often its last value came in a row */
function holdStill(
  input: Float64Array,
  output: Float64Array,
  from: number,
  { period, ...before }: { readonly period: number; readonly last: number; readonly run: number },
): number {
  let { last, run } = before
  for (let i = from; i < from + period; i++) {
    run = input[i] === last ? run + 1 : 1
    last = input[i] as number
    if (run >= period) output[i] = last
  }
  return run
}

/** Goes on to the end of the block or of the input. @returns index of the first value that is left */
function averageSingly(block: MeanBlock, input: Float64Array, output: Float64Array, from: number): number {
  const { values, ends } = block
  const period = values.length
  let i = from
  for (; i < input.length && block.at < period; i++) {
    const value = input[i] as number
    output[i] = value
    if (Number.isNaN(value)) continue
    values[block.at] = value
    block.at++
    block.sum += value
    block.run = value === block.last ? block.run + 1 : 1
    block.last = value
    if (block.run < period) output[i] = (block.sum + (ends[block.at] as number)) / period
  }
  if (block.at === period) {
    sumEnds(values, ends, 0)
    block.at = 0
    block.sum = 0
  }
  return i
}

/** Mean weighted 1 for the oldest to `period` for the newest; of equal values exactly that value. First at period − 1. */
export function createWma(period: number): Series {
  const sumUp = createWindowWeighted(period)
  const divisor = (period * (period + 1)) / 2
  const held = { last: Number.NaN, run: 0 }
  return input => {
    const output = sumUp(input)
    let { last, run } = held
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) continue
      run = value === last ? run + 1 : 1
      last = value
      output[i] = run < period ? (output[i] as number) / divisor : value
    }
    held.last = last
    held.run = run
    return output
  }
}

/**
 * Moves 2 / (period + 1) of the way to each value. First at value period − 1: the mean of the first `period`
 * (StockCharts, Skender, TA-Lib).
 */
export function createEma(period: number): SeriesInto {
  return seriesOf(startEma(period))
}

/** Wilder's average: moves 1 / period of the way. First at value period − 1: the mean of the first `period`. */
export function createWilder(period: number): SeriesInto {
  return seriesOf(startWilder(period))
}

/**
 * Exponential smoothing whose first value is the mean of the first `seedBars` values. Of equal values it is
 * exactly that value.
 *
 * Every second value is made from the one two before, weight·(2 − weight) of the way to the weighted mean of the two
 * new values: that is the same average, and a processor waits for half as many results one after the other.
 * @param weight 0–1, share of the newest value
 * @returns a series that may be given a column for its values, also the input itself
 */
export function createSmoothing(seedBars: number, weight: number): SeriesInto {
  return seriesOf(startSmoothing(seedBars, weight))
}

/** The series of a smoothing that others may look into. */
export function seriesOf(held: Smoothing): SeriesInto {
  return (input, output = new Float64Array(input.length)) => {
    let i = seed(held, input, output)
    while (i < input.length) {
      i = smoothPairs(held, input, output, i)
      if (i < input.length) output[i] = smoothOne(held, input[i] as number)
      i++
    }
    return output
  }
}

/** What `createSmoothing` begins with. */
export function startSmoothing(seedBars: number, weight: number): Smoothing {
  return { ...pairOf(weight), seedBars, count: 0, average: 0, pending: Number.NaN }
}

/** What `createEma` begins with. */
export const startEma = (period: number): Smoothing => startSmoothing(period, 2 / (period + 1))

/** What `createWilder` begins with. */
export const startWilder = (period: number): Smoothing => startSmoothing(period, 1 / period)

/** Whether the next two values are a pair: a loop over several averages may then take both at once, as `smoothPairs` does. */
export const isBeforePair = (held: Smoothing): boolean =>
  held.count >= held.seedBars && Number.isNaN(held.pending)

/** Whether one value is missing to the end of a pair. */
const isInPair = (held: Smoothing): boolean => !Number.isNaN(held.pending)

/**
 * Goes through a column of which several averages are made: `fusePairs` takes as many pairs as it can, `step` what it
 * leaves, piece by piece, and a single value where all averages are in the middle of a pair.
 * @param fusePairs given the index to begin at, @returns that of the first value that is left
 */
export function fuseThrough(
  length: number,
  averages: readonly Smoothing[],
  fusePairs: (from: number) => number,
  step: (from: number, to: number) => void,
): void {
  for (let from = fusePairs(0); from < length; ) {
    const to = Math.min(length, from + (averages.every(isInPair) ? 1 : pieceLength))
    step(from, to)
    from = fusePairs(to)
  }
}

/** How far an average moves to one value; to two; and what the newer of two weighs in their mean. */
type Pair = { readonly weight: number; readonly both: number; readonly newer: number }

/**
 * `count`: how many of `seedBars` values made the average so far. `average`: the one of the last complete pair.
 * `pending`: the first value of a pair whose second is yet to come, else NaN.
 */
export type Smoothing = Pair & { readonly seedBars: number; count: number; average: number; pending: number }

const pairOf = (weight: number): Pair => ({ weight, both: weight * (2 - weight), newer: 1 / (2 - weight) })

/** Takes values for the seed until it is complete. @returns index of the first value that is left */
function seed(held: Smoothing, input: Float64Array, output: Float64Array): number {
  let i = 0
  for (; i < input.length && held.count < held.seedBars; i++) {
    const value = input[i] as number
    output[i] = Number.NaN
    if (Number.isNaN(value)) continue
    held.count++
    held.average += (value - held.average) / held.count
    if (held.count === held.seedBars) output[i] = held.average
  }
  return i
}

/** @returns index of the first value that is left: one that has no second, or a pair with a NaN */
function smoothPairs(held: Smoothing, input: Float64Array, output: Float64Array, from: number): number {
  if (!Number.isNaN(held.pending)) return from
  const { weight, both, newer } = held
  let { average } = held
  let i = from
  for (; i + 1 < input.length; i += 2) {
    const first = input[i] as number
    const second = input[i + 1] as number
    const next = average + both * (first + newer * (second - first) - average)
    if (Number.isNaN(next)) break
    output[i] = average + weight * (first - average)
    output[i + 1] = next
    average = next
  }
  held.average = average
  return i
}

function smoothOne(held: Smoothing, value: number): number {
  if (Number.isNaN(value)) return value
  const { weight, both, newer, pending, average } = held
  if (Number.isNaN(pending)) {
    held.pending = value
    return average + weight * (value - average)
  }
  held.average = average + both * (pending + newer * (value - pending) - average)
  held.pending = Number.NaN
  return held.average
}

/** Bars until an average that moves 1 / period per bar keeps 1e-8 of a disagreement at its start. */
export function wilderSettling(period: number): number {
  return settlingOf(1 / period)
}

/** The same for one that moves 2 / (period + 1). */
export function emaSettling(period: number): number {
  return settlingOf(2 / (period + 1))
}

/** The same for any weight, 0–1. */
export function settlingOf(weight: number): number {
  return weight >= 1 ? 0 : Math.ceil(Math.log(1e-8) / Math.log1p(-weight))
}
