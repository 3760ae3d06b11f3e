import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { applyNormaliser } from '../../src/features/normaliser.ts'
import { buildFeatures, fitFeatures, joinFeatures } from '../../src/features/pipeline.ts'
import type { FeatureRecipe } from '../../src/features/pipeline-recipe.ts'
import { createFuzzySet, fuzzify } from '../../src/fuzzy/fuzzy-set.ts'
import { type QuantileShape, quantileShapes, quantileTerms } from '../../src/fuzzy/quantile-terms.ts'
import type { Bars } from '../../src/market/bars.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import { Problem } from '../../src/problems.ts'
import { indicatorOf, rawOf, termOf } from '../fixtures/recipes.ts'
import { walkOf } from '../fixtures/walks.ts'

const calendar = new Calendars().get('24-7')
const seriesOf = (symbol: string, days: Bars) => ({
  symbol,
  bars: { '1d': days, '1w': resampleBars(days, { from: '1d', to: '1w', calendar }).bars },
})

const names = ['low', 'mid', 'high']
const recipeWith = (shape: QuantileShape = 'triangular'): FeatureRecipe => ({
  base: '1d',
  indicators: { rsi_5: indicatorOf('rsi', { period: 5 }), change: indicatorOf('roc', { period: 3 }) },
  fuzzySets: { zone: { indicator: 'rsi_5', type: 'quantile', shape, terms: names } },
  features: [
    ...(['1d', '1w'] as const).flatMap(timeframe => names.map(name => termOf(timeframe, 'zone', name))),
    rawOf('1d', 'rsi_5'),
    rawOf('1w', 'rsi_5'),
  ],
})
const recipe = recipeWith()
const days = walkOf(1, 400)
const aapl = seriesOf('AAPL', days)
const msft = seriesOf('MSFT', walkOf(2, 380))
const fit = { start: days.time[100] as number, end: days.time[250] as number }

