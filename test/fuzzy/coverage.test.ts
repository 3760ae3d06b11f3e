import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { coverageReport } from '../../src/fuzzy/coverage.ts'
import { createFuzzySet } from '../../src/fuzzy/fuzzy-set.ts'

const pair = createFuzzySet([
  { name: 'low', type: 'triangular', parameters: [0, 20, 40] },
  { name: 'high', type: 'triangular', parameters: [60, 80, 100] },
])

// low: 0.5 1 0 0 0 0; high: 0 0 0 0 0.5 1; sums 0.5 1 0 0 0.5 1.
test('a pair of triangles leaves the middle to nobody, counted by hand', () => {
  const report = coverageReport(Float64Array.of(Number.NaN, 10, 20, 45, 55, 70, 80), pair)
  expect(report).toMatchObject({
    bars: 6,
    missing_bars: 1,
    epsilon: 0.01,
    uncovered_fraction: 2 / 6,
    ruspini_deviation: { mean: 3 / 6, max: 1 },
    terms: [
      {
        name: 'low',
        strongest_fraction: 2 / 6,
        mean_membership: 1.5 / 6,
        max_membership: 1,
        never_active: false,
      },
      {
        name: 'high',
        strongest_fraction: 2 / 6,
        mean_membership: 1.5 / 6,
        max_membership: 1,
        never_active: false,
      },
    ],
  })
  expect(report.warnings).toEqual([
    '33.3 % of the bars belong to no term (no membership above 0.01); their values lie within 45 to 55: widen the ' +
      'terms, or open the outer ones with left_shoulder and right_shoulder',
    'the memberships of a bar add up to something 0.5 away from 1 on average: the terms leave gaps or overlap more ' +
      'than their neighbours',
  ])
})

test('a term that never speaks and a term that always wins are warned about', () => {
  const report = coverageReport(Float64Array.of(18, 19, 20, 21, 22), pair)
  expect(report.terms.map(term => term.never_active)).toEqual([false, true])
  expect(report.warnings).toEqual([
    "'low' is the strongest term on 100.0 % of the bars: the set hardly tells bars apart",
    "'high' is never active on these values: its feature is constant",
  ])
})

test('of equally strong terms the first one written counts', () => {
  const twins = createFuzzySet([
    { name: 'first', type: 'triangular', parameters: [0, 1, 2] },
    { name: 'second', type: 'triangular', parameters: [0, 1, 2] },
  ])
  const { terms } = coverageReport(Float64Array.of(0.5, 1, 1.5), twins)
  expect(terms.map(term => term.strongest_fraction)).toEqual([1, 0])
})

test('a set that shares out every value has no deviation and no warning', () => {
  const set = createFuzzySet([
    { name: 'low', type: 'left_shoulder', parameters: [30, 50] },
    { name: 'mid', type: 'triangular', parameters: [30, 50, 70] },
    { name: 'high', type: 'right_shoulder', parameters: [50, 70] },
  ])
  const report = coverageReport(
    Float64Array.from({ length: 101 }, (_, i) => i),
    set,
  )
  expect(report.uncovered_fraction).toBe(0)
  expect(report.ruspini_deviation.max).toBeLessThan(1e-12)
  expect(report.warnings).toEqual([])
})

test('a faint membership does not cover a bar: epsilon decides', () => {
  const bell = createFuzzySet([{ name: 'mid', type: 'gaussian', parameters: [50, 10] }])
  const faint = Float64Array.of(75) // exp(−3.125) = 0.044
  const covered = { uncovered_fraction: 0, terms: [{ never_active: false }] }
  expect(coverageReport(faint, bell)).toMatchObject(covered)
  const uncovered = { epsilon: 0.05, uncovered_fraction: 1, terms: [{ never_active: true }] }
  expect(coverageReport(faint, bell, 0.05)).toMatchObject(uncovered)
})

test('without a value nothing is claimed', () => {
  const report = coverageReport(Float64Array.of(Number.NaN, Number.NaN), pair)
  expect(report).toMatchObject({
    bars: 0,
    missing_bars: 2,
    uncovered_fraction: null,
    ruspini_deviation: { mean: null, max: null },
    warnings: ['there are no values to look at'],
  })
  expect(report.terms[0]).toMatchObject({
    strongest_fraction: null,
    mean_membership: null,
    max_membership: null,
  })
})

test('every bar is uncovered or has exactly one strongest term, and the report is JSON', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -20, max: 120 }), { maxLength: 50 }), values => {
      const report = coverageReport(Float64Array.from(values), pair)
      expect(JSON.parse(JSON.stringify(report))).toEqual(report)
      if (report.uncovered_fraction === null) return
      const strongest = report.terms.reduce((sum, term) => sum + (term.strongest_fraction ?? 0), 0)
      expect(report.uncovered_fraction + strongest).toBeCloseTo(1, 12)
      const uncovered = values.filter(x => pair.terms.every(term => !(term.membership.evaluate(x) > 0.01)))
      const missing = values.filter(Number.isNaN).length
      expect(report.uncovered_fraction * report.bars).toBeCloseTo(uncovered.length - missing, 9)
    }),
  )
})
