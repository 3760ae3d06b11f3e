import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { barAt, checkBars } from '../../src/market/bars.ts'
import { bootstrapBars, DrawnColumns } from '../../src/research/bar-bootstrap.ts'
import { Random } from '../../src/statistics/random.ts'
import { makeBars } from '../archive/folder.ts'

test('one block as long as the history that starts at its first bar is that history', () => {
  const bars = makeBars(50)
  const seeds = Array.from({ length: 400 }, (_, seed) => seed)
  const seed = seeds.find(candidate => new Random(candidate).below(50) === 0)
  const made = bootstrapBars(bars, { from: 0, blockBars: 50 }, new Random(seed ?? -1))
  for (const field of ['open', 'high', 'low', 'close', 'volume'] as const)
    for (let i = 0; i < 50; i++) expect(made[field][i]).toBeCloseTo(bars[field][i] ?? Number.NaN, 9)
})

test('every bar is possible, keeps its time, and moves as some bar of the history did', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 80 }),
      fc.integer({ min: 1, max: 100 }),
      fc.nat(),
      (length, block, seed) => {
        const bars = makeBars(length)
        const made = bootstrapBars(bars, { from: 0, blockBars: block }, new Random(seed))
        checkBars(made)
        expect(made.time).toBe(bars.time)
        const moves = Array.from({ length }, (_, i) => barAt(bars, i)).map(({ open, close }) => close / open)
        for (let i = 0; i < length; i++) {
          const { open, close } = barAt(made, i)
          expect(Math.min(...moves.map(move => Math.abs(move - close / open)))).toBeLessThan(1e-12)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('markets drawn with equal seeds draw the same bars', () => {
  const bars = makeBars(60)
  const other = {
    ...bars,
    open: bars.open.map(x => 7 * x),
    high: bars.high.map(x => 7 * x),
    low: bars.low.map(x => 7 * x),
    close: bars.close.map(x => 7 * x),
  }
  const plan = { from: 0, blockBars: 5 }
  const a = bootstrapBars(bars, plan, new Random(3))
  const b = bootstrapBars(other, plan, new Random(3))
  for (let i = 0; i < 60; i++) expect(b.close[i]).toBeCloseTo(7 * (a.close[i] ?? Number.NaN), 6)
  expect(bootstrapBars(bars, plan, new Random(4)).close).not.toEqual(a.close)
})

test('bars before the range stay as they were, and no move of theirs is drawn', () => {
  const bars = makeBars(60)
  // A move that would be seen: everything before bar 40 doubles on its bar.
  const wild = { ...bars, close: bars.close.map((close, i) => (i < 40 ? 2 * close : close)) }
  const marked = { ...wild, high: wild.high.map((high, i) => Math.max(high, wild.close[i] ?? 0)) }
  const made = bootstrapBars(marked, { from: 40, blockBars: 3 }, new Random(1))
  for (const field of ['open', 'high', 'low', 'close', 'volume'] as const)
    expect(made[field].slice(0, 40)).toEqual(marked[field].slice(0, 40))
  expect(made.open[40]).toBe(marked.open[40])
  for (let i = 40; i < 60; i++) expect((made.close[i] ?? 0) / (made.open[i] ?? 0)).toBeLessThan(1.5)
})

test('memory of other histories, longer and shorter ones, changes nothing in what is drawn', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 2, max: 60 }), fc.nat(), fc.nat()), { minLength: 2 }),
      drawn => {
        const into = new DrawnColumns()
        for (const [length, seed, start] of drawn) {
          const bars = makeBars(length)
          const plan = { from: start % length, blockBars: 1 + (seed % 7) }
          expect(bootstrapBars(bars, { ...plan, into }, new Random(seed))).toEqual(
            bootstrapBars(bars, plan, new Random(seed)),
          )
        }
      },
    ),
    { numRuns: 50 },
  )
})
