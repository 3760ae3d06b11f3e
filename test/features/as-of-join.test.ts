import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { asOfIndexes, asOfJoin } from '../../src/features/as-of-join.ts'
import { Problem } from '../../src/problems.ts'

const hourMs = 3_600_000

/** Close times that never decrease, as different timeframes and gaps give them. */
const anyCloseTimes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 }).map(steps => {
  let time = 0
  return Float64Array.from(steps, step => {
    time += step
    return time
  })
})

test('a base bar sees the last bar that has closed, counted by hand', () => {
  const base = { close_time: Float64Array.of(10, 20, 30, 40, 50) }
  const other = {
    close_time: Float64Array.of(15, 30, 30, 45),
    columns: [Float64Array.of(1, 2, 3, Number.NaN)],
  }
  // 10: none; 20: the bar of 15; 30 and 40: the second bar of 30; 50: the bar of 45, whose value is missing.
  expect([...asOfIndexes(base.close_time, other.close_time)]).toEqual([-1, 0, 2, 2, 3])
  expect(asOfJoin(base, other)).toEqual([Float64Array.of(Number.NaN, 1, 3, 3, Number.NaN)])
})

test('it is what looking through all bars again and again finds', () => {
  fc.assert(
    fc.property(anyCloseTimes, anyCloseTimes, (base, other) => {
      const expected = Array.from(base, now => other.findLastIndex(close => close <= now))
      expect([...asOfIndexes(base, other)]).toEqual(expected)
    }),
  )
})

test('no base bar sees a bar that closes later, and none misses one that has closed', () => {
  fc.assert(
    fc.property(anyCloseTimes, anyCloseTimes, (base, other) => {
      const [seen] = asOfJoin({ close_time: base }, { close_time: other, columns: [other] })
      base.forEach((now, i) => {
        const close = seen?.[i] ?? Number.NaN
        if (Number.isNaN(close)) expect(other.every(time => time > now)).toBe(true)
        else expect(close <= now && other.every(time => time <= close || time > now)).toBe(true)
      })
    }),
  )
})

test('deleting what closes after T, of either side, changes nothing up to T', () => {
  fc.assert(
    fc.property(anyCloseTimes, anyCloseTimes, fc.nat(40), (base, other, length) => {
      const kept = base.subarray(0, length)
      const now = kept.at(-1) ?? Number.NEGATIVE_INFINITY
      const known = other.filter(close => close <= now)
      expect(asOfIndexes(kept, known)).toEqual(asOfIndexes(base, other).subarray(0, length))
    }),
  )
})

describe('hourly bars with the daily bars of New York, over both changes of the clock', () => {
  // Sessions end at 16:00 local time: 21:00 UTC in winter, 20:00 UTC in summer. 10 March and 3 November 2024.
  const sessions = [
    ['2024-03-08', 21],
    ['2024-03-11', 20],
    ['2024-03-12', 20],
    ['2024-11-01', 20],
    ['2024-11-04', 21],
    ['2024-11-05', 21],
  ] as const
  const openTime = Float64Array.from(sessions, ([day]) => Date.parse(`${day}T00:00:00Z`))
  const closeTime = Float64Array.from(
    sessions,
    ([day, hour]) => Date.parse(`${day}T00:00:00Z`) + hour * hourMs,
  )
  const daily = Float64Array.from(sessions, (_, i) => i)
  const hours = (closeTime.at(-1) as number) / hourMs + 24 - (openTime[0] as number) / hourMs
  const baseClose = Float64Array.from({ length: hours }, (_, i) => (openTime[0] as number) + (i + 1) * hourMs)
  const seenAt = (column: Float64Array | undefined, moment: string) =>
    column?.[baseClose.indexOf(Date.parse(moment))]

  test('a daily value appears in the hour that ends with the session, and not an hour earlier', () => {
    const [joined] = asOfJoin({ close_time: baseClose }, { close_time: closeTime, columns: [daily] })
    expect(seenAt(joined, '2024-03-08T20:00:00Z')).toBeNaN()
    expect(seenAt(joined, '2024-03-08T21:00:00Z')).toBe(0)
    expect(seenAt(joined, '2024-03-11T19:00:00Z')).toBe(0)
    expect(seenAt(joined, '2024-03-11T20:00:00Z')).toBe(1)
    expect(seenAt(joined, '2024-11-04T20:00:00Z')).toBe(3)
    expect(seenAt(joined, '2024-11-04T21:00:00Z')).toBe(4)
    const early = joined?.findIndex((day, i) => (closeTime[day] ?? 0) > (baseClose[i] as number))
    expect(early).toBe(-1)
  })

  test('joining on open times would show a close up to 21 hours early', () => {
    const [leaked] = asOfJoin({ close_time: baseClose }, { close_time: openTime, columns: [daily] })
    expect(seenAt(leaked, '2024-03-11T01:00:00Z')).toBe(1)
  })
})

test('a faster timeframe gives its last bar within the base bar', () => {
  const base = { close_time: Float64Array.of(hourMs, 2 * hourMs) }
  const close_time = Float64Array.from({ length: 24 }, (_, i) => (i + 1) * (hourMs / 12))
  const [joined] = asOfJoin(base, { close_time, columns: [Float64Array.from(close_time, (_, i) => i)] })
  expect([...(joined ?? [])]).toEqual([11, 23])
})

test('close times out of order are refused on either side', () => {
  const rising = Float64Array.of(1, 2, 3)
  for (const wrong of [Float64Array.of(1, 3, 2, 9), Float64Array.of(1, Number.NaN, 3)]) {
    expect(() => asOfIndexes(rising, wrong)).toThrow(Problem)
    expect(() => asOfIndexes(wrong, rising)).toThrow(Problem)
  }
})

test('a column that does not fit its bars is a mistake of the caller', () => {
  const close_time = Float64Array.of(1, 2)
  expect(() => asOfJoin({ close_time }, { close_time, columns: [new Float64Array(3)] })).toThrow(RangeError)
})
