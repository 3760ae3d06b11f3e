import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createLayout, modelFolder } from '../../src/archive/layout.ts'
import { publishModel, readModel } from '../../src/archive/models.ts'
import { applyNormaliser } from '../../src/features/normaliser.ts'
import { joinFeatures } from '../../src/features/pipeline.ts'
import { quantileTerms } from '../../src/fuzzy/quantile-terms.ts'
import type { Bars } from '../../src/market/bars.ts'
import { Problem } from '../../src/problems.ts'
import { type LoopState, TrainingLoop } from '../../src/training/loop.ts'
import { loadModel } from '../../src/training/predictor.ts'
import { servedOf } from '../../src/training/served-model.ts'
import { buildTrainingSet, type TrainingSet } from '../../src/training/training-set.ts'
import { walkOf } from '../fixtures/walks.ts'
import { sampleBars } from '../support/sample-bars.ts'
import { untrainedModel } from '../support/trained-model.ts'
import { mlp, recurrent, setOf, smallStrategy, taskOf, type Written, weightsOf } from './small-strategies.ts'

const terms = ['low', 'mid', 'high']
const strategyOf = (written: Written = {}) =>
  smallStrategy({
    ...written,
    fuzzy_sets: {
      zone: { indicator: 'rsi_5', type: 'quantile', terms },
      pace: { indicator: 'change', type: 'quantile', terms: ['down', 'up'], shape: 'gaussian' },
    },
    nn_inputs: [
      { fuzzy_set: 'zone', timeframes: 'all' },
      { fuzzy_set: 'pace', timeframes: 'all' },
      { raw_indicator: 'change', timeframes: 'all', normalization: 'zscore' },
    ],
  })

const build = (bars: Readonly<Record<string, Bars>>, strategy = strategyOf()) =>
  buildTrainingSet({
    strategy,
    symbols: Object.entries(bars).map(([symbol, own]) => ({ symbol, bars: { '1d': own } })),
    ...{ start: null, end: null },
  })

/** What is fitted, and features and labels of the training rows. */
function learnedFrom({ samples, split, normalisers }: TrainingSet): unknown {
  const width = samples.ids.length
  const rows = [...split.train].map(row => [
    samples.label[row],
    ...samples.features.subarray(row * width, (row + 1) * width),
  ])
  return { rows, normalisers }
}

describe('the terms of a quantile set', () => {
  test('are the quantiles of the training rows of all symbols, and of no other row', () => {
    const bars = { AAA: walkOf(1, 260), BBB: walkOf(2, 220) }
    const { samples, split, normalisers, recipe } = build(bars)
    const columns = Object.entries(bars).map(
      ([symbol, own]) => joinFeatures(recipe, { symbol, bars: { '1d': own } }).columns[0]?.values,
    )
    const values = Float64Array.from(
      split.train,
      row => columns[samples.symbol[row] as number]?.[samples.bar[row] as number] ?? Number.NaN,
    )
    const expected = quantileTerms(values, { terms, shape: 'triangular', from: 0, to: values.length })
    expect(expected.fitted_on.values).toBe(split.train.length)
    for (const { name, type, parameters } of expected.terms)
      expect(normalisers[`1d_zone_${name}`]).toEqual({
        ...{ normalization: 'quantile', type, parameters },
        fitted_on: expected.fitted_on,
      })
  })

  test('do not change with any bar after the training part, nor do the rows learned from', () => {
    const bars = walkOf(1, 240)
    // Of returns ahead the number of rows is known beforehand, so that the cut stays where it is.
    const strategy = strategyOf({
      decisions: {
        output_format: 'regression',
        cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 1.5 },
      },
      training: { labels: { source: 'forward_return', horizon: 3 } },
    })
    const set = build({ AAA: bars }, strategy)
    const cut = set.split.ranges.validation?.from ?? 0
    const later = bars.close_time.findIndex(time => time >= cut)
    expect(later).toBeGreaterThan(100)
    const expected = learnedFrom(set)
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10_000 }),
        fc.double({ min: 0.1, max: 20, noNaN: true }),
        (seed, factor) => {
          const other = walkOf(seed, 240)
          const mixed = (name: 'open' | 'high' | 'low' | 'close') =>
            bars[name].map((value, i) => (i < later ? value : (other[name][i] as number) * factor))
          const changed = {
            open: mixed('open'),
            high: mixed('high'),
            low: mixed('low'),
            close: mixed('close'),
          }
          expect(learnedFrom(build({ AAA: { ...bars, ...changed } }, strategy))).toEqual(expected)
        },
      ),
      { numRuns: 15 },
    )
  })

  test('change with the training rows', () => {
    const bars = walkOf(1, 240)
    const close = bars.close.map((value, i) => (i === 50 ? value * 0.999 : value))
    expect(build({ AAA: { ...bars, close } }).normalisers).not.toEqual(build({ AAA: bars }).normalisers)
  })

  test('cannot be fitted on rows with too few different values: the training says so', () => {
    const flat = smallStrategy({
      fuzzy_sets: { zone: { indicator: 'rsi_5', type: 'quantile', terms } },
      nn_inputs: [
        { fuzzy_set: 'zone', timeframes: 'all' },
        { raw_indicator: 'change', timeframes: 'all' },
      ],
    })
    const bars = walkOf(1, 220)
    // Ever rising prices: an RSI of 100 on every bar.
    const rising = (column: Float64Array) => column.map((_, i) => 100 * 1.01 ** i)
    const [open, close] = [rising(bars.open), rising(bars.close).map(value => value * 1.005)]
    const up = { ...bars, open, close, high: close.map(value => value * 1.001), low: open }
    let refused: unknown
    try {
      buildTrainingSet({
        strategy: flat,
        symbols: [{ symbol: 'AAA', bars: { '1d': up } }],
        ...{ start: null, end: null },
      })
    } catch (error) {
      refused = error
    }
    expect(refused).toBeInstanceOf(Problem)
    expect(refused).toMatchObject({
      code: 'params-invalid',
      message: expect.stringMatching(/^the values of 'rsi_5' on 1d, .*'zone'.* among 3 terms: .* 100$/),
    })
  })
})

