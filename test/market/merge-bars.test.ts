import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sliceBars } from '../../src/market/bars.ts'
import { mergeBars } from '../../src/market/merge-bars.ts'
import { makeBars } from '../archive/folder.ts'

test('a merge changes nothing outside the span of what was fetched, and inside it everything', () => {
  const truth = makeBars(60)
  fc.assert(
    fc.property(fc.nat(59), fc.nat(59), fc.nat(59), fc.nat(59), (a, b, c, d) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const [start, end] = [Math.min(c, d), Math.max(c, d)]
      const stored = sliceBars(truth, truth.time[from] ?? 0, (truth.time[to] ?? 0) + 1)
      const fetched = sliceBars(truth, truth.time[start] ?? 0, (truth.time[end] ?? 0) + 1)
      const expected = [...truth.time].filter((_, i) => (i >= from && i <= to) || (i >= start && i <= end))
      const merged = mergeBars(stored, fetched)
      expect([...merged.time]).toEqual(expected)
      expect(merged.close.length).toBe(merged.length)
      for (let i = 0; i < merged.length; i++)
        expect(merged.close[i]).toBe(truth.close[truth.time.indexOf(merged.time[i] ?? 0)])
    }),
  )
})
