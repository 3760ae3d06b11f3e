import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BlockPlan, defaultBlock, drawBlocks, drawIndexes } from '../../src/statistics/bootstrap.ts'
import { mean, standardDeviation } from '../../src/statistics/moments.ts'
import { quantileOf } from '../../src/statistics/quantile.ts'
import { Random } from '../../src/statistics/random.ts'
import { sharpeInterval } from '../../src/statistics/sharpe-interval.ts'

function indexesOf(seed: number, plan: BlockPlan): number[] {
  const out = new Int32Array(plan.length).fill(-1)
  drawIndexes(new Random(seed), plan, out)
  return [...out]
}

/** Lengths of the runs that follow each other in the series, its end joined to its beginning. */
function runsOf(indexes: readonly number[], length: number): number[] {
  const runs = [1]
  for (let i = 1; i < indexes.length; i++) {
    if (indexes[i] === ((indexes[i - 1] as number) + 1) % length) runs[runs.length - 1]!++
    else runs.push(1)
  }
  return runs
}

test('a resample has as many values as the series, all of it, in pieces within it', () => {
  const anyPlan = fc.record({
    length: fc.integer({ min: 1, max: 60 }),
    block: fc.double({ min: 1, max: 80, noNaN: true }),
    kind: fc.constantFrom('stationary' as const, 'circular' as const),
  })
  fc.assert(
    fc.property(anyPlan, fc.nat(), (plan, seed) => {
      let values = 0
      drawBlocks(new Random(seed), plan, (from, to) => {
        expect(from >= 0 && from < to && to <= plan.length).toBe(true)
        values += to - from
      })
      expect(values).toBe(plan.length)
      expect(indexesOf(seed, plan)).toEqual(indexesOf(seed, plan))
    }),
  )
})

test('circular blocks are all as long as asked for, and one as long as the series turns it', () => {
  const runs = runsOf(indexesOf(5, { length: 1000, block: 8, kind: 'circular' }), 1000)
  expect(runs.every(run => run % 8 === 0)).toBe(true)
  const turned = indexesOf(6, { length: 9, block: 9, kind: 'circular' })
  expect(turned.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  expect(runsOf(turned, 9)).toEqual([9])
})

test('stationary blocks are as long as asked for on average, and every value is as likely', () => {
  const length = 20_000
  const indexes = indexesOf(7, { length, block: 10, kind: 'stationary' })
  expect(Math.abs(length / runsOf(indexes, length).length - 10)).toBeLessThan(0.5)
  const upper = indexes.filter(index => index >= length / 2).length
  expect(Math.abs(upper / length - 0.5)).toBeLessThan(0.03)
  const single = runsOf(indexesOf(8, { length, block: 1, kind: 'stationary' }), length)
  expect(single.length).toBeGreaterThan(length * 0.99)
})

test('the default block grows with the cube root of the sample', () => {
  expect([1, 8, 9, 252, 1000].map(defaultBlock)).toEqual([1, 2, 3, 7, 10])
})

test('the interval of the Sharpe ratio is that of resamples taken value by value', () => {
  const source = new Random(11)
  const returns = Float64Array.from({ length: 300 }, () => 0.001 + 0.01 * source.normal())
  const random = new Random(5)
  const plan = { length: 300, block: defaultBlock(300), kind: 'stationary' } as const
  const out = new Int32Array(300)
  const ratios = Float64Array.from({ length: 200 }, () => {
    drawIndexes(random, plan, out)
    const resample = Float64Array.from(out, i => returns[i] as number)
    return mean(resample) / standardDeviation(resample)
  }).sort()
  const interval = sharpeInterval(returns, { seed: 5, resamples: 200, coverage: 0.9 })
  expect(interval?.low).toBeCloseTo(quantileOf(ratios, 0.05), 10)
  expect(interval?.high).toBeCloseTo(quantileOf(ratios, 0.95), 10)
})

test('of independent normal returns the interval is about as wide as theory says', () => {
  const source = new Random(12)
  const returns = Float64Array.from({ length: 1000 }, () => 0.0005 + 0.01 * source.normal())
  const interval = sharpeInterval(returns, { seed: 1, resamples: 1000, coverage: 0.95 })
  const sharpe = mean(returns) / standardDeviation(returns)
  const { low, high } = interval ?? { low: Number.NaN, high: Number.NaN }
  expect(low < sharpe && sharpe < high).toBe(true)
  // ± 1.96 · √((1 + SR² / 2) / n).
  expect(Math.abs((high - low) / ((2 * 1.96) / Math.sqrt(1000)) - 1)).toBeLessThan(0.15)
})

test('returns that do not vary, or one alone, have no interval', () => {
  const plan = { seed: 1, resamples: 50, coverage: 0.95 }
  expect(sharpeInterval(new Float64Array(30).fill(0.01), plan)).toBeNull()
  expect(sharpeInterval(Float64Array.of(0.01), plan)).toBeNull()
})
