import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { matrixBytes } from '../../src/features/matrix-bytes.ts'
import { buildFeatures } from '../../src/features/pipeline.ts'
import { type FeatureRecipe, historyOf } from '../../src/features/pipeline-recipe.ts'
import { createFuzzySet, fuzzify } from '../../src/fuzzy/fuzzy-set.ts'
import { isQuantileSet } from '../../src/fuzzy/quantile-set.ts'
import { columnOf } from '../../src/indicators/indicator.ts'
import { findIndicator, indicators } from '../../src/indicators/registry.ts'
import type { Bars } from '../../src/market/bars.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import { Problem } from '../../src/problems.ts'
import { indicatorOf, rawOf, richRecipe, termOf } from '../fixtures/recipes.ts'
import { walkOf } from '../fixtures/walks.ts'

const calendar = new Calendars().get('24-7')
const weeksOf = (bars: Bars) => resampleBars(bars, { from: '1d', to: '1w', calendar }).bars
const fitOf = (bars: Bars, from: number, to: number) => ({
  start: bars.time[from] as number,
  end: bars.time[to] as number,
})

const days = walkOf(1, 300)
const aapl = { symbol: 'AAPL', bars: { '1d': days, '1w': weeksOf(days) } }
const others = walkOf(2, 250)
const msft = { symbol: 'MSFT', bars: { '1d': others, '1w': weeksOf(others) } }
const recipe = richRecipe('1d', '1w')
const fit = fitOf(days, 100, 200)

const setOf = (name: string) => {
  const set = recipe.fuzzySets[name]!
  if (isQuantileSet(set)) throw new Error(`${name} has no numbers yet`)
  return createFuzzySet(set.terms)
}

