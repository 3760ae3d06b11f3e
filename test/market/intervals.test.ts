import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  addInterval,
  cutInterval,
  type Interval,
  intervalAt,
  keepLongest,
  uncovered,
} from '../../src/market/intervals.ts'

const interval = fc
  .tuple(fc.nat(30), fc.nat(30))
  .map(([a, b]): Interval => ({ start: Math.min(a, b), end: Math.max(a, b) }))
const intervals = fc.array(interval, { maxLength: 8 })
const instants = Array.from({ length: 31 }, (_, i) => i)
const holds = (list: readonly Interval[], at: number) =>
  list.some(({ start, end }) => start <= at && at < end)
const addAll = (list: readonly Interval[]) => list.reduce<Interval[]>(addInterval, [])

test('added intervals hold the same instants as before, in order and with a gap between any two', () => {
  fc.assert(
    fc.property(intervals, list => {
      const merged = addAll(list)
      for (const at of instants) expect(holds(merged, at)).toBe(holds(list, at))
      for (const [i, { start, end }] of merged.entries()) {
        expect(start).toBeLessThan(end)
        expect(merged[i + 1]?.start ?? Number.POSITIVE_INFINITY).toBeGreaterThan(end)
      }
    }),
  )
})

test('cut intervals hold what they held outside the cut, and keep what else they say', () => {
  fc.assert(
    fc.property(intervals, interval, (list, cut) => {
      const reasoned = list
        .filter(({ start, end }) => start < end)
        .map((one, i) => ({ ...one, reason: `r${i}` }))
      const left = cutInterval(reasoned, cut)
      for (const at of instants) {
        const expected = reasoned.filter(one => holds([one], at) && !holds([cut], at)).map(one => one.reason)
        expect(left.filter(one => holds([one], at)).map(one => one.reason)).toEqual(expected)
      }
      for (const { start, end } of left) expect(start).toBeLessThan(end)
    }),
  )
})

test('what is uncovered and what covers make up what is wanted', () => {
  fc.assert(
    fc.property(intervals, interval, (list, wanted) => {
      const merged = addAll(list)
      const rest = uncovered(wanted, merged)
      for (const at of instants) expect(holds(rest, at)).toBe(holds([wanted], at) && !holds(merged, at))
    }),
  )
})

test('the interval of an instant is found, or there is none', () => {
  fc.assert(
    fc.property(intervals, fc.nat(31), (list, at) => {
      const merged = addAll(list)
      expect(intervalAt(merged, at)).toEqual(merged.find(one => holds([one], at)) ?? null)
    }),
  )
})

test('of too many the shortest are forgotten', () => {
  const list = [
    { start: 0, end: 9 },
    { start: 10, end: 11 },
    { start: 20, end: 25 },
  ]
  expect(keepLongest(list, 2)).toEqual([list[0], list[2]])
  expect(keepLongest(list, 3)).toEqual(list)
})
