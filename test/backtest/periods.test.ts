import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { monthlyReturns } from '../../src/backtest/monthly-returns.ts'
import { lastAtOrBefore, periodEnds } from '../../src/backtest/periods.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { curveOf, grow } from '../fixtures/measured-run.ts'

const hourMs = dayMs / 24

test('intraday periods end with the UTC day, midnight with the day before', () => {
  const curve = curveOf(new Array<number>(60).fill(1), hourMs)
  expect([...periodEnds(curve, '1h')]).toEqual([23, 47, 59])
  expect([...periodEnds(curve, '1d')]).toEqual([...Array(60).keys()])
})

test('days are found whatever the gaps', () => {
  // Steps of six hours: midnight is often the only close of its day.
  const gaps = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(gaps, steps => {
      let time = 0
      const times = Float64Array.from(steps, step => {
        time += step * 6 * hourMs
        return time
      })
      const dayOf = (i: number) => Math.floor(((times[i] as number) - 1) / dayMs)
      const expected = [...times.keys()].filter(i => i + 1 === times.length || dayOf(i) !== dayOf(i + 1))
      expect([...periodEnds({ ...curveOf(steps), time: times }, '6h')]).toEqual(expected)
      const sought = (times[0] as number) + (steps[0] as number) * 20 * hourMs
      expect(lastAtOrBefore(times, sought, 0, times.length)).toBe(
        times.findLastIndex(value => value <= sought),
      )
    }),
  )
})

test('months compound to the year, and the years to the whole', () => {
  const fraction = fc.double({ min: -0.05, max: 0.05, noNaN: true })
  fc.assert(
    fc.property(fc.array(fraction, { minLength: 1, maxLength: 900 }), fc.nat(400), (returns, shift) => {
      const curve = curveOf(grow(returns), dayMs, Date.UTC(2023, 0, 1 + shift))
      const years = monthlyReturns(curve, 100, periodEnds(curve, '1d'))
      let whole = 1
      for (const { months, year_return_fraction } of years) {
        const growth = months.reduce<number>((product, month) => product * (1 + (month ?? 0)), 1)
        expect(1 + (year_return_fraction ?? Number.NaN)).toBeCloseTo(growth, 9)
        whole *= growth
      }
      expect(whole * 100).toBeCloseTo(curve.equity.at(-1) ?? Number.NaN, 6)
      expect(years.map(({ year }) => year)).toEqual([...new Set(years.map(({ year }) => year))].toSorted())
    }),
  )
})

test('a close at midnight on the first belongs to the month that ends, and months without a bar are null', () => {
  const curve = {
    ...curveOf([110, 121, 133.1]),
    time: Float64Array.of(Date.UTC(2024, 0, 1), Date.UTC(2024, 1, 1), Date.UTC(2024, 3, 1, 0, 0, 1)),
  }
  const [before, after] = monthlyReturns(curve, 100, periodEnds(curve, '1h'))
  expect(before?.year).toBe(2023)
  expect(before?.months[11]).toBeCloseTo(0.1, 12)
  expect(after?.months.map(value => (value === null ? null : Number(value.toFixed(9))))).toEqual([
    0.1,
    null,
    null,
    0.1,
    ...new Array(8).fill(null),
  ])
  expect(after?.year_return_fraction).toBeCloseTo(0.21, 12)
})

test('after the equity was lost there is nothing to compare with', () => {
  // Closes on 1 February, 3 March and 3 April: February has none.
  const curve = curveOf([50, 0, 0], 31 * dayMs)
  const [year] = monthlyReturns(curve, 100, periodEnds(curve, '1d'))
  expect(year?.months.slice(0, 4)).toEqual([-0.5, null, -1, null])
  expect(year?.year_return_fraction).toBe(-1)
})
