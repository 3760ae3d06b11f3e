import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Problem } from '../../src/problems.ts'
import { planFolds, type WalkPlan } from '../../src/research/folds.ts'
import { cutRows, type Split, splitSamples, splitWindow, type Timed } from '../../src/training/splits.ts'
import { oneSymbol, someRows, timedRows } from './rows.ts'

const shares = { train: 0.6, validation: 0.2, test: 0.2, embargo_bars: 0 }

/** First and last row of each part. */
function endsOf(split: Split) {
  return [split.train, split.validation, split.test].map(rows => [rows[0], rows.at(-1), rows.length])
}

test('parts follow each other in time, without the rows whose labels reach into the next', () => {
  // Labels end 3 later: of rows 0–59 the last whose label is known before 60 is 56.
  expect(splitSamples(oneSymbol(100, 3), shares)).toMatchObject({ purged: 6, embargoed: 0, embargo_bars: 0 })
  expect(endsOf(splitSamples(oneSymbol(100, 3), shares))).toEqual([
    [0, 56, 57],
    [60, 76, 17],
    [80, 99, 20],
  ])
})

test('the embargo takes the first bars of validation and of test', () => {
  const split = splitSamples(oneSymbol(100, 3), { ...shares, embargo_bars: 4 })
  expect(endsOf(split)).toEqual([
    [0, 56, 57],
    [64, 76, 13],
    [84, 99, 16],
  ])
  expect(split).toMatchObject({ purged: 6, embargoed: 8, embargo_bars: 4 })
})

test('the embargo counts bars, not rows, and is 1% of the longest symbol unless it is given', () => {
  const every = (step: number) =>
    timedRows(Array.from({ length: 100 }, (_, i) => ({ symbol: 0, bar: step * i, time: step * i, span: 1 })))
  expect(splitSamples(every(4), { ...shares, embargo_bars: 9 }).embargoed).toBe(6)
  expect(splitSamples(every(4), { ...shares, embargo_bars: null }).embargo_bars).toBe(4)
  expect(splitSamples(oneSymbol(100, 1), { ...shares, embargo_bars: null }).embargo_bars).toBe(1)
})

test('the cuts are the same moments for all symbols, also for one that begins later', () => {
  const old = Array.from({ length: 100 }, (_, i) => ({ symbol: 0, bar: i, time: i, span: 1 }))
  const young = Array.from({ length: 50 }, (_, i) => ({ symbol: 1, bar: i, time: 50 + i, span: 1 }))
  const samples = timedRows([...old, ...young])
  const split = splitSamples(samples, shares)
  // 90 of the 150 rows are before 70, 120 before 85.
  const timesOf = (rows: Int32Array) => [...rows].map(row => samples.time[row] ?? -1)
  expect(split.ranges).toMatchObject({ validation: { from: 70, to: 85 }, test: { from: 85 } })
  expect(Math.max(...timesOf(split.train))).toBe(68)
  expect(timesOf(split.train).filter(time => time >= 50)).toHaveLength(38)
  expect(
    timesOf(split.test)
      .sort((a, b) => a - b)
      .slice(0, 2),
  ).toEqual([85, 85])
})

/** Everything that must hold of parts that follow each other. */
function expectApart(samples: Timed, parts: readonly Int32Array[]) {
  const all = parts.flatMap(rows => [...rows])
  expect(new Set(all).size).toBe(all.length)
  for (const [i, part] of parts.entries()) {
    expect([...part]).toEqual([...part].sort((a, b) => a - b))
    const later = parts.slice(i + 1).flatMap(rows => [...rows])
    const first = Math.min(...later.map(row => samples.time[row] ?? 0))
    const reach = Math.max(...[...part].map(row => samples.labelEnd[row] ?? 0))
    if (later.length > 0 && part.length > 0) expect(reach).toBeLessThan(first)
  }
}

