import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { joinBars, mergeBars } from '../../src/market/merge-bars.ts'
import { makeBars, pickBars } from '../archive/folder.ts'

const truth = makeBars(60)
/** The same open times, other prices. */
const corrected = { ...truth, close: truth.close.map(close => close - 0.5) }
const rows = fc.uniqueArray(fc.nat(59), { maxLength: 60 }).map(chosen => new Set(chosen))

test('a merge puts each bar of the page at its open time and leaves all other stored bars as they were', () => {
  fc.assert(
    fc.property(rows, rows, rows, (stored, page, wrong) => {
      const merged = mergeBars(
        pickBars(truth, i => stored.has(i)),
        pickBars(
          { ...truth, close: truth.close.map((_, i) => (wrong.has(i) ? corrected : truth).close[i] ?? 0) },
          i => page.has(i),
        ),
      )
      const expected = pickBars(
        {
          ...truth,
          close: truth.close.map((_, i) => (page.has(i) && wrong.has(i) ? corrected : truth).close[i] ?? 0),
        },
        i => stored.has(i) || page.has(i),
      )
      expect(merged.bars).toEqual(expected)
      expect(merged.added).toBe([...page].filter(row => !stored.has(row)).length)
      expect(merged.changed).toBe([...page].filter(row => stored.has(row) && wrong.has(row)).length)
    }),
  )
})

test('a page that says nothing new gives back the stored bars themselves', () => {
  expect(
    mergeBars(
      truth,
      pickBars(truth, i => i % 7 === 3),
    ),
  ).toEqual({ bars: truth, added: 0, changed: 0 })
  expect(
    mergeBars(
      truth,
      pickBars(truth, i => i % 7 === 3),
    ).bars,
  ).toBe(truth)
  expect(mergeBars(truth, makeBars(0)).bars).toBe(truth)
})

test('joined bars are those of the parts, one after the other', () => {
  const parts = [makeBars(0), makeBars(5), makeBars(7, 5), makeBars(0), makeBars(1, 12)]
  expect(joinBars(parts)).toEqual(makeBars(13))
  expect(joinBars([])).toEqual(makeBars(0))
})
