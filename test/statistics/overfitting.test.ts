import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { allocateBlockSums, writeBlockSums } from '../../src/statistics/block-sums.ts'
import { overfittingOf } from '../../src/statistics/overfitting.ts'
import { Random } from '../../src/statistics/random.ts'

type Trials = readonly (readonly number[])[]

function measure(trials: Trials, blocks: number, checkpoint?: (done: number, total: number) => void) {
  const sums = allocateBlockSums(trials.length, trials[0]?.length ?? 0, blocks)
  trials.forEach((returns, trial) => {
    writeBlockSums(sums, trial, Float64Array.from(returns))
  })
  return overfittingOf(sums, checkpoint)
}

/** Sharpe ratios of 1.41, 0 and −1.41 in the first block, −1.41, 0 and 1.41 in the second. */
const swinging: Trials = [
  [1, 3, -1, -3],
  [1, -1, 1, -1],
  [-1, -3, 1, 3],
]

describe('the probability of backtest overfitting', () => {
  test('is 1 where the best of one half is the worst of the other, as worked out by hand', () => {
    // Two splits: the first trial, then the third, is the best, with rank 1 of 3 in the other half: ω = ¼.
    const result = measure(swinging, 2)
    expect(result).toMatchObject({ probability: 1, loss_fraction: 1, splits: 2, trials: 3 })
    expect(result?.median_logit).toBeCloseTo(Math.log(1 / 3), 12)
  })

  test('is 0 where one trial is the best everywhere, as worked out by hand', () => {
    // The new trial has a Sharpe ratio of 3.5 in both halves: rank 4 of 4, ω = ⅘.
    const result = measure([...swinging, [2, 3, 2, 3]], 2)
    expect(result).toMatchObject({ probability: 0, loss_fraction: 0 })
    expect(result?.median_logit).toBeCloseTo(Math.log(4), 12)
  })

  test('of trials that are all the same is 1: the choice says nothing', () => {
    const same = [0.1, -0.2, 0.3, 0.1]
    expect(measure([same, same, same, same], 2)).toMatchObject({ probability: 1, median_logit: 0 })
  })

  test('of pure noise is about a half, and of one that is really better about 0', () => {
    const random = new Random(1)
    let sum = 0
    let better = 0
    for (let round = 0; round < 40; round++) {
      const noise = Array.from({ length: 20 }, () => Array.from({ length: 160 }, () => random.normal()))
      sum += measure(noise, 8)?.probability ?? Number.NaN
      const skilled = noise.map((returns, i) => (i === 7 ? returns.map(value => value + 0.7) : returns))
      better += measure(skilled, 8)?.probability ?? Number.NaN
    }
    // The probabilities of single rounds deviate by about a quarter: that of the mean by 0.04.
    expect(Math.abs(sum / 40 - 0.5)).toBeLessThan(0.12)
    expect(better / 40).toBeLessThan(0.01)
  })

  test('is what the definition says, split by split', () => {
    const value = fc.integer({ min: -3, max: 3 })
    const anyTrials = fc
      .record({ trials: fc.integer({ min: 2, max: 6 }), periods: fc.integer({ min: 12, max: 21 }) })
      .chain(({ trials, periods }) =>
        fc.array(fc.array(value, { minLength: periods, maxLength: periods }), {
          minLength: trials,
          maxLength: trials,
        }),
      )
    fc.assert(
      fc.property(anyTrials, fc.constantFrom(2, 4, 6), fc.boolean(), (trials, blocks, isFirstRuined) => {
        const given = trials.map((returns, i) =>
          i === 0 && isFirstRuined ? returns.with(3, Number.NaN) : returns,
        )
        const result = measure(given, blocks)
        const expected = naively(given, blocks)
        if (expected === null) expect(result).toBeNull()
        else {
          expect(result?.probability).toBeCloseTo(expected.probability, 12)
          expect(result?.loss_fraction).toBeCloseTo(expected.loss_fraction, 12)
        }
      }),
    )
  })

  test('ranks trials as equal that differ by their scale, whatever rounding makes of it', () => {
    const random = new Random(3)
    const returns = Array.from({ length: 60 }, () => random.normal())
    const scaled = [1, 3, 0.7, 1.1, 13].map(scale => returns.map(value => value * scale))
    expect(measure(scaled, 6)).toMatchObject({ probability: 1, median_logit: 0 })
  })

  test('does not depend on the scale of a trial, and reports its way', () => {
    const random = new Random(2)
    const trials = Array.from({ length: 40 }, () => Array.from({ length: 64 }, () => random.normal()))
    const calls: number[] = []
    const result = measure(trials, 8, (done, total) => calls.push(done / total))
    expect(
      measure(
        trials.map((returns, i) => returns.map(value => value * 2 ** i)),
        8,
      ),
    ).toEqual(result)
    expect(calls.length).toBe(5)
    expect(calls.at(-1)).toBe(1)
    const stop = () => {
      throw new Error('stopped')
    }
    expect(() => measure(trials, 8, stop)).toThrow('stopped')
  })
})

test('what cannot be split is refused, and one trial alone is no choice', () => {
  expect(() => allocateBlockSums(3, 100, 5)).toThrow('5 is not a number of blocks')
  expect(() => allocateBlockSums(3, 100, 22)).toThrow('22 is not a number of blocks')
  expect(() => allocateBlockSums(3, 31, 16)).toThrow('too few')
  const sums = allocateBlockSums(2, 8, 2)
  expect(() => writeBlockSums(sums, 0, new Float64Array(7))).toThrow('trial 0 has 7 returns, not 8')
  expect(overfittingOf(sums)).toBeNull()
})

/** The definition, by brute force over the returns themselves. */
function naively(trials: Trials, blocks: number) {
  const periods = trials[0]?.length ?? 0
  const isWhole = (returns: readonly number[]) => returns.every(Number.isFinite)
  if (trials.filter(isWhole).length < 2) return null
  let splits = 0
  let low = 0
  let losses = 0
  for (let mask = 0; mask < 2 ** blocks; mask++) {
    const isIn = (period: number) => {
      let block = 0
      while (Math.floor(((block + 1) * periods) / blocks) <= period) block++
      return ((mask >> block) & 1) === 1
    }
    if (mask.toString(2).replaceAll('0', '').length !== blocks / 2) continue
    splits++
    const score = (returns: readonly number[], inside: boolean) =>
      isWhole(returns) ? sharpe(returns.filter((_, i) => isIn(i) === inside)) : Number.NEGATIVE_INFINITY
    const train = trials.map(returns => score(returns, true))
    const rest = trials.map(returns => score(returns, false))
    // Equal ones by another order of summing differ by rounding.
    const highest = Math.max(...train)
    const own = rest[train.findIndex(value => value > highest - 1e-9)] as number
    const below = rest.filter(value => value < own - 1e-9).length
    const equal = rest.filter(value => Math.abs(value - own) <= 1e-9).length
    if (2 * (below + (equal + 1) / 2) <= trials.length + 1) low++
    if (own < -1e-9) losses++
  }
  return { probability: low / splits, loss_fraction: losses / splits }
}

function sharpe(returns: readonly number[]): number {
  const average = returns.reduce((sum, value) => sum + value, 0) / returns.length
  const squares = returns.reduce((sum, value) => sum + (value - average) ** 2, 0)
  return squares < 1e-12 ? 0 : average / Math.sqrt(squares / (returns.length - 1))
}