function problemOf(run: () => unknown): Problem {
  try {
    run()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('memberships of the base timeframe are what the rooms give on their own', () => {
  const { table } = buildFeatures({ recipe, fit, symbols: [aapl] })
  const rsi = findIndicator('rsi')!
  const values = columnOf(rsi.compute(days, recipe.indicators.rsi_5!), 'value')
  const [low] = fuzzify(values, setOf('zone'))
  const smoothed = columnOf(
    findIndicator('ema')!.compute({ ...days, source: values }, recipe.indicators.smooth!),
    'value',
  )
  const [mid] = fuzzify(smoothed, setOf('calm'))
  for (let row = 0; row < table.rows; row++) {
    const bar = table.bar[row]!
    expect(table.values[row * table.ids.length]).toBe(Math.fround(low!.values[bar]!))
    expect(table.values[row * table.ids.length + 4]).toBe(Math.fround(mid!.values[bar]!))
  }
  expect(table.ids).toEqual(recipe.features.map(({ id }) => id))
})

test('every bar is a row or counted: before the start, in the warm-up, or incomplete', () => {
  const start = days.time[120]!
  const end = days.time[280]!
  const { table, symbols } = buildFeatures({ recipe, fit, symbols: [aapl], start, end })
  const { dropped, rows } = symbols[0]!
  expect(rows + dropped.pre_roll + dropped.warm_up + dropped.incomplete).toBe(280)
  expect(dropped).toEqual({ pre_roll: 120, warm_up: 0, incomplete: 0 })
  expect([table.time[0], table.time[table.rows - 1]]).toEqual([start, days.time[279]])
})

test('bars before the start warm indicators up: a later start cuts rows off and changes none', () => {
  const whole = buildFeatures({ recipe, fit, symbols: [aapl] })
  const late = buildFeatures({ recipe, fit, symbols: [aapl], start: days.time[150]! })
  expect(late.table.values).toEqual(whole.table.values.slice(-late.table.values.length))
  expect(late.table.rows).toBe(150)
})

test('normalisers are fitted on the rows of their range alone, all symbols together, and are given back', () => {
  const { table, normalisers } = buildFeatures({ recipe, fit, symbols: [aapl, msft] })
  const at = table.ids.indexOf('1w_trend_raw')
  const inRange = [...table.time.keys()].filter(row => {
    const time = table.time[row]!
    return time >= fit.start && time < fit.end
  })
  // The least and the greatest value of the range are 0 and 1; outside it they need not be.
  const values = inRange.map(row => table.values[row * table.ids.length + at]!)
  expect([Math.min(...values), Math.max(...values)]).toEqual([0, 1])
  expect(normalisers['1w_trend_raw']).toMatchObject({ normalization: 'minmax', fitted_on: { values: 200 } })
  expect(Object.keys(normalisers)).toEqual(['1d_trend.signal_raw', '1w_trend_raw', '1d_bands_raw'])
  const alone = buildFeatures({ recipe, fit, symbols: [aapl] })
  expect(alone.normalisers['1w_trend_raw']).not.toEqual(normalisers['1w_trend_raw'])
})

test('symbols lie below each other, and their order and extra bars they bring change no byte', () => {
  const one = buildFeatures({ recipe, fit, symbols: [aapl, msft] })
  const other = buildFeatures({ recipe, fit, symbols: [msft, aapl] })
  expect(matrixBytes(other.table)).toEqual(matrixBytes(one.table))
  expect(one.table.symbols.map(({ symbol }) => symbol)).toEqual(['AAPL', 'MSFT'])
  expect(other.symbols).toEqual(one.symbols)
})

test('a constant feature is 0, with a warning that names it', () => {
  const flat = { ...recipe, features: [termOf('1d', 'zone', 'low'), rawOf('1d', 'level', 'zscore')] }
  const still: FeatureRecipe = { ...flat, indicators: { ...flat.indicators, level: indicatorOf('sma') } }
  const bars = { ...days, close: new Float64Array(days.length).fill(100) }
  const { table, warnings } = buildFeatures({
    recipe: still,
    fit,
    symbols: [{ symbol: 'A', bars: { '1d': bars } }],
  })
  expect(new Set(table.values.filter((_, i) => i % 2 === 1))).toEqual(new Set([0]))
  expect(warnings).toContainEqual(expect.stringMatching(/^1d_level_raw: constant/))
})

test('a timeframe that ended long ago is named, because its last value stands in every later row', () => {
  const short = weeksOf(walkOf(1, 100))
  const { warnings } = buildFeatures({
    recipe,
    fit,
    symbols: [{ symbol: 'A', bars: { '1d': days, '1w': short } }],
  })
  expect(warnings).toContainEqual(expect.stringMatching(/^A: the 1w bars end at 2024-04-/))
})

describe('refused are', () => {
  test('a normalised feature without a range: nothing is fitted on all bars by accident', () => {
    const problem = problemOf(() => buildFeatures({ recipe, symbols: [aapl] }))
    expect(problem).toMatchObject({ code: 'params-invalid', errors: [{ pointer: '/body/params/fit' }] })
    expect(problem.message).toMatch(/1d_trend.signal_raw is normalised \(zscore\)/)
  })

  test('a range in which a feature has no value yet, by name', () => {
    const problem = problemOf(() => buildFeatures({ recipe, fit: fitOf(days, 0, 4), symbols: [aapl] }))
    expect(problem.message).toMatch(/^1d_trend.signal_raw has no value from 2024-01-01/)
  })

  test('a strategy without features, and bars that are not there', () => {
    const empty = { ...recipe, features: [] }
    expect(problemOf(() => buildFeatures({ recipe: empty, symbols: [aapl] })).message).toMatch(/no features/)
    const bare = { symbol: 'A', bars: { '1d': days } }
    expect(problemOf(() => buildFeatures({ recipe, fit, symbols: [bare] })).code).toBe('bars-missing')
  })
})

test('the work can be stopped at any of its checkpoints, and they count symbols and timeframes', () => {
  const seen: string[] = []
  buildFeatures({
    recipe,
    fit,
    symbols: [aapl, msft],
    checkpoint: (done, total, phase) => seen.push(`${done}/${total} ${phase}`),
  })
  expect([...new Set(seen)].filter(text => !text.includes('fitting'))).toEqual([
    '0/4 AAPL 1d',
    '1/4 AAPL 1w',
    '2/4 MSFT 1d',
    '3/4 MSFT 1w',
  ])
  for (const at of [0, 5, seen.length - 1]) {
    let left = at
    const checkpoint = () => {
      if (left-- === 0) throw new Error('stopped')
    }
    expect(() => buildFeatures({ recipe, fit, symbols: [aapl, msft], checkpoint })).toThrow('stopped')
  }
})

test('what is declared is what happens: the first value of every indicator as a feature is at its look-back', () => {
  for (const spec of indicators) {
    if (spec.warmUp === 'first_session') continue
    const of: FeatureRecipe = {
      base: '1d',
      indicators: { x: indicatorOf(spec.type) },
      fuzzySets: {},
      features: [rawOf('1d', 'x')],
    }
    const { symbols } = buildFeatures({ recipe: of, symbols: [{ symbol: 'A', bars: { '1d': days } }] })
    const { lookback } = historyOf(of, of.features[0]!)
    expect([spec.type, symbols[0]?.features[0]?.first_usable_bar]).toEqual([spec.type, lookback])
  }
})

test('the look-back of an indicator that reads another is the sum of both', () => {
  const [rsi, ema] = [5, 2]
  expect(historyOf(recipe, termOf('1d', 'calm', 'mid'))).toEqual({
    lookback: rsi + ema,
    stableAfter: expect.any(Number),
  })
  const { symbols } = buildFeatures({ recipe, fit, symbols: [aapl] })
  expect(symbols[0]?.features[4]?.first_usable_bar).toBe(rsi + ema)
})

test('the same bars and strategy give the same bytes on every machine', () => {
  const { table } = buildFeatures({ recipe, fit, symbols: [aapl, msft] })
  expect(createHash('sha256').update(matrixBytes(table)).digest('hex')).toBe(
    'c0be56e5fee6a57909b631d892519dd21082930c1901eef8f58aef5d634bbbcb',
  )
})
