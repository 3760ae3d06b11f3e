import { describe, expect, test } from '@jest/globals'
import { Random } from '../../src/statistics/random.ts'
import {
  holdBaseline,
  majorityBaseline,
  meanBaseline,
  meanTradeReturn,
  randomBaseline,
} from '../../src/training/baselines.ts'
import { blockRowsOf, classScore, permutationTest, productScore } from '../../src/training/permutation.ts'
import type { Samples } from '../../src/training/samples.ts'
import { barsOf } from '../labels/label-bars.ts'
import { oneSymbol, timedRows } from './rows.ts'

const trades = ['buy', 'hold', 'sell']

test('the majority class is that of training, not of what is measured', () => {
  const { class: name, metrics } = majorityBaseline([2, 2, 0, 2], [0, 0, 2, 1], trades)
  expect([name, metrics.accuracy, metrics.mcc]).toEqual(['sell', 0.25, 0])
  expect(majorityBaseline([1, 0, 1, 0], [0], trades).class).toBe('buy')
})

test('the mean of training is the baseline of returns', () => {
  const { value, metrics } = meanBaseline(Float64Array.of(1, 3), Float64Array.of(2, 4, 0))
  expect([value, metrics.r2]).toEqual([2, 0])
})

describe('guessing', () => {
  const label = Float64Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 0 : 2))
  const ret = label.map(k => (k === 0 ? 0.03 : -0.01))
  const plan = { classes: trades, train: [0, 0, 2, 1], label, ret, runs: 150, seed: 5 }

  test('is right as often as the shares say, and earns what they do', () => {
    const guessed = randomBaseline(plan)
    // Half buys, a quarter each of holds and sells, against a third and two thirds.
    expect(guessed.expected_accuracy).toBeCloseTo(0.5 / 3 + 0.25 * (2 / 3), 12)
    expect(guessed.accuracy.mean).toBeCloseTo(guessed.expected_accuracy, 2)
    // The rows return 0.01 − 0.02 / 3 on average, the guesses are (0.5 − 0.25) long.
    expect(guessed.mean_return_fraction?.mean).toBeCloseTo((0.25 * (0.03 - 2 * 0.01)) / 3, 3)
    // One standard deviation of 300 guesses is 0.027; nine tenths lie within 1.645 of them.
    expect(guessed.accuracy.p95 - guessed.accuracy.p05).toBeCloseTo(2 * 1.645 * 0.0272, 1)
    expect(guessed.accuracy.p05).toBeLessThan(guessed.accuracy.p50)
  })

  test('is the same for the same seed, and earns nothing where classes are no trades', () => {
    expect(randomBaseline(plan)).toEqual(randomBaseline(plan))
    expect(randomBaseline({ ...plan, seed: 6 })).not.toEqual(randomBaseline(plan))
    const contexts = { ...plan, classes: ['bullish', 'bearish', 'neutral'] }
    expect(randomBaseline(contexts).mean_return_fraction).toBeNull()
  })

  test('what trades earn is the return of buys less that of sells', () => {
    expect(meanTradeReturn([0, 1, 2, 2], Float64Array.of(0.1, 9, 0.2, -0.4))).toBeCloseTo(0.3 / 4, 12)
  })
})

test('holding buys at the first close of the range and ends at the last, in equal amounts', () => {
  const bars = barsOf([100, 200, 50, 100])
  const [from = 0, to = 0] = [bars.close_time[1], bars.close_time[3]]
  const flat = barsOf([10, 10, 10, 10])
  const parts = [
    { symbol: 'A', bars },
    { symbol: 'B', bars: flat },
    { symbol: 'C', bars: barsOf([1, 2]) },
  ]
  expect(holdBaseline(parts, { from, to })).toEqual({ symbols: ['A', 'B'], total_return_fraction: -0.25 })
  expect(holdBaseline(parts, { from: to + 1, to: to + 2 })).toBeNull()
})

