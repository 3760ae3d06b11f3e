import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Problem } from '../../src/problems.ts'
import { combinatorialFolds, combinatorialNumbers, purgedFolds } from '../../src/training/cross-validation.ts'
import { oneSymbol, someRows } from './rows.ts'

test('every group is the test once, and what its labels meet is not trained on', () => {
  const folds = purgedFolds(oneSymbol(50, 3), { folds: 5, embargoBars: 2 })
  expect(folds.map(({ testGroups }) => testGroups)).toEqual([[0], [1], [2], [3], [4]])
  const middle = folds[2]?.split
  expect([...(middle?.test ?? [])]).toEqual(Array.from({ length: 10 }, (_, i) => 20 + i))
  // Labels of rows 17–19 end in the test; the test's last label ends at 32, and two bars rest after it.
  const train = [...(middle?.train ?? [])]
  expect(train).toEqual(Array.from({ length: 50 }, (_, i) => i).filter(i => i < 17 || i > 34))
  expect(middle).toMatchObject({ purged: 6, embargoed: 2, embargo_bars: 2 })
  expect(middle?.validation).toHaveLength(0)
})

test('combinatorial splits and paths are as many as published', () => {
  // López de Prado 2018, section 12.4.1 and the paths φ = C(N, k) · k / N.
  expect(combinatorialNumbers(6, 2)).toEqual({ splits: 15, paths: 5 })
  expect(combinatorialNumbers(10, 8)).toEqual({ splits: 45, paths: 36 })
  const folds = combinatorialFolds(oneSymbol(60, 1), { groups: 6, testGroups: 2, embargoBars: 0 })
  expect(folds).toHaveLength(15)
  expect(new Set(folds.map(({ testGroups }) => testGroups.join())).size).toBe(15)
  for (let group = 0; group < 6; group++)
    expect(folds.filter(({ testGroups }) => testGroups.includes(group))).toHaveLength(5)
})

test('tested groups side by side are one block: nothing is purged between them', () => {
  const [first, second] = combinatorialFolds(oneSymbol(40, 1), { groups: 4, testGroups: 2, embargoBars: 3 })
  expect(first).toMatchObject({ testGroups: [0, 1], split: { purged: 1, embargoed: 3 } })
  // Groups 0 and 2: after 0 the row at 10, before 2 the row at 19, after 2 the row at 30.
  expect(second).toMatchObject({ testGroups: [0, 2], split: { purged: 3, embargoed: 6 } })
})

test('no label of a training row shares a moment with the tested time, whatever the rows', () => {
  let rowsSeen = 0
  fc.assert(
    fc.property(
      someRows,
      fc.integer({ min: 2, max: 6 }),
      fc.nat(3),
      fc.nat(4),
      (samples, groups, extra, embargoBars) => {
        const testGroups = 1 + (extra % (groups - 1))
        try {
          for (const { split } of combinatorialFolds(samples, { groups, testGroups, embargoBars })) {
            const tested = new Set(split.test)
            for (const row of split.train) {
              expect(tested.has(row)).toBe(false)
              rowsSeen++
            }
            const train = [...split.train]
            for (const row of split.test) {
              const [from, to] = [samples.time[row] ?? 0, samples.labelEnd[row] ?? 0]
              const meets = train.find(
                other => (samples.time[other] ?? 0) <= to && (samples.labelEnd[other] ?? 0) >= from,
              )
              expect(meets).toBeUndefined()
            }
            expect(split.train.length + split.test.length + split.purged + split.embargoed).toBe(samples.rows)
          }
        } catch (error) {
          if (!(error instanceof Problem)) throw error
        }
      },
    ),
    { numRuns: 25 },
  )
  expect(rowsSeen).toBeGreaterThan(1000)
})

test.each([
  [1, 1],
  [5, 5],
  [5, 0],
  [2.5, 1],
  [41, 1],
  [40, 20],
])('%d groups with %d for test of 40 rows are refused', (groups, testGroups) => {
  expect(() => combinatorialFolds(oneSymbol(40, 1), { groups, testGroups, embargoBars: 0 })).toThrow(
    /cannot be cut/,
  )
})

test('a split that purging leaves without training is refused', () => {
  expect(() => purgedFolds(oneSymbol(20, 30), { folds: 2, embargoBars: 0 })).toThrow(/no training rows/)
})
