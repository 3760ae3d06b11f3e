import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { planFolds, type WalkPlan } from '../../src/research/folds.ts'

const dayMs = 86_400_000
const day = (number: number) => Date.UTC(2024, 0, 1) + number * dayMs
const plan: WalkPlan = { train_days: 100, test_days: 30, purge_days: 2, embargo_days: 3, anchored: false }
const inDays = (start: number, end: number, of: WalkPlan) =>
  planFolds({ start: day(start), end: day(end) }, of).map(fold =>
    [fold.train_start, fold.train_end, fold.test_start, fold.test_end].map(time => (time - day(0)) / dayMs),
  )

test('rolling windows train, leave the purge and the embargo out, test, and step on by the test', () => {
  expect(inDays(0, 200, plan)).toEqual([
    [0, 100, 105, 135],
    [30, 130, 135, 165],
    [60, 160, 165, 195],
  ])
})

test('anchored windows all begin at the start', () => {
  expect(inDays(0, 200, { ...plan, anchored: true }).map(([start, end]) => [start, end])).toEqual([
    [0, 100],
    [0, 130],
    [0, 160],
  ])
})

test('the last test is cut off at the end, and left out when less than half of it is there', () => {
  expect(inDays(0, 180, plan).at(-1)).toEqual([60, 160, 165, 180])
  expect(inDays(0, 179.9, plan).at(-1)).toEqual([30, 130, 135, 165])
  expect(inDays(0, 119, plan)).toEqual([])
})

test('no test overlaps its training, another test, or the gap, whatever the plan', () => {
  const days = fc.double({ min: 0.5, max: 400, noNaN: true })
  const gap = fc.double({ min: 0, max: 30, noNaN: true })
  const plans = fc.record({
    train_days: days,
    test_days: fc.double({ min: 5, max: 400, noNaN: true }),
    purge_days: gap,
    embargo_days: gap,
    anchored: fc.boolean(),
  })
  fc.assert(
    fc.property(plans, fc.integer({ min: 1, max: 1000 }), (of, length) => {
      const folds = planFolds({ start: day(0), end: day(length) }, of)
      for (const [i, fold] of folds.entries()) {
        const gapMs = (of.purge_days + of.embargo_days) * dayMs
        expect(fold.test_start - fold.train_end).toBeCloseTo(gapMs, 0)
        expect(fold.test_end).toBeLessThanOrEqual(day(length))
        const next = folds[i + 1]
        if (next !== undefined) expect(Math.abs(next.test_start - fold.test_end)).toBeLessThan(1)
      }
    }),
  )
})