describe('permutation', () => {
  const random = new Random(11)
  const label = Float64Array.from({ length: 200 }, () => random.below(3))
  const noise = Float64Array.from({ length: 200 }, () => random.below(3))
  const symbol = new Uint16Array(200)
  const plan = { label, symbol, permutations: 499, blockRows: 5, seed: 3 }
  const accuracyOf = (predicted: ArrayLike<number>) => classScore('accuracy', predicted, 3)

  test('right predictions cannot be had by luck, guesses can', () => {
    const right = permutationTest({ ...plan, score: accuracyOf(label) })
    expect(right).toMatchObject({ observed: 1, p_value: 1 / 500, permutations: 499, block_rows: 5 })
    expect(right.mean).toBeCloseTo(1 / 3, 1)
    expect(permutationTest({ ...plan, score: accuracyOf(noise) }).p_value).toBeGreaterThan(0.05)
  })

  test('a constant prediction scores the same in every order', () => {
    const constant = permutationTest({ ...plan, score: accuracyOf(new Uint8Array(200)) })
    expect(constant.p_value).toBe(1)
    expect(constant.mean).toBeCloseTo(constant.observed, 12)
  })

  test('p-values of guesses are spread evenly', () => {
    const values = Array.from({ length: 60 }, (_, i) => {
      const draw = new Random(100 + i)
      const guess = Float64Array.from(label, () => draw.normal())
      return permutationTest({ ...plan, permutations: 99, score: productScore(guess) }).p_value
    })
    const below = (limit: number) => values.filter(value => value <= limit).length / 60
    expect(below(0.5)).toBeGreaterThan(0.3)
    expect(below(0.5)).toBeLessThan(0.7)
    expect(below(0.1)).toBeLessThan(0.25)
  })

  test('labels that come in long runs need blocks: single rows take their overlap for evidence', () => {
    // Two series that wander by themselves agree or disagree for long: often significant row by row.
    const walk = (seed: number) => {
      const draw = new Random(seed)
      let level = 0
      return Float64Array.from({ length: 240 }, () => {
        level = 0.95 * level + draw.normal()
        return level > 0 ? 1 : 0
      })
    }
    const rejected = (blockRows: number) =>
      Array.from({ length: 20 }, (_, i) => {
        const score = classScore('mcc', walk(2 * i), 2)
        const one = {
          label: walk(2 * i + 1),
          symbol: new Uint16Array(240),
          score,
          permutations: 39,
          seed: i,
          blockRows,
        }
        return permutationTest(one).p_value
      }).filter(value => value <= 0.05).length
    expect(rejected(1)).toBeGreaterThan(5)
    expect(rejected(24)).toBeLessThan(rejected(1) / 2)
  })

  test('every symbol keeps its own labels, and all of them', () => {
    const own = Float64Array.of(0, 1, 0, 1, 1, 5, 6, 7)
    const seen = new Set<string>()
    const score = (permuted: Float64Array) => {
      expect([...permuted.subarray(0, 5)].sort()).toEqual([0, 0, 1, 1, 1])
      expect([...permuted.subarray(5)].sort()).toEqual([5, 6, 7])
      seen.add(permuted.join())
      return 0
    }
    const symbols = [0, 0, 0, 0, 0, 1, 1, 1]
    permutationTest({ label: own, symbol: symbols, score, permutations: 50, blockRows: 2, seed: 1 })
    expect(seen.size).toBeGreaterThan(10)
    expect([...own]).toEqual([0, 1, 0, 1, 1, 5, 6, 7])
  })

  test('a block is as long as labels overlap, at least the cube root of the rows', () => {
    const rows = Int32Array.from({ length: 100 }, (_, i) => i)
    const asSamples = (timed: ReturnType<typeof oneSymbol>) => timed as Samples
    expect(blockRowsOf(asSamples(oneSymbol(100, 1)), rows)).toBe(5)
    expect(
      blockRowsOf(
        asSamples(oneSymbol(1000, 20)),
        Int32Array.from({ length: 1000 }, (_, i) => i),
      ),
    ).toBe(20)
    // Labels as long, but rows only every tenth bar.
    const sparse = timedRows(
      Array.from({ length: 1000 }, (_, i) => ({ symbol: 0, bar: 10 * i, time: 10 * i, span: 20 })),
    )
    expect(
      blockRowsOf(
        asSamples(sparse),
        Int32Array.from({ length: 1000 }, (_, i) => i),
      ),
    ).toBe(10)
  })
})