function problemOf(run: () => unknown): Problem {
  try {
    run()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Values of a column on the rows of the fitted range. */
function valuesInFit({ table }: ReturnType<typeof buildFeatures>, id: string): Float64Array {
  const column = table.ids.indexOf(id)
  const rows = Array.from({ length: table.rows }, (_, row) => row)
  const inFit = rows.filter(row => {
    const time = table.time[row] as number
    return time >= fit.start && time < fit.end
  })
  return Float64Array.from(inFit, row => table.values[row * table.ids.length + column] as number)
}

describe.each(quantileShapes)('a set of %s terms', shape => {
  const build = buildFeatures({ recipe: recipeWith(shape), symbols: [aapl, msft], fit })
  test.each(['1d', '1w'] as const)(
    'is the quantiles of the range on %s, of all symbols together',
    timeframe => {
      // float32 in the table: as near as that.
      const values = valuesInFit(build, `${timeframe}_rsi_5_raw`)
      const expected = quantileTerms(values, { terms: names, shape, from: 0, to: values.length })
      expect(expected.fitted_on.values).toBe(300)
      for (const { name, type, parameters } of expected.terms) {
        const fitted = build.normalisers[`${timeframe}_zone_${name}`]
        if (fitted?.normalization !== 'quantile') throw new Error('it is no term')
        expect([fitted.type, fitted.fitted_on.values]).toEqual([type, 300])
        for (const [i, parameter] of parameters.entries())
          expect(fitted.parameters[i]).toBeCloseTo(parameter, 4)
      }
    },
  )

  test('gives every row its memberships in the fitted terms', () => {
    const { table, normalisers } = build
    const raw = joinFeatures(recipeWith(shape), aapl).columns.find(({ id }) => id === '1d_rsi_5_raw')
    const terms = names.map(name => {
      const fitted = normalisers[`1d_zone_${name}`]
      if (fitted?.normalization !== 'quantile') throw new Error('it is no term')
      return { name, type: fitted.type, parameters: fitted.parameters }
    })
    const columns = fuzzify(raw?.values ?? new Float64Array(0), createFuzzySet(terms))
    const own = table.symbols.find(({ symbol }) => symbol === 'AAPL') ?? { from: 0, to: 0 }
    for (let row = own.from; row < own.to; row++) {
      const cells = table.values.subarray(row * table.ids.length, row * table.ids.length + 3)
      expect([...cells]).toEqual(
        columns.map(({ values }) => Math.fround(values[table.bar[row] as number] as number)),
      )
    }
    expect(own.to - own.from).toBeGreaterThan(300)
  })
})

test('terms share out the rows they were fitted on about equally', () => {
  const build = buildFeatures({ recipe, symbols: [aapl], fit })
  const columns = names.map(name => valuesInFit(build, `1d_zone_${name}`))
  const strongest = names.map(() => 0)
  for (let row = 0; row < 150; row++) {
    const memberships = columns.map(column => column[row] as number)
    const most = memberships.indexOf(Math.max(...memberships))
    strongest[most] = (strongest[most] as number) + 1
    expect(memberships.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
  }
  for (const count of strongest) expect(Math.abs(count - 50)).toBeLessThan(15)
})

test('timeframes are fitted one by one', () => {
  const { normalisers } = buildFeatures({ recipe, symbols: [aapl], fit })
  expect(normalisers['1d_zone_mid']).not.toEqual(normalisers['1w_zone_mid'])
})

test('bars outside the fitted range change nothing in what is fitted, nor do rows know of later bars', () => {
  const whole = buildFeatures({ recipe, symbols: [aapl], fit })
  fc.assert(
    fc.property(fc.integer({ min: 250, max: 390 }), fc.integer({ min: 3, max: 1_000 }), (keep, seed) => {
      const kept = sliceBars(days, null, days.time[keep] as number)
      const other = walkOf(seed, 400)
      const mixed = (name: 'open' | 'high' | 'low' | 'close' | 'volume') =>
        days[name].map((value, i) => (i < keep ? value : (other[name][i] as number)))
      const later = {
        ...days,
        ...{ open: mixed('open'), high: mixed('high'), low: mixed('low'), close: mixed('close') },
        volume: mixed('volume'),
      }
      for (const bars of [kept, later]) {
        const build = buildFeatures({ recipe, symbols: [seriesOf('AAPL', bars)], fit })
        expect(build.normalisers).toEqual(whole.normalisers)
        const rows = build.table.bar.findLastIndex(bar => bar < keep) + 1
        const cells = rows * build.table.ids.length
        expect(build.table.values.subarray(0, cells)).toEqual(whole.table.values.subarray(0, cells))
      }
    }),
    { numRuns: 12 },
  )
})

test('what is fitted is plain data: stored and read again it gives the same bits', () => {
  const column = joinFeatures(recipe, aapl).columns[0]?.values ?? new Float64Array(0)
  for (const shape of quantileShapes) {
    for (const fitted of Object.values(fitFeatures(recipeWith(shape), [aapl], fit))) {
      const stored = JSON.parse(JSON.stringify(fitted))
      expect(stored).toEqual(fitted)
      expect(applyNormaliser(column, stored)).toEqual(applyNormaliser(column, fitted))
    }
  }
})

test('without a range, or with too few different values in it, nothing is guessed', () => {
  expect(problemOf(() => buildFeatures({ recipe, symbols: [aapl] }))).toMatchObject({
    code: 'params-invalid',
    message: '1d_zone_low is a term of a quantile set and needs a range to fit on',
    errors: [{ pointer: '/body/params/fit', code: 'required' }],
  })
  // Prices that alternate have not changed after two bars: one value for three terms.
  const flat = walkOf(1, 400)
  for (const name of ['open', 'high', 'low', 'close'] as const)
    flat[name].forEach((_, i) => {
      flat[name][i] = 100 + (i % 2)
    })
  const still = { ...recipe, indicators: { ...recipe.indicators, rsi_5: indicatorOf('roc', { period: 2 }) } }
  expect(
    problemOf(() => buildFeatures({ recipe: still, symbols: [seriesOf('AAPL', flat)], fit })),
  ).toMatchObject({
    code: 'params-invalid',
    message: expect.stringMatching(/'rsi_5' on 1d, which the quantile set 'zone' is fitted on.* are 0$/),
    hint: expect.stringContaining('fewer terms'),
  })
})
