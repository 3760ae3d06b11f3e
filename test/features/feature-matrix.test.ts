import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { assembleFeatures, type FeatureColumn } from '../../src/features/feature-matrix.ts'
import { Problem } from '../../src/problems.ts'

const { NaN: none } = Number

const barsOf = (length: number) => ({
  time: Float64Array.from({ length }, (_, i) => i * 1000),
  close_time: Float64Array.from({ length }, (_, i) => (i + 1) * 1000),
})

const column = (id: string, values: readonly number[], lookback = 0): FeatureColumn => ({
  id,
  values: Float64Array.from(values),
  lookback,
})

test('columns become rows; the warm-up of the slowest is dropped and counted, by hand', () => {
  const matrix = assembleFeatures({
    columns: [column('fast', [none, 1, 2, 3, 4], 1), column('slow', [none, none, 10, 20, 30], 2)],
    bars: barsOf(5),
  })
  expect(matrix).toEqual({
    rows: 3,
    ids: ['fast', 'slow'],
    values: Float32Array.of(2, 10, 3, 20, 4, 30),
    time: Float64Array.of(2000, 3000, 4000),
    close_time: Float64Array.of(3000, 4000, 5000),
    bar: Int32Array.of(2, 3, 4),
    dropped: { pre_roll: 0, warm_up: 2, incomplete: 0 },
    features: [
      { id: 'fast', lookback: 1, first_usable_bar: 1, missing_bars: 0 },
      { id: 'slow', lookback: 2, first_usable_bar: 2, missing_bars: 0 },
    ],
    warnings: [],
  })
})

test('a value missing later costs its row, is counted and is never replaced', () => {
  const matrix = assembleFeatures({
    columns: [column('a', [1, 2, none, 4, none]), column('b', [1, 2, 3, none, 5])],
    bars: barsOf(5),
  })
  expect(matrix).toMatchObject({
    rows: 2,
    values: Float32Array.of(1, 1, 2, 2),
    bar: Int32Array.of(0, 1),
    dropped: { pre_roll: 0, warm_up: 0, incomplete: 3 },
    warnings: ['3 bars after the warm-up are left out because a feature has no value there: a on 2, b on 1'],
  })
})

test('bars before the first one wanted warm the indicators up and are no rows', () => {
  const columns = [column('a', [none, none, 3, 4, 5, 6], 2)]
  expect(assembleFeatures({ columns, bars: barsOf(6), from: 4 })).toMatchObject({
    bar: Int32Array.of(4, 5),
    dropped: { pre_roll: 4, warm_up: 0, incomplete: 0 },
    features: [{ first_usable_bar: 2 }],
  })
  expect(assembleFeatures({ columns, bars: barsOf(6), from: 1 })).toMatchObject({
    bar: Int32Array.of(2, 3, 4, 5),
    dropped: { pre_roll: 1, warm_up: 1, incomplete: 0 },
  })
})

test('when no bar is complete there is no row, and the reason is told', () => {
  const empty = assembleFeatures({
    columns: [column('a', [1, 1]), column('b', [none, none], 50)],
    bars: barsOf(2),
  })
  expect(empty).toMatchObject({
    rows: 0,
    dropped: { warm_up: 2, incomplete: 0 },
    features: [{ first_usable_bar: 0 }, { first_usable_bar: null }],
    warnings: ['no bar has a value for every feature: no value at all: b'],
  })
  expect(empty.values).toHaveLength(0)
  const late = assembleFeatures({
    columns: [column('a', [1, none]), column('b', [none, 1])],
    bars: barsOf(2),
  })
  expect(late.warnings).toEqual(['no bar has a value for every feature: the bars end within the warm-up'])
})

/** Columns over one set of bars with a warm-up and holes. */
const anyColumns = fc.integer({ min: 0, max: 600 }).chain(length => {
  const value = fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: -1e30, max: 1e30, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(none, -0) },
  )
  const one = fc.tuple(fc.nat(8), fc.array(value, { minLength: length, maxLength: length, size: 'max' }))
  return fc
    .array(one, { minLength: 1, maxLength: 4 })
    .map(columns =>
      columns.map(([warmUp, values], i) => column(`f${i}`, values.fill(none, 0, warmUp), warmUp)),
    )
})

describe('any columns', () => {
  test('give exactly the bars on which nothing is missing, as float32', () => {
    fc.assert(
      fc.property(anyColumns, fc.nat(10), (columns, skip) => {
        const total = columns[0]?.values.length ?? 0
        const from = Math.min(skip, total)
        const matrix = assembleFeatures({ columns, bars: barsOf(total), from })
        const complete = Array.from({ length: total }, (_, i) => i).filter(
          i => i >= from && columns.every(({ values }) => !Number.isNaN(values[i])),
        )
        expect([...matrix.bar]).toEqual(complete)
        const expected = complete.flatMap(i =>
          columns.map(({ values }) => Math.fround(values[i] as number) + 0),
        )
        expect([...matrix.values]).toEqual(expected)
        expect([...matrix.time]).toEqual(complete.map(i => i * 1000))
        const { pre_roll, warm_up, incomplete } = matrix.dropped
        expect(pre_roll + warm_up + incomplete + matrix.rows).toBe(total)
      }),
      { numRuns: 50 },
    )
  })

  test('keep the rows up to T bit for bit when the bars after T are deleted', () => {
    fc.assert(
      fc.property(anyColumns, fc.nat(600), (columns, cut) => {
        const total = columns[0]?.values.length ?? 0
        const length = Math.min(cut, total)
        const whole = assembleFeatures({ columns, bars: barsOf(total) })
        const known = columns.map(one => ({ ...one, values: one.values.subarray(0, length) }))
        const part = assembleFeatures({ columns: known, bars: barsOf(length) })
        expect(part.bar).toEqual(whole.bar.filter(i => i < length))
        expect(part.values).toEqual(whole.values.subarray(0, part.values.length))
      }),
      { numRuns: 50 },
    )
  })
})

test('what float32 cannot hold is refused with the feature and the bar', () => {
  for (const value of [1e39, Number.POSITIVE_INFINITY]) {
    const build = () =>
      assembleFeatures({ columns: [column('a', [1, 2]), column('obv', [1, value])], bars: barsOf(2) })
    expect(build).toThrow(`obv is ${value} on bar 1: too large for float32`)
    expect(build).toThrow(Problem)
  }
})

test('no column, an id twice, and columns that do not fit the bars are refused', () => {
  const bars = barsOf(2)
  expect(() => assembleFeatures({ columns: [], bars })).toThrow('at least one feature')
  expect(() => assembleFeatures({ columns: [column('a', [1, 2]), column('a', [3, 4])], bars })).toThrow(
    'a occurs twice',
  )
  expect(() => assembleFeatures({ columns: [column('a', [1])], bars })).toThrow(RangeError)
  expect(() => assembleFeatures({ columns: [column('a', [1, 2])], bars, from: 3 })).toThrow(RangeError)
})