test('no label of a part reaches into a later one, for any symbols, shares and embargo', () => {
  const share = fc.integer({ min: 20, max: 40 })
  let split = 0
  fc.assert(
    fc.property(
      someRows,
      share,
      share,
      fc.nat(6),
      fc.boolean(),
      (samples, validation, test, embargo_bars, tested) => {
        const held = tested ? test / 100 : 0
        const plan = {
          train: 1 - validation / 100 - held,
          validation: validation / 100,
          test: held,
          embargo_bars,
        }
        try {
          const parts = splitSamples(samples, plan)
          expectApart(samples, [parts.train, parts.validation, parts.test])
          const kept = parts.train.length + parts.validation.length + parts.test.length
          expect(kept + parts.purged + parts.embargoed).toBe(samples.rows)
          if (!tested) expect(parts.test).toHaveLength(0)
          split++
        } catch (error) {
          if (!(error instanceof Problem)) throw error
        }
      },
    ),
  )
  expect(split).toBeGreaterThan(60)
})

test('a part that loses all its rows is refused with the reason', () => {
  expect(() => splitSamples(oneSymbol(50, 12), shares)).toThrow(
    /validation has no rows: 22 rows were purged .* 0 fell to the embargo of 0 bars/,
  )
  expect(() => splitSamples(oneSymbol(50, 1), { ...shares, embargo_bars: 10 })).toThrow(
    /validation has no rows/,
  )
})

test('parts may leave a gap, which needs no purging twice', () => {
  const split = cutRows(oneSymbol(30, 2), {
    train: { from: 0, to: 10 },
    validation: null,
    test: { from: 11, to: 20 },
    embargoBars: 0,
  })
  expect(endsOf(split)).toEqual([
    [0, 8, 9],
    [undefined, undefined, 0],
    [11, 19, 9],
  ])
})

const dayMs = 86_400_000
const hourly = (rows: number, span: number) =>
  timedRows(
    Array.from({ length: rows }, (_, i) => ({
      symbol: 0,
      bar: i,
      time: (i * dayMs) / 24,
      span: (span * dayMs) / 24,
    })),
  )

/** The rows of every window of a walk from the first row to the last. */
function walkForward(samples: Timed, plan: WalkPlan, cut: Parameters<typeof splitWindow>[2]): Split[] {
  const [start, last] = [Math.min(...samples.time), Math.max(...samples.time)]
  return planFolds({ start, end: last + 1 }, plan).map(fold =>
    splitWindow(
      samples,
      {
        train: { from: fold.train_start, to: fold.train_end },
        test: { from: fold.test_start, to: fold.test_end },
      },
      cut,
    ),
  )
}

const walk = { train_days: 4, test_days: 2, purge_days: 0, embargo_days: 0, anchored: false }

test('a walk forward trains, validates on the newest part of the training window, and tests what follows', () => {
  const folds = walkForward(hourly(240, 2), walk, { validation: 0.25, embargoBars: 0 })
  // Windows of 96 and 48 rows; two labels of each part end in the next.
  expect(folds.map(endsOf)).toEqual([
    [
      [0, 69, 70],
      [72, 93, 22],
      [96, 143, 48],
    ],
    [
      [48, 117, 70],
      [120, 141, 22],
      [144, 191, 48],
    ],
    [
      [96, 165, 70],
      [168, 189, 22],
      [192, 239, 48],
    ],
  ])
  const anchored = walkForward(hourly(240, 2), { ...walk, anchored: true }, { validation: 0, embargoBars: 3 })
  expect(anchored.map(endsOf).at(-1)).toEqual([
    ...[
      [0, 189, 190],
      [undefined, undefined, 0],
      [195, 239, 45],
    ],
  ])
})

test('no window of a walk forward trains on what it tests', () => {
  fc.assert(
    fc.property(
      someRows,
      fc.boolean(),
      fc.nat(3),
      fc.constantFrom(0, 0.3),
      (samples, anchored, embargoBars, validation) => {
        try {
          const plan = { ...walk, train_days: 2, test_days: 1, anchored }
          for (const split of walkForward(samples, plan, { validation, embargoBars }))
            expectApart(samples, [split.train, split.validation, split.test])
        } catch (error) {
          if (!(error instanceof Problem)) throw error
        }
      },
    ),
  )
})