describe('training rows that belong to no term of a set', () => {
  const withSet = (zone: object) =>
    setOf(
      smallStrategy({
        fuzzy_sets: { zone: { indicator: 'rsi_5', ...zone } },
        nn_inputs: [
          { fuzzy_set: 'zone', timeframes: 'all' },
          { raw_indicator: 'change', timeframes: 'all' },
        ],
      }),
    )

  test('are counted, and warned about with what to do', () => {
    const { samples, split, warnings } = withSet({ low: [0, 10, 30], high: [70, 90, 100] })
    const width = samples.ids.length
    const silent = split.train.filter(row =>
      [0, 1].every(column => (samples.features[row * width + column] as number) <= 0.01),
    )
    const share = silent.length / split.train.length
    expect(share).toBeGreaterThan(0.1)
    expect(warnings).toEqual([
      expect.stringContaining(
        `fuzzy set 'zone' on 1d: ${(100 * share).toFixed(1)}% of the training rows belong to no term`,
      ),
    ])
    expect(warnings[0]).toContain('type: quantile')
  })

  test('are none where the terms are open or fitted', () => {
    const open = {
      low: { type: 'left_shoulder', parameters: [30, 60] },
      high: { type: 'right_shoulder', parameters: [40, 70] },
    }
    expect(withSet(open).warnings).toEqual([])
    for (const shape of ['triangular', 'trapezoidal', 'gaussian'])
      expect(withSet({ type: 'quantile', terms, shape }).warnings).toEqual([])
  })
})

test.each([mlp, recurrent('lstm'), recurrent('gru')])(
  'a training of $type that is built anew from the bars and goes on ends with the same bits',
  model => {
    const own = strategyOf({ model })
    const straight = new TrainingLoop(taskOf(own, setOf(own)).plan)
    const best = straight.run({ checkpoint: () => {} })
    for (const stop of [3, 40, 111]) {
      const first = new TrainingLoop(taskOf(own, setOf(own)).plan)
      let looks = 0
      const checkpoint = () => {
        if (++looks > stop) throw new RangeError('stopped')
      }
      expect(() => first.run({ checkpoint })).toThrow('stopped')
      const state: LoopState = structuredClone(first.state)
      const resumed = new TrainingLoop(taskOf(own, setOf(own)).plan, state)
      expect(weightsOf(resumed.run({ checkpoint: () => {} }).model)).toBe(weightsOf(best.model))
    }
  },
)

describe('a model with quantile sets', () => {
  const trained = untrainedModel('quantile_zones')
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-quantiles-'))
  createLayout(home)
  const { model_id: id } = publishModel(home, trained, { now: 0, operationId: null })

  test('keeps in its manifest, which its id is the hash of, the sets as written and the terms as fitted', () => {
    const { pipeline } = JSON.parse(readFileSync(join(modelFolder(home, id), 'manifest.json'), 'utf8'))
    expect(pipeline.fuzzy_sets.range).toEqual({
      indicator: 'natr_14',
      ...{ type: 'quantile', shape: 'trapezoidal', terms: ['calm', 'usual', 'wild'] },
    })
    expect(pipeline.normalisers).toEqual(trained.normalisers)
    const fitted = trained.normalisers['1d_range_wild']
    if (fitted?.normalization !== 'quantile') throw new Error('it is no term')
    const moved = { ...fitted, parameters: fitted.parameters.map(value => value + 1e-9) }
    const other = { ...trained, normalisers: { ...trained.normalisers, '1d_range_wild': moved } }
    expect(publishModel(home, other, { now: 0, operationId: null }).model_id).not.toBe(id)
  })

  test('answers after it was stored as before, by the terms that were fitted then', () => {
    const days = sampleBars()
    const symbol = { symbol: 'AAPL', bars: { '1d': days } }
    const { served } = readModel(home, id)
    const answers = loadModel(served).predict(symbol)
    expect(answers.outputs).toEqual(loadModel(servedOf(trained)).predict(symbol).outputs)
    // The terms are numbers by now: days without a range are not wild, days of half the price are.
    const wild = served.normalisers['1d_range_wild']
    if (wild === undefined) throw new Error('nothing was fitted')
    expect([...applyNormaliser(Float64Array.of(0, 50), wild)]).toEqual([0, 1])
  })

  test('is refused without what was fitted', () => {
    const served = servedOf(trained)
    const { '1d_range_wild': _, ...normalisers } = served.normalisers
    expect(() => loadModel({ ...served, normalisers })).toThrow('1d_range_wild has no normaliser')
  })
})
