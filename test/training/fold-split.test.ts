import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Problem } from '../../src/problems.ts'
import { planFolds } from '../../src/research/folds.ts'
import { splitFold, type TrainingFold } from '../../src/training/fold-split.ts'
import type { Split, Timed } from '../../src/training/splits.ts'
import { oneSymbol, someRows } from './rows.ts'

const shares = { train: 0.6, validation: 0.2, test: 0.2, embargo_bars: null }

const foldOf = (index: number, folds: number, embargoBars: number | null): TrainingFold => ({
  ...{ method: 'purged_k_fold', folds, index, embargoBars },
})

/** Every fold of the rows; null when they are too few for one of them. */
function splitAll(samples: Timed, plan: readonly TrainingFold[]): readonly Split[] | null {
  try {
    return plan.map(fold => splitFold(samples, fold, shares))
  } catch (error) {
    if (error instanceof Problem && error.code === 'params-invalid') return null
    throw error
  }
}

const whole = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('a fold learns on both sides of its test, and validates on the newest quarter of what it learns from', () => {
  // Labels end 3 later. Group 2 of five is rows 20–29, whose last label ends at 32.
  const split = splitFold(oneSymbol(50, 3), foldOf(2, 5, 2), shares)
  expect([...split.test]).toEqual(whole(20, 30))
  // 17 rows before and, after 2 bars of embargo, 15 from 35 on. The newest 8 of these 32 begin at 42.
  expect([...split.train]).toEqual([...whole(0, 17), ...whole(35, 39)])
  expect([...split.validation]).toEqual(whole(44, 50))
  expect(split).toMatchObject({ purged: 6 + 3, embargoed: 2 + 2, embargo_bars: 2 })
})

test('the last fold validates right before its test', () => {
  const split = splitFold(oneSymbol(50, 1), foldOf(4, 5, 0), shares)
  // Row 39 is purged; of the 39 rows before it the newest quarter begins at 29.
  expect([[...split.train].at(-1), split.validation[0], [...split.validation].at(-1)]).toEqual([27, 29, 38])
})

test('a window learns from its own past only, and rests for 1% of its own bars', () => {
  const fold: TrainingFold = {
    ...{ method: 'walk_forward', embargoBars: null },
    train: { from: 100, to: 500 },
    test: { from: 500, to: 600 },
  }
  const split = splitFold(oneSymbol(3_000, 2), fold, shares)
  // Of 500 bars 5 rest at each cut; the newest quarter of the training rows begins at 400.
  expect([split.train[0], split.train.at(-1)]).toEqual([100, 397])
  expect([split.validation[0], split.validation.at(-1)]).toEqual([405, 497])
  expect([split.test[0], split.test.at(-1)]).toEqual([505, 599])
  expect(split.embargo_bars).toBe(5)
})

test('the embargo of the request stands before that of the strategy', () => {
  const own = { ...shares, embargo_bars: 4 }
  expect(splitFold(oneSymbol(200, 1), foldOf(1, 4, null), own).embargo_bars).toBe(4)
  expect(splitFold(oneSymbol(200, 1), foldOf(1, 4, 7), own).embargo_bars).toBe(7)
})

/** Rows of one part may not meet, by their labels, the rows of another. */
function expectNoMeeting(samples: Timed, some: Int32Array, others: Int32Array): void {
  for (const row of some) {
    const [from, to] = [samples.time[row] ?? 0, samples.labelEnd[row] ?? 0]
    for (const other of others) {
      const isApart = (samples.labelEnd[other] ?? 0) <= from || to <= (samples.time[other] ?? 0)
      if (!isApart) throw new Error(`row ${row} and row ${other} share time`)
    }
  }
}

test('every row is tested once in k folds, and none that is learned from shares time with the test', () => {
  let seen = 0
  fc.assert(
    fc.property(someRows, fc.integer({ min: 2, max: 5 }), fc.nat(4), (samples, folds, embargoBars) => {
      const splits = splitAll(
        samples,
        whole(0, folds).map(index => foldOf(index, folds, embargoBars)),
      )
      if (splits === null) return
      seen++
      const tested = splits.flatMap(({ test: rows }) => [...rows]).sort((a, b) => a - b)
      expect(tested).toEqual(whole(0, samples.rows))
      for (const { train, validation, test: rows, purged, embargoed } of splits) {
        expect(train.length + validation.length + rows.length + purged + embargoed).toBe(samples.rows)
        expectNoMeeting(samples, rows, train)
        expectNoMeeting(samples, rows, validation)
        expectNoMeeting(samples, validation, train)
      }
    }),
    { numRuns: 40 },
  )
  expect(seen).toBeGreaterThan(20)
})

test('after the tested time the first bars of every symbol are learned from by no part', () => {
  let rested = 0
  fc.assert(
    fc.property(someRows, fc.integer({ min: 1, max: 6 }), (samples, embargoBars) => {
      const splits = splitAll(
        samples,
        whole(0, 3).map(index => foldOf(index, 3, embargoBars)),
      )
      for (const { train, validation, test: rows } of splits ?? []) {
        const end = Math.max(...Array.from(rows, row => samples.labelEnd[row] ?? 0))
        for (let symbol = 0; symbol < 3; symbol++) {
          const after = whole(0, samples.rows).filter(
            row => samples.symbol[row] === symbol && (samples.time[row] ?? 0) > end,
          )
          const first = samples.bar[after[0] ?? 0] ?? 0
          const resting = after.filter(row => (samples.bar[row] ?? 0) < first + embargoBars)
          rested += resting.length
          const learned = new Set([...train, ...validation])
          expect(resting.filter(row => learned.has(row))).toEqual([])
        }
      }
    }),
    { numRuns: 40 },
  )
  expect(rested).toBeGreaterThan(50)
})

test('windows learn from the past of their test only, and no row is tested twice', () => {
  let seen = 0
  fc.assert(
    fc.property(someRows, fc.boolean(), fc.nat(3), (samples, anchored, embargoBars) => {
      const [start, last] = [Math.min(...samples.time), Math.max(...samples.time)]
      const plan = { train_days: 2, test_days: 1, purge_days: 0, embargo_days: 0, anchored }
      const folds = planFolds({ start, end: last + 1 }, plan)
      const splits = splitAll(
        samples,
        folds.map(fold => ({
          ...{ method: 'walk_forward', embargoBars },
          train: { from: fold.train_start, to: fold.train_end },
          test: { from: fold.test_start, to: fold.test_end },
        })),
      )
      for (const { train, validation, test: rows } of splits ?? []) {
        seen++
        const first = Math.min(...Array.from(rows, row => samples.time[row] ?? 0))
        for (const row of [...train, ...validation]) expect(samples.labelEnd[row]).toBeLessThan(first)
        expectNoMeeting(samples, validation, train)
      }
      const tested = (splits ?? []).flatMap(({ test: rows }) => [...rows])
      expect(new Set(tested).size).toBe(tested.length)
    }),
    { numRuns: 60 },
  )
  expect(seen).toBeGreaterThan(30)
})

test('a part that is left without rows is refused', () => {
  expect(() => splitFold(oneSymbol(30, 1), foldOf(0, 2, 14), shares)).toThrow(/no training rows|has no rows/)
  expect(() => splitFold(oneSymbol(3, 1), foldOf(0, 5, 0), shares)).toThrow(/cannot be cut into 5 groups/)
})
