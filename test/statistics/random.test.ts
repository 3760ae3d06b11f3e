import { expect, test } from '@jest/globals'
import { momentsOf } from '../../src/statistics/moments.ts'
import { Random } from '../../src/statistics/random.ts'

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.next())

test('the numbers are those of the published xoshiro128**', () => {
  // Source: the reference implementation, xoshiro128starstar.c 1.1, from the state 1, 2, 3, 4.
  expect(draw(Random.fromState([1, 2, 3, 4]), 10)).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ])
})

test('a seed gives the same numbers always, another seed or stream others', () => {
  expect(draw(new Random(7), 20)).toEqual(draw(new Random(7), 20))
  const starts = new Set<string>()
  for (let seed = 0; seed < 40; seed++)
    for (let stream = 0; stream < 40; stream++) starts.add(draw(new Random(seed, stream), 2).join())
  expect(starts.size).toBe(1600)
  expect(() => new Random(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).next()).not.toThrow()
})

test('uniform numbers fill [0, 1) evenly', () => {
  const random = new Random(1)
  const counts = new Array<number>(10).fill(0)
  for (let i = 0; i < 10_000; i++) {
    const value = random.uniform()
    expect(value >= 0 && value < 1).toBe(true)
    counts[Math.floor(value * 10)]!++
  }
  // χ² with 9 degrees of freedom is above 27.9 once in a thousand times.
  expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(27.9)
})

test('whole numbers below a bound are equally likely, whatever the bound', () => {
  const random = new Random(2)
  const counts = new Array<number>(7).fill(0)
  for (let i = 0; i < 7_000; i++) counts[random.below(7)]!++
  // χ² with 6 degrees of freedom is above 22.5 once in a thousand times.
  expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(22.5)
  expect(random.below(1)).toBe(0)
  // Two thirds of 2^32: without throwing away the last round, the lower half would be twice as likely.
  const large = 2_863_311_531
  let low = 0
  for (let i = 0; i < 3_000; i++) if (random.below(large) < large / 2) low++
  expect(Math.abs(low - 1500)).toBeLessThan(120)
})

test('normal values have the moments of the normal distribution', () => {
  const random = new Random(3)
  const moments = momentsOf(Float64Array.from({ length: 20_000 }, () => random.normal()))
  expect(moments.mean).toBeCloseTo(0, 1)
  expect(moments.standard_deviation).toBeCloseTo(1, 1)
  expect(Math.abs(moments.skewness ?? 1)).toBeLessThan(0.1)
  expect(Math.abs((moments.kurtosis ?? 0) - 3)).toBeLessThan(0.2)
})

test('shuffling keeps every value and makes every order equally likely', () => {
  const random = new Random(4)
  const orders = new Map<string, number>()
  for (let i = 0; i < 6_000; i++) {
    const values = Int32Array.of(1, 2, 3)
    random.shuffle(values)
    orders.set(values.join(), (orders.get(values.join()) ?? 0) + 1)
  }
  expect(orders.size).toBe(6)
  for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(130)
})
